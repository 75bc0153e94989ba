"""The form of the Tune tab: what to vary, on which slices, how; its buttons, progress and message."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_tiqa.errors import FilterError
from napari_tiqa.filtering.catalogue import FILTERS
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.jobs.filtering.tune import TuneProgress, tune
from napari_tiqa.jobs.filtering.tuning import Tuning
from napari_tiqa.jobs.filtering.variables import Variable, variables
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.filtering.aim import AimBox
from napari_tiqa.widgets.filtering.state import FilterState
from napari_tiqa.widgets.filtering.tune.variables import VariableList
from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.job_bar import JobBar, time_left
from napari_tiqa.widgets.shared.result_layers import no_original
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.widgets.shared.slices_box import SlicesBox

_GROUPS = ("Ring removal", "Denoise")


_METHODS = (("sweep a grid", "sweep"), ("optimise", "optimise"))
_TRIALS = 24


@dataclass(frozen=True)
class TuneRequest:
    """What to tune, frozen in the main thread: a job never sees a widget, a layer or the viewer."""

    volume: Volume
    axis: int
    slices: list[int] | None
    pipeline: Pipeline
    variables: tuple[Variable, ...]
    method: str
    trials: int
    model: Path | None
    window: IntensityWindow | None
    aim: str

    def run(self, progress: Callable[[TuneProgress], object], cancel: threading.Event) -> Tuning:
        """Tune."""
        return tune(
            self.volume,
            self.pipeline,
            self.variables,
            slices=self.slices,
            method=self.method,
            trials=self.trials,
            axis=self.axis,
            model=self.model,
            window=self.window,
            aim=self.aim,
            progress=progress,
            cancel=cancel,
        )


class TuneForm(QWidget):
    """Choices that a tuning is started with, its buttons and its progress."""

    tune_clicked = Signal()
    cancel_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.start = StartingPoint()
        self.variables = VariableList()
        self.slices = SlicesBox(
            "a few, evenly spread",
            "The slices that every setting is tried on. One is quickest; several show whether it\nsuits the "
            "whole volume.",
        )
        self.method_box = QComboBox()
        for title, method in _METHODS:
            self.method_box.addItem(title, method)
        self.method_box.setToolTip(
            "Sweep: an even grid over one or two parameters, which gives their curve or map.\n"
            "Optimise: a search (Optuna) that tries more where the score is high, over any number of them."
        )
        self.aim_box = AimBox()
        self.trials_box = QSpinBox()
        self.trials_box.setRange(4, 2000)
        self.trials_box.setValue(_TRIALS)
        self.trials_box.setSuffix(" tries")
        self.trials_box.setToolTip("How many settings are tried in all.")
        self.tune_button = QPushButton("Tune")
        self.tune_button.setToolTip(
            "Filter the slices with each setting, score them, and apply the best so far to the pipeline."
        )
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Stop; the settings tried so far stay, and the best of them.")
        self.bar = JobBar("How many settings were tried, and the time left.")
        self.message = SentenceLabel("What the tuning is doing, and what came of it.")
        self._lay_out()
        self.tune_button.clicked.connect(self.tune_clicked)
        self.cancel_button.clicked.connect(self.cancel_clicked)
        self._state = JobState.IDLE
        self.variables.changed.connect(self._enable)
        self.show_state(JobState.IDLE)

    def request(self, state: FilterState) -> TuneRequest:
        """Return what the form asks for.

        Raises
        ------
        FilterError
            If there is no slice to tune on, nothing is ticked, or a range is none.
        VolumeError
            If the slices are not there.
        """
        source = state.source
        if source is None:
            raise FilterError(no_original("tune on"))
        ticked = self.variables.ticked()
        varied = {variable.step for variable in ticked}
        pipeline = Pipeline(
            replace(step, on=step.on or number in varied) for number, step in enumerate(state.pipeline.steps)
        )
        return TuneRequest(
            source.volume,
            source.axis,
            self.slices.slices(source),
            pipeline,
            variables(pipeline, ticked),
            self.method_box.currentData(),
            self.trials_box.value(),
            state.model,
            source.window,
            self.aim_box.aim,
        )

    def show_pipeline(self, pipeline: Pipeline) -> None:
        """Follow the pipeline that is being built."""
        self.variables.show_pipeline(pipeline)
        self.start.setVisible(not pipeline.steps)
        self.variables.setVisible(bool(pipeline.steps))
        self._enable()

    def show_source(self, source: SliceSource | None) -> None:
        """Follow napari's slider."""
        self.slices.show_source(source)

    def show_state(self, state: JobState) -> None:
        """Enable what can be done in a state, and nothing else."""
        self._state = state
        self._enable()
        self.bar.show_state(state)
        if state is JobState.STARTING:
            self.message.say("Starting: scoring the slices as they are…")
        elif state is JobState.CANCELLING:
            self.message.say("Stopping…")

    def show_progress(self, news: TuneProgress, best: str) -> None:
        """Show how much is done, the time left and the best so far, described."""
        text = f"{news.done} of {news.total}   {time_left(news.seconds_left)}"
        self.bar.show_done(news.done, news.total, text)
        self.message.say(f"Best so far: {best}.")

    def _enable(self) -> None:
        self.tune_button.setEnabled(not self._state.busy and bool(self.variables.rows))
        self.cancel_button.setEnabled(self._state.cancellable)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(8)
        form.setVerticalSpacing(4)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(self.start)
        form.addRow(self.variables)
        form.addRow("On", self.slices)
        how = QHBoxLayout()
        how.addWidget(self.method_box, 1)
        how.addWidget(self.trials_box)
        how.addWidget(self.aim_box)
        form.addRow("How", how)
        buttons = QHBoxLayout()
        buttons.addWidget(self.tune_button, 2)
        buttons.addWidget(self.cancel_button, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(form)
        layout.addLayout(buttons)
        layout.addWidget(self.bar)
        layout.addWidget(self.message)


class StartingPoint(QWidget):
    """Offers ring removal and the denoisers, with a pipeline of the one chosen."""

    chosen = Signal(object)  # Pipeline

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        sentence = QLabel("There is no filter yet. Start from")
        sentence.setToolTip("Or add filters in the Steps tab and come back to tune them.")
        self.box = QComboBox()
        for group in _GROUPS:
            for name, one in FILTERS.items():
                if one.group == group:
                    self.box.addItem(f"{group}: {one.title}" if one.title != group else one.title, name)
                    self.box.setItemData(self.box.count() - 1, one.summary, 3)  # Qt.ToolTipRole
        self.box.setToolTip("Ring removal where slices have rings; a denoiser where they are grainy.")
        self.button = QPushButton("Add it")
        self.button.setToolTip("Make a pipeline of this filter, and list its parameters here.")
        row = QHBoxLayout()
        row.addWidget(self.box, 1)
        row.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(sentence)
        layout.addLayout(row)
        self.button.clicked.connect(lambda: self.choose(self.box.currentData()))

    def choose(self, name: str) -> None:
        """Start from a filter."""
        self.chosen.emit(Pipeline([Step(name)]))
