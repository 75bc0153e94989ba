"""The lists of the quality dock: runs to compare, and the worst slices of the selected one."""

import numpy as np
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap, QResizeEvent
from qtpy.QtWidgets import QPushButton, QTreeWidgetItem, QWidget

from napari_tiqa.scoring.sentence import named_artefacts, score_figure, score_sentence, where_lost
from napari_tiqa.scoring.table import UNLIKE_TRAINING, ScoredSlice
from napari_tiqa.widgets.quality.artefact_chips import ChipDelegate
from napari_tiqa.widgets.quality.parts_plot import FLAG
from napari_tiqa.widgets.quality.plotted import SCORE, Plotted, figure_text
from napari_tiqa.widgets.quality.score_run import ScoreRun
from napari_tiqa.widgets.shared.flat_tree import FlatTree
from napari_tiqa.widgets.shared.forms import quietly
from napari_tiqa.wording import counted, what_differs

_DATA = Qt.ItemDataRole.UserRole  # the run's key; the slice
_ARTEFACTS = 2  # the column of the worst slices that has chips
_RUN_ROWS, _WORST_ROWS = 2.5, 4
_WORST = 20
_SCORE_HEADINGS = ("Score", "Artefacts", "Why")
_LEAST_HEIGHT = 66  # px: the header and two slices


class RunList(FlatTree):
    """Runs with a tick, their colour, what tells them apart and their mean; the selected one is current."""

    changed = Signal()  # the shown runs or the current one

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            ["", ""],
            "All scored runs: tick the ones to compare in the plot, select one to list its worst slices.",
            rows=_RUN_ROWS,
            grows=False,
            parent=parent,
        )
        self._runs: dict[str, ScoreRun] = {}
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
        self._runs[run.key] = run
        with quietly(self):
            self.addTopLevelItem(item)
        self.update_run(run)
        self._name_runs()

    def update_run(self, run: ScoreRun) -> None:
        """Write the run's title and mean score anew."""
        item = self._item(run.key)
        if item is None:
            return
        scores = run.valid_scores
        with quietly(self):
            item.setText(1, f"mean {scores.mean():.2f}" if scores.size else "-")
            item.setToolTip(0, _describe(run))
        if run.ended:
            self._name_runs()

    def _name_runs(self) -> None:
        """Write what tells each run from the others, since the list is not as wide as their names."""
        items = self.items()
        runs = [self._runs[item.data(0, _DATA)] for item in items]
        with quietly(self):
            for item, run, name in zip(items, runs, what_differs([run.name for run in runs]), strict=True):
                item.setText(0, run.title(name))

    def remove_run(self, key: str) -> None:
        """Take a run out of the list."""
        item = self._item(key)
        if item is not None:
            self.takeTopLevelItem(self.indexOfTopLevelItem(item))
            del self._runs[key]
            self._name_runs()
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
    """The lowest scores of one run, worst first, each with its artefacts and a sentence.

    A click, and the arrow keys, go to the slice.
    """

    slice_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            ["Worst", *_SCORE_HEADINGS],
            f"The {_WORST} worst slices of the selected run, by what is plotted; click one, or use the arrow "
            "keys, to go to the slice.",
            rows=_WORST_ROWS,
            widest=3,
            parent=parent,
        )
        self._button: QPushButton | None = None
        self.setMinimumHeight(_LEAST_HEIGHT)
        self.setItemDelegateForColumn(_ARTEFACTS, ChipDelegate(self))
        self.itemClicked.connect(self._go_to)
        self.itemActivated.connect(self._go_to)
        self.currentItemChanged.connect(self._go_to)

    def put_in_header(self, button: QPushButton) -> None:
        """Put a button at the right end of the header."""
        button.setParent(self)
        self._button = button
        self._place_button()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the button at the right end."""
        super().resizeEvent(event)
        self._place_button()

    def _place_button(self) -> None:
        if self._button is not None:
            width = self._button.sizeHint().width()
            right = self.width() - self.verticalScrollBar().sizeHint().width() - 2
            self._button.setGeometry(right - width, 2, width, self.header().height() - 2)

    def show_run(self, run: ScoreRun | None, plotted: Plotted = SCORE) -> None:
        """List this run's worst slices in place of those listed; the slice gone to stays marked.

        Of a physical figure, its value stands before the score.
        """
        current = self.current_slice
        with quietly(self):
            self.clear()
            if run is not None and plotted.is_figure:
                self.setHeaderLabels(["Worst", plotted.unit_of(run) or "Ratio", "Artefacts", "Score"])
            else:
                self.setHeaderLabels(["Worst", *_SCORE_HEADINGS])
            for row, value in [] if run is None else plotted.worst(run, _WORST):
                item = _worst_item(row, "" if run is None else run.unit)
                if plotted.is_figure:
                    item.setText(1, figure_text(value))
                    item.setText(3, score_figure(row) if np.isfinite(row.score) else "-")
                self.addTopLevelItem(item)
                if row.slice == current:
                    self.setCurrentItem(item)

    @property
    def current_slice(self) -> int | None:
        """The slice that was gone to last, where it is still listed."""
        item = self.currentItem()
        return None if item is None else item.data(0, _DATA)

    def next_worst(self, shown: int | None) -> None:
        """Go to the slice that comes after the one shown in the list; to the worst after the last."""
        items = self.items()
        listed = [item.data(0, _DATA) for item in items]
        if items:
            self.setCurrentItem(None)  # else the slice is not gone to again
            self.setCurrentItem(items[(listed.index(shown) + 1) % len(items) if shown in listed else 0])

    def _go_to(self, item: QTreeWidgetItem | None, _other: object = None) -> None:
        if item is not None:
            self.slice_clicked.emit(item.data(0, _DATA))


def _worst_item(row: ScoredSlice, unit: str) -> QTreeWidgetItem:
    place = f"{row.slice}" if unit == "pixel" else f"{row.slice}  ({row.position:.4g} {unit})"
    sentence = score_sentence(row)
    if row.flagged:
        texts, artefacts = [place, FLAG, "", sentence], []
    else:
        texts, artefacts = [place, score_figure(row), "", where_lost(row)], named_artefacts(row)
    item = QTreeWidgetItem(texts)
    item.setData(0, _DATA, row.slice)
    item.setData(_ARTEFACTS, _DATA, artefacts)
    for column in range(item.columnCount()):
        score = f" (score {row.score:.2f})" if np.isfinite(row.score) else ""
        item.setToolTip(column, f"slice {row.slice}: {sentence}{score}")
    return item


def _describe(run: ScoreRun) -> str:
    scores = run.valid_scores
    lines = [run.title()]
    if scores.size:
        lines.append(f"mean {scores.mean():.2f}, lowest {scores.min():.2f}, highest {scores.max():.2f}")
    unscored = len(run.rows) - scores.size
    if unscored:
        lines.append(f"{counted(unscored, 'slice')} could not be scored")
    flagged = int(run.flagged.sum())
    if flagged:
        lines.append(f"{counted(flagged, 'slice', ('is', 'are'))} {UNLIKE_TRAINING}")
    return "\n".join(lines)
