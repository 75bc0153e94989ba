"""The list of scoring runs: a checkbox shows a run in the plot, the selected run is the current one."""

from collections.abc import Sequence

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from napari_tiqa.scoring.table import UNLIKE_TRAINING
from napari_tiqa.widgets.quality.score_run import ScoreRun

_KEY = Qt.ItemDataRole.UserRole


class RunList(QTreeWidget):
    """Runs with a checkbox, their colour and their mean score."""

    changed = Signal()  # the shown runs or the current one

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setColumnCount(2)
        self.setHeaderLabels(["Run", "Mean"])
        self.setRootIsDecorated(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setIconSize(QSize(12, 12))
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.setToolTip(
            "All scored runs: tick the ones to compare in the plot, select one to list its worst slices."
        )
        self.itemChanged.connect(lambda *_: self.changed.emit())
        self.currentItemChanged.connect(lambda *_: self.changed.emit())

    def sizeHint(self) -> QSize:
        """Return a height of about five rows."""
        return QSize(180, 118)

    def add_run(self, run: ScoreRun, colour: str) -> None:
        """Add a run, ticked."""
        swatch = QPixmap(12, 12)
        swatch.fill(QColor(colour))
        item = QTreeWidgetItem()
        item.setData(0, _KEY, run.key)
        icon = QIcon(swatch)
        icon.addPixmap(swatch, QIcon.Mode.Selected)  # else Qt tints the colour of a selected run
        item.setIcon(0, icon)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
        item.setCheckState(0, Qt.CheckState.Checked)
        item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.addTopLevelItem(item)
        self.update_run(run)

    def update_run(self, run: ScoreRun) -> None:
        """Write the run's title and mean score anew."""
        item = self._item(run.key)
        if item is None:
            return
        scores = run.valid_scores
        blocked = self.blockSignals(True)
        item.setText(0, run.title())
        item.setText(1, f"{scores.mean():.2f}" if scores.size else "-")
        item.setToolTip(0, _describe(run))
        self.blockSignals(blocked)

    def remove_run(self, key: str) -> None:
        """Take a run out of the list."""
        item = self._item(key)
        if item is not None:
            self.takeTopLevelItem(self.indexOfTopLevelItem(item))
            self.changed.emit()

    def select_run(self, key: str) -> None:
        """Make a run the current one."""
        item = self._item(key)
        if item is not None:
            self.setCurrentItem(item)

    def set_shown(self, key: str, shown: bool) -> None:
        """Tick or untick a run."""
        item = self._item(key)
        if item is not None:
            item.setCheckState(0, Qt.CheckState.Checked if shown else Qt.CheckState.Unchecked)

    def shown_keys(self) -> list[str]:
        """Return the keys of the ticked runs, in the order of the list."""
        return [item.data(0, _KEY) for item in self._items() if item.checkState(0) == Qt.CheckState.Checked]

    def current_key(self) -> str | None:
        """Return the key of the selected run."""
        item = self.currentItem()
        return None if item is None else item.data(0, _KEY)

    def _items(self) -> Sequence[QTreeWidgetItem]:
        return [self.topLevelItem(row) for row in range(self.topLevelItemCount())]

    def _item(self, key: str) -> QTreeWidgetItem | None:
        return next((item for item in self._items() if item.data(0, _KEY) == key), None)


def _describe(run: ScoreRun) -> str:
    scores = run.valid_scores
    lines = [run.title()]
    if scores.size:
        lines.append(f"mean {scores.mean():.2f}, lowest {scores.min():.2f}, highest {scores.max():.2f}")
    unscored = len(run.rows) - scores.size
    if unscored:
        lines.append(f"{unscored} slices could not be scored")
    flagged = int(run.flagged.sum())
    if flagged:
        lines.append(f"{flagged} slices are {UNLIKE_TRAINING}")
    return "\n".join(lines)
