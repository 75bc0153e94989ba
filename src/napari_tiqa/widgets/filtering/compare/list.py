"""The pipelines of the Compare tab, a row each: colour, name, and what the last comparison found."""

import pandas as pd
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QFont, QIcon, QPixmap
from qtpy.QtWidgets import QAbstractItemView, QSizePolicy, QTreeWidgetItem, QWidget

from napari_tiqa.figure_style import GREY, RUN_COLOURS
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.filtering.compare import UNFILTERED, Comparison
from napari_tiqa.jobs.filtering.gain import Gain, change, level
from napari_tiqa.widgets.shared.flat_tree import FlatTree
from napari_tiqa.widgets.shared.forms import quietly
from napari_tiqa.wording import free_name, percent

_FEWEST_ROWS, _MOST_ROWS = 4, 8
_NUMBERED = "{name} {number}"
_EDITABLE = Qt.ItemFlag.ItemIsEditable
_MIDDLE, _RIGHT = Qt.AlignmentFlag.AlignVCenter, Qt.AlignmentFlag.AlignRight


_COLUMNS = {
    "Pipeline": "Double-click a name to change it; point at it to read its steps.",
    "Gain": "How much better than unfiltered, by fidelity or by score; grey where not significant (90 % "
    "interval). The highest is bold.",
    "Score": "Mean score over the slices, 1 worst to 5 best.",
    "Spread": "Standard deviation of the score over the slices.",
    "Detail": "Per cent of edge steepness lost: what the gain costs. Below 0: sharpened.",
    "Time": "Time to filter a slice.",
}


class PipelineList(FlatTree):
    """Named pipelines; the first row is always the slices unfiltered."""

    renamed = Signal(str, str)  # from, to
    removed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(list(_COLUMNS), "", rows=_FEWEST_ROWS, parent=parent)
        self._pipelines: list[Pipeline] = []
        self._names: list[str] = []
        self._colours: list[str] = []
        for number, meaning in enumerate(_COLUMNS.values()):
            self.headerItem().setToolTip(number, meaning)
            if number:
                self.headerItem().setTextAlignment(number, _RIGHT | _MIDDLE)
        self.setIconSize(QSize(12, 12))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.header().setMinimumSectionSize(30)
        self._add_row(UNFILTERED, Pipeline(), GREY)
        self.itemDoubleClicked.connect(self._edit_name)
        self.itemChanged.connect(self._on_edited)

    def sizeHint(self) -> QSize:
        """Return the height of a few rows; more of them scroll."""
        rows = min(max(len(self._names), _FEWEST_ROWS), _MOST_ROWS)
        row = max(self.sizeHintForRow(0), self.iconSize().height())
        return QSize(300, self.header().sizeHint().height() + rows * row + 2 * self.frameWidth() + 2)

    def minimumSizeHint(self) -> QSize:
        """Return the same: a window that is too low scrolls as a whole."""
        return self.sizeHint()

    @property
    def pipelines(self) -> dict[str, Pipeline]:
        """What is to be compared, by name, without the unfiltered slices."""
        return dict(zip(self._names[1:], self._pipelines[1:], strict=True))

    @property
    def colours(self) -> dict[str, str]:
        """The colour of each row, by name."""
        return dict(zip(self._names, self._colours, strict=True))

    @property
    def chosen(self) -> str | None:
        """The name of the selected row."""
        item = self.currentItem()
        return None if item is None else self._names[self.indexOfTopLevelItem(item)]

    def add(self, name: str, pipeline: Pipeline) -> str:
        """Add a pipeline and return its name, numbered where it is taken."""
        free = free_name(name, self._names, _NUMBERED)
        unused = [colour for colour in RUN_COLOURS if colour not in self._colours]
        self._add_row(
            free, pipeline, unused[0] if unused else RUN_COLOURS[len(self._names) % len(RUN_COLOURS)]
        )
        self.setCurrentItem(self.topLevelItem(len(self._names) - 1))
        return free

    def remove_chosen(self) -> None:
        """Take the selected pipeline out; the unfiltered slices stay."""
        row = self.indexOfTopLevelItem(self.currentItem()) if self.currentItem() else -1
        if row > 0:
            name = self._names[row]
            for values in (self._names, self._pipelines, self._colours):
                del values[row]
            self.takeTopLevelItem(row)
            self.updateGeometry()
            self.removed.emit(name)

    def choose(self, name: str) -> None:
        """Select a row."""
        self.setCurrentItem(self.topLevelItem(self._names.index(name)))

    def show_comparison(self, comparison: Comparison) -> None:
        """Write what a comparison found; rows it does not have are emptied."""
        found, aim = comparison.table().set_index("pipeline"), comparison.aim
        applied = found[found["failure"] == ""]
        best = applied["objective"].idxmax() if len(applied) else None
        with quietly(self):
            for name, item in zip(self._names, self.items(), strict=True):
                if name not in found.index:
                    self._write(item, [""] * (len(_COLUMNS) - 1), bold=False)
                    continue
                row = found.loc[[name]].iloc[0]
                self._write(item, _cells(row, aim), bold=name == best)
                gain = change(Gain(row["gain"], row["gain_half_width"]), aim)
                self._explain(
                    item,
                    row,
                    f"{level(comparison.trials[name], aim)}; {gain} (90 %) compared with unfiltered",
                )

    def _write(self, item: QTreeWidgetItem, cells: list[str], *, bold: bool) -> None:
        font = QFont(self.font())
        font.setBold(bold)
        for number in range(len(_COLUMNS)):
            item.setFont(number, font)
        for number, text in enumerate(cells, start=1):
            item.setText(number, text)
            item.setTextAlignment(number, _RIGHT | _MIDDLE)

    def _explain(self, item: QTreeWidgetItem, found: pd.Series, gain: str) -> None:
        for number, meaning in list(enumerate(_COLUMNS.values()))[1:]:
            item.setToolTip(number, found["failure"] or f"{gain}\n{meaning}")
        significant = not abs(found["gain"]) <= found["gain_half_width"]  # nor where it is NaN
        item.setForeground(1, self.palette().text() if significant else QColor("gray"))

    def _add_row(self, name: str, pipeline: Pipeline, colour: str) -> None:
        item = QTreeWidgetItem([name])
        swatch = QPixmap(12, 12)
        swatch.fill(QColor(colour))
        icon = QIcon(swatch)
        icon.addPixmap(swatch, QIcon.Mode.Selected)  # else Qt tints the colour of a selected row
        item.setIcon(0, icon)
        item.setToolTip(0, pipeline.describe() or "The slices as they are.")
        if self._names:
            item.setFlags(item.flags() | _EDITABLE)
        self._names.append(name)
        self._pipelines.append(pipeline)
        self._colours.append(colour)
        with quietly(self):
            self.addTopLevelItem(item)
        self.updateGeometry()

    def _edit_name(self, item: QTreeWidgetItem, column: int) -> None:
        if column == 0 and item.flags() & _EDITABLE:
            self.editItem(item, 0)

    def _on_edited(self, item: QTreeWidgetItem, column: int) -> None:
        row = self.indexOfTopLevelItem(item)
        before, typed = self._names[row], item.text(0).strip()
        if column != 0 or typed == before:
            return
        self._names[row] = ""  # its own name is free to be taken again
        name = free_name(typed, self._names, _NUMBERED) if typed else before
        self._names[row] = name
        with quietly(self):
            item.setText(0, name)
        self.renamed.emit(before, name)


def suggested_name(pipeline: Pipeline) -> str:
    """Return a name for a pipeline: "Ring removal + Gaussian"; empty where no step is on."""
    return " + ".join(step.definition.title for step in pipeline.steps if step.on)


def _cells(found: pd.Series, aim: str) -> list[str]:
    if found["failure"]:
        return ["failed", "", "", "", ""]
    gain = Gain(found["gain"], found["gain_half_width"])
    known = found["spread"] == found["spread"]
    loss = found["detail_loss"]
    return [
        change(gain, aim).partition(" ")[0] if gain.half_width > 0 else "",  # the interval is in the tooltip
        f"{found['score']:.2f}",
        f"{found['spread']:.2f}" if known else "-",
        percent(loss) if loss == loss else "-",
        _time(found["seconds"]),
    ]


def _time(seconds: float) -> str:
    if seconds == 0:
        return "-"
    return f"{max(1, round(1000 * seconds))} ms" if seconds < 1 else f"{seconds:.1f} s"
