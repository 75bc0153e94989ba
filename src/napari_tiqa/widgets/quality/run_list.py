"""The lists of the quality dock: runs to compare, and the worst slices of the selected one."""

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QTreeWidgetItem, QWidget

from napari_tiqa.scoring.sentence import score_sentence
from napari_tiqa.scoring.table import UNLIKE_TRAINING
from napari_tiqa.widgets.quality.parts_plot import FLAG
from napari_tiqa.widgets.quality.score_run import ScoreRun
from napari_tiqa.widgets.shared.flat_tree import FlatTree
from napari_tiqa.widgets.shared.forms import quietly

_DATA = Qt.ItemDataRole.UserRole  # the run's key; the slice
_ROWS = 5
_WORST = 20


class RunList(FlatTree):
    """Runs with a checkbox, their colour and their mean score; the selected run is the current one."""

    changed = Signal()  # the shown runs or the current one

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            ["Run", "Mean"],
            "All scored runs: tick the ones to compare in the plot, select one to list its worst slices.",
            rows=_ROWS,
            parent=parent,
        )
        self.setIconSize(QSize(12, 12))
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.itemChanged.connect(lambda *_: self.changed.emit())
        self.currentItemChanged.connect(lambda *_: self.changed.emit())

    def add_run(self, run: ScoreRun, colour: str) -> None:
        """Add a run, ticked."""
        swatch = QPixmap(12, 12)
        swatch.fill(QColor(colour))
        icon = QIcon(swatch)
        icon.addPixmap(swatch, QIcon.Mode.Selected)  # else Qt tints the colour of a selected run
        item = QTreeWidgetItem()
        item.setData(0, _DATA, run.key)
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
        with quietly(self):
            item.setText(0, run.title())
            item.setText(1, f"{scores.mean():.2f}" if scores.size else "-")
            item.setToolTip(0, _describe(run))

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

    def shown_keys(self) -> list[str]:
        """Return the keys of the ticked runs, in the order of the list."""
        return [item.data(0, _DATA) for item in self.items() if item.checkState(0) == Qt.CheckState.Checked]

    def current_key(self) -> str | None:
        """Return the key of the selected run."""
        item = self.currentItem()
        return None if item is None else item.data(0, _DATA)

    def _item(self, key: str) -> QTreeWidgetItem | None:
        return next((item for item in self.items() if item.data(0, _DATA) == key), None)


class WorstSlices(FlatTree):
    """The lowest scores of one run, worst first, each in a sentence; a click goes to the slice."""

    slice_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            ["Worst slices", "Score, and why"],
            f"The {_WORST} lowest scores of the selected run; click one to go to the slice.",
            rows=_ROWS,
            widest=1,
            parent=parent,
        )
        for emitter in (self.itemClicked, self.itemActivated):
            emitter.connect(lambda item, _: self.slice_clicked.emit(item.data(0, _DATA)))

    def show_run(self, run: ScoreRun | None) -> None:
        """List this run's worst slices in place of those listed."""
        self.clear()
        if run is None:
            return
        for row in run.worst(_WORST):
            place = f"{row.slice}"
            if run.unit != "pixel":
                place += f"  ({row.position:.4g} {run.unit})"
            sentence = score_sentence(row)
            item = QTreeWidgetItem([place, f"{FLAG} {sentence}" if row.flagged else sentence])
            item.setData(0, _DATA, row.slice)
            item.setToolTip(1, f"slice {row.slice}: {sentence} (score {row.score:.2f})")
            self.addTopLevelItem(item)


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
