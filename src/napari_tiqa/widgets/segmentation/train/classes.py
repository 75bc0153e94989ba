"""The painted classes: their names, how many pixels each has, and how well each is learned."""

from collections.abc import Mapping
from math import isfinite

import numpy as np
from napari.layers import Labels
from pandas.api.types import is_string_dtype
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QHeaderView, QSizePolicy, QTreeWidget, QTreeWidgetItem, QWidget

from napari_tiqa.volumes.applied import KEY, note_under
from napari_tiqa.widgets.shared.forms import quietly

_VALUE, _NAME, _PIXELS, _IOU = range(4)
_NAMES = "class_names"
_AT_LEAST = 2  # rows: a segmentation needs as many classes
_ROWS = 3  # shown without scrolling
_SWATCH = 12  # px


class SegmentTrainClasses(QTreeWidget):
    """A row for each class; a click activates the brush with its label, a double click edits its name."""

    class_chosen = Signal(int)  # label value
    names_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._labels: Labels | None = None
        self._rows: dict[int, QTreeWidgetItem] = {}
        self._added: set[int] = set()
        self.setHeaderLabels(["Label", "Name", "Pixels", "IoU"])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setEditTriggers(QTreeWidget.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setToolTip(
            "The painted classes. Click one to paint with it, double-click its name to change it.\n"
            "IoU: how well the network finds it in the labels left out of training; 1 is perfect."
        )
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.itemClicked.connect(self._on_clicked)
        self.itemDoubleClicked.connect(self._on_double_clicked)
        self.itemChanged.connect(self._on_changed)

    def sizeHint(self) -> QSize:
        """Return room for three classes; more are scrolled to."""
        row = self.fontMetrics().height() + 6
        return QSize(300, self.header().sizeHint().height() + _ROWS * row + 4)

    def names_of(self, values: tuple[int, ...]) -> tuple[str, ...]:
        """Return the names of classes as they were typed, else "class 1" and so on."""
        kept = _kept_names(self._labels)
        return tuple(kept.get(str(value)) or f"class {value}" for value in values)

    def show_labels(self, labels: Labels | None) -> None:
        """Show the classes of another Labels layer."""
        self._labels = labels
        self._added.clear()
        self.show_pixels({}, 0)

    def show_pixels(self, pixels: Mapping[int, int], unlabelled: int | None) -> None:
        """Show how many pixels each label value has, 0 too; `unlabelled` is the value that is not a class."""
        values = {value for value in pixels if value != unlabelled} | self._added
        for value in range(1, _AT_LEAST + 1):  # to paint first
            if self._labels is not None and len(values) < _AT_LEAST:
                values.add(value)
        with quietly(self):
            if set(self._rows) != values:
                self._make_rows(sorted(values))
            for (value, row), name in zip(self._rows.items(), self.names_of(tuple(self._rows)), strict=True):
                row.setText(_NAME, name)
                row.setText(_PIXELS, f"{pixels.get(value, 0):,}".replace(",", " "))
                row.setIcon(_VALUE, self._swatch(value))

    def show_ious(self, ious: Mapping[int, float]) -> None:
        """Show how well each class is found, by label value; NaN where it is unknown."""
        with quietly(self):
            for value, row in self._rows.items():
                iou = ious.get(value, np.nan)
                row.setText(_IOU, f"{iou:.3f}" if isfinite(iou) else "")

    def add_class(self) -> int:
        """Add a row for a class without pixels yet, and return its label value."""
        value = max(self._rows, default=0) + 1
        self._added.add(value)
        pixels = {known: int(row.text(_PIXELS).replace(" ", "")) for known, row in self._rows.items()}
        self.show_pixels(pixels, None)
        self.setCurrentItem(self._rows[value])
        return value

    def rename(self, value: int, name: str) -> None:
        """Name a class; the name is kept with the layer."""
        if self._labels is None:
            return
        names = {**_kept_names(self._labels), str(value): name.strip()}
        self._labels.metadata[KEY] = {**note_under(self._labels.metadata), _NAMES: names}
        with quietly(self):
            self._rows[value].setText(_NAME, self.names_of((value,))[0])
        self.names_changed.emit()

    def _make_rows(self, values: list[int]) -> None:
        self.clear()
        self._rows = {}
        for value in values:
            row = QTreeWidgetItem([str(value)])
            row.setFlags(row.flags() | Qt.ItemFlag.ItemIsEditable)
            for column in (_PIXELS, _IOU):
                row.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._rows[value] = row
            self.addTopLevelItem(row)

    def _swatch(self, value: int) -> QIcon:
        colour = self._labels.get_color(value) if self._labels is not None else None
        picture = QPixmap(_SWATCH, _SWATCH)
        picture.fill(QColor(0, 0, 0, 0) if colour is None else QColor.fromRgbF(*map(float, colour[:3])))
        return QIcon(picture)

    def _value(self, row: QTreeWidgetItem) -> int:
        return next(value for value, other in self._rows.items() if other is row)

    def _on_clicked(self, row: QTreeWidgetItem, _column: int) -> None:
        self.class_chosen.emit(self._value(row))

    def _on_double_clicked(self, row: QTreeWidgetItem, _column: int) -> None:
        self.editItem(row, _NAME)

    def _on_changed(self, row: QTreeWidgetItem, column: int) -> None:
        if column == _NAME:
            self.rename(self._value(row), row.text(_NAME))


def _kept_names(labels: Labels | None) -> dict[str, str]:
    """Return a layer's names by label value as text (as in JSON): those typed, else those in its features."""
    if labels is None:
        return {}
    typed = note_under(labels.metadata).get(_NAMES)
    return _featured_names(labels) | (
        {str(value): str(name) for value, name in typed.items()} if isinstance(typed, Mapping) else {}
    )


def _featured_names(labels: Labels) -> dict[str, str]:
    features = labels.features
    words = [name for name in features.columns if is_string_dtype(features[name])]
    if "index" not in features.columns or not words:
        return {}
    pairs = zip(features["index"], features[words[0]], strict=True)
    return {str(value): name for value, name in pairs if isinstance(name, str)}
