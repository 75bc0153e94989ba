"""The form of the Tune tab: what to vary, on which slices, by which method."""

from dataclasses import replace
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFrame, QLabel, QWidget

from napari_tiqa.filtering.catalogue import FILTERS
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.jobs.filtering.tune import tune
from napari_tiqa.jobs.filtering.variables import variables
from napari_tiqa.widgets.filtering.trial_tab import TrialForm
from napari_tiqa.widgets.filtering.tune.variables import VariableList
from napari_tiqa.widgets.shared.forms import button, choice_box, column, form_layout, line, spin_box
from napari_tiqa.widgets.shared.scrolling_tabs import LowArea

_GROUPS = ("Ring removal", "Denoise")
_METHODS = (("sweep a grid", "sweep"), ("optimise", "optimise"))
_TRIALS = 24
_LIST_HEIGHT = 84  # px, of the list of parameters where the window has no room for more


class TuneForm(TrialForm):
    """Choices that a tuning is started with."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            tune,
            "setting",
            "Tune",
            "Filter the slices with each setting, score them, and apply the best so far to the pipeline.",
            "Stop; the settings tried so far stay, and the best of them.",
            parent,
        )
        self.start = StartingPoint()
        self.variables = VariableList()
        self.method_box = choice_box(
            _METHODS,
            "Sweep: an even grid over one or two parameters, which gives their curve or map.\n"
            "Optimise: a search (Optuna) over any number of them that tries more where the score is high.",
        )
        self.trials_box = spin_box(_TRIALS, 4, 2000, "How many settings are tried in all.", " tries")
        method = line((self.method_box, 1), self.trials_box)
        slices = line((self.slices, 4), (self.aim_box, 3))
        self.area = LowArea(self.variables, least=_LIST_HEIGHT)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        rows = form_layout(self.start, ("Slices", slices), ("Method", method))
        column(self.area, rows, self.run_row, parent=self)
        self.variables.changed.connect(lambda: self._set_has_subject(bool(self.variables.rows)))

    def show_pipeline(self, pipeline: Pipeline) -> None:
        """List what can be varied, or where to start."""
        self.variables.show_pipeline(pipeline)
        self.start.setVisible(not pipeline.steps)
        self.area.setVisible(bool(pipeline.steps))

    def _subject(self, pipeline: Pipeline) -> tuple[tuple[Any, ...], dict[str, Any]]:
        ticked = self.variables.ticked()
        varied = {variable.step for variable in ticked}
        pipeline = Pipeline(
            replace(step, on=step.on or number in varied) for number, step in enumerate(pipeline.steps)
        )
        options = {"method": self.method_box.currentData(), "trials": self.trials_box.value()}
        return (pipeline, variables(pipeline, ticked)), options


class StartingPoint(QWidget):
    """Offers ring removal and the denoisers, with a pipeline of the one chosen."""

    chosen = Signal(object)  # Pipeline

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        sentence = QLabel("There is no filter yet. Start with")
        sentence.setToolTip("Or add filters in the Steps tab and come back to tune them.")
        offered = [item for group in _GROUPS for item in FILTERS.values() if item.group == group]
        self.box = choice_box(
            (
                (
                    item.title if item.title == item.group else f"{item.group}: {item.title}",
                    item.name,
                    item.summary,
                )
                for item in offered
            ),
            "Ring removal where slices have rings; a denoiser where they are grainy.",
        )
        self.button = button(
            "Add",
            "Make a pipeline of this filter, and list its parameters here.",
            lambda: self.choose(self.box.currentData()),
        )
        column(sentence, line((self.box, 1), self.button), parent=self)

    def choose(self, name: str) -> None:
        """Start from a filter."""
        self.chosen.emit(Pipeline([Step(name)]))
