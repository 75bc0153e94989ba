"""The list of settings tried on the slice that is shown, ranked by what they bring."""

import math
from dataclasses import replace
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QTreeWidgetItem, QWidget

from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.widgets.filtering import tried
from napari_tiqa.widgets.filtering.trial import SliceTrial
from napari_tiqa.widgets.filtering.tried import Tried
from napari_tiqa.widgets.shared.flat_tree import FlatTree
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.wording import percent

_KEPT = 30  # settings of each slice: the best ones
_NOTHING = "unfiltered"
_SETTINGS = 3  # column


class FilterHistory(FlatTree):
    """The settings tried on the slice that is shown, best first; a click goes back to one."""

    chosen = Signal(object)  # Pipeline

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            ["Fidelity", "Score", "Detail lost", "Settings tried"],
            "Settings tried on this slice, the best on top; click one to go back to it.\n"
            "They are kept with the layer, and saved with it.",
            rows=6,
            widest=_SETTINGS,
            parent=parent,
        )
        self._entries: list[Tried] = []
        self._source: SliceSource | None = None
        self._model: Path | None = None
        self.setUniformRowHeights(True)
        self.itemClicked.connect(
            lambda item: self.chosen.emit(self._entries[self.indexOfTopLevelItem(item)].pipeline)
        )

    @property
    def entries(self) -> list[Tried]:
        """The settings tried, best first."""
        return list(self._entries)

    def show_slice(self, source: SliceSource | None, model: Path | None) -> None:
        """Show what was tried on a slice with a model, also in an earlier session."""
        self._source, self._model = source, model
        self._entries = [] if source is None else tried.load(source, model)
        self._list()

    def add(self, trial: SliceTrial) -> None:
        """Keep a trial, the unfiltered slice beside it to compare with."""
        if self._source is None:
            return
        off = Pipeline([replace(step, on=False) for step in trial.pipeline.steps])
        nothing, latest = Tried.of(off, trial.before), Tried.of(trial.pipeline, trial.after)
        by_effect = {entry.effect: entry for entry in [*self._entries, nothing, latest]}
        nothing = by_effect[nothing.effect]
        kept = sorted(by_effect.values(), key=lambda entry: entry.rank)[:_KEPT]
        self._entries = kept if nothing in kept else [*kept[:-1], nothing]
        tried.save(self._source, self._model, self._entries)
        self._list(latest.effect)

    def _list(self, current: str = "") -> None:
        self.clear()
        for entry in self._entries:
            figures = (
                _figure(entry.objective, ".3f"),
                _figure(entry.score, ".2f"),
                percent(entry.detail_loss) if math.isfinite(entry.detail_loss) else "–",
            )
            item = QTreeWidgetItem([*figures, _in_short(entry.pipeline) or _NOTHING])
            item.setToolTip(_SETTINGS, entry.pipeline.describe().replace("), ", "),\n"))
            for column in range(_SETTINGS):
                item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.addTopLevelItem(item)
            if entry.effect == current:
                self.setCurrentItem(item)


def _figure(value: float, form: str) -> str:
    # "z": no minus before a zero.
    return f"{value:z{form}}" if math.isfinite(value) else "–"


def _in_short(pipeline: Pipeline) -> str:
    """Name the steps that are on, and of their parameters those that are not at their defaults."""
    return ", ".join(_step_in_short(step) for step in pipeline.steps if step.on)


def _step_in_short(step: Step) -> str:
    parameters = step.definition.parameters
    values = [
        parameters[name].in_words(value)
        for name, value in step.parameters.items()
        if value != parameters[name].default
    ]
    return f"{step.definition.title} ({', '.join(values)})" if values else step.definition.title
