"""Lists: of one or more columns to read, of entries to tick, and of the layers to tick."""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QPainter, QPaintEvent
from qtpy.QtWidgets import QHeaderView, QSizePolicy, QTreeWidget, QTreeWidgetItem, QWidget

from napari_tiqa.widgets.shared.forms import quietly
from napari_tiqa.widgets.shared.result_layers import is_original, no_original, unwrapped
from napari_tiqa.widgets.shared.slider import layer_shape

_ROW = 20  # px


class FlatTree(QTreeWidget):
    """A list without branches; no header is shown where all headings are empty.

    `rows` are seen before the list scrolls; it becomes higher where there is room if it `grows`. The `widest`
    column takes the room that the others leave.
    """

    def __init__(
        self,
        headings: Sequence[str],
        tooltip: str,
        *,
        rows: float,
        widest: int = 0,
        grows: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._height = round(_ROW * (rows + any(headings))) + 8
        self.setColumnCount(len(headings))
        self.setHeaderLabels(headings)
        self.setHeaderHidden(not any(headings))
        self.setRootIsDecorated(False)
        self.setToolTip(tooltip)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(widest, QHeaderView.ResizeMode.Stretch)
        if not grows:
            self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
            self.setMinimumHeight(min(self._height, 3 * _ROW))

    def sizeHint(self) -> QSize:
        """Return the height of the header and the rows."""
        return QSize(200, self._height)

    def items(self) -> list[QTreeWidgetItem]:
        """Return all items, in the order of the list."""
        return [self.topLevelItem(row) for row in range(self.topLevelItemCount())]


class Entry(NamedTuple):
    """What a list offers to tick: `key` tells it from others when the list is made anew."""

    key: Hashable
    value: Any
    texts: Sequence[str]
    tooltip: str = ""


class TickList(FlatTree):
    """Entries of some columns with a tick each, which stays when the list is made anew."""

    changed = Signal()  # the ticks, or the selected entry

    def __init__(
        self,
        tooltip: str,
        *,
        rows: float,
        columns: int = 1,
        tick_new: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__([""] * columns, tooltip, rows=rows, grows=False, parent=parent)
        self._entries: list[Entry] = []
        self._tick_new = tick_new
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.itemChanged.connect(lambda *_: self.changed.emit())
        self.currentItemChanged.connect(lambda *_: self.changed.emit())

    def show_entries(self, entries: Iterable[Entry]) -> None:
        """List these entries in place of those listed; tells nobody."""
        ticks = {entry.key: _is_ticked(item) for entry, item in self._rows()}
        selected = self._selected()
        self._entries = list(entries)
        with quietly(self):
            self.clear()
            for entry in self._entries:
                item = QTreeWidgetItem(list(entry.texts))
                item.setToolTip(0, entry.tooltip)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                _tick(item, ticks.get(entry.key, self._tick_new))
                self.addTopLevelItem(item)
                if selected is not None and entry.key == selected.key:
                    self.setCurrentItem(item)

    def tick_only(self, keys: Iterable[Hashable]) -> None:
        """Tick these entries and no others."""
        ticked = set(keys)
        for entry, item in self._rows():
            _tick(item, entry.key in ticked)

    def values(self) -> list[Any]:
        """Return what is listed."""
        return [entry.value for entry in self._entries]

    def ticked(self) -> list[Any]:
        """Return what is ticked, in the order of the list."""
        return [entry.value for entry, item in self._rows() if _is_ticked(item)]

    @property
    def selected(self) -> Any:
        """What is selected; None where nothing is."""
        entry = self._selected()
        return None if entry is None else entry.value

    def _selected(self) -> Entry | None:
        place = self.indexOfTopLevelItem(self.currentItem()) if self.currentItem() is not None else -1
        return self._entries[place] if place >= 0 else None

    def _rows(self) -> Iterable[tuple[Entry, QTreeWidgetItem]]:
        return zip(self._entries, self.items(), strict=True)


class LayerList(TickList):
    """The originals of a viewer with a tick each, the topmost first; new ones are ticked.

    `verb` says what the layers are for, in the sentence that an empty list shows: "rate".
    """

    def __init__(self, tooltip: str, verb: str, *, rows: float, parent: QWidget | None = None) -> None:
        super().__init__(tooltip, rows=rows, columns=2, parent=parent)
        self._verb = verb

    def follow(self, viewer: Any) -> None:
        """List the viewer's layers as they are now."""
        originals = [unwrapped(layer) for layer in reversed(viewer.layers) if is_original(layer)]
        self.show_entries(
            Entry(layer.unique_id, layer, (layer.name, " × ".join(map(str, layer_shape(layer)))))
            for layer in originals
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the list, or why it is empty."""
        super().paintEvent(event)
        if not self._entries:
            viewport = self.viewport()
            where = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            QPainter(viewport).drawText(
                viewport.rect().adjusted(8, 4, -8, -4), where, no_original(self._verb)
            )


def _is_ticked(item: QTreeWidgetItem) -> bool:
    return item.checkState(0) == Qt.CheckState.Checked


def _tick(item: QTreeWidgetItem, ticked: bool) -> None:
    item.setCheckState(0, Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
