"""The Tune tab: how form, job, plot and the shared pipeline act on one another."""

from pathlib import Path
from typing import Any

from napari.utils.theme import get_theme
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_tiqa.errors import TiqaError
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.filtering.trial import Trial
from napari_tiqa.jobs.filtering.tune import TuneProgress
from napari_tiqa.jobs.filtering.tuning import Tuning
from napari_tiqa.scoring.table import write_scores
from napari_tiqa.widgets.filtering.state import FilterState
from napari_tiqa.widgets.filtering.tune.form import TuneForm, TuneRequest
from napari_tiqa.widgets.filtering.tune.plot import TunePlot
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.dock_panel import DockPanel


class FilterTuneTab(DockPanel):
    """Finds the best setting of the pipeline's parameters.

    Parameters
    ----------
    state : FilterState
        Pipeline, slice and model that the tabs share.
    viewer : napari.Viewer
        The viewer whose theme is followed.
    """

    def __init__(self, state: FilterState, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(viewer, parent)
        self.state = state
        self.job = BackgroundJob("the tuning")
        self.form = TuneForm()
        self.message = self.form.message
        self.plot = TunePlot()
        self.tuning: Tuning | None = None
        self._request: TuneRequest | None = None
        self._before = state.pipeline
        self._followed: Pipeline | None = None  # what the pipeline is while nobody but the tuning changes it
        self.best_button = QPushButton("Use best")
        self.best_button.setToolTip("Set the pipeline to the best setting found.")
        self.before_button = QPushButton("As before")
        self.before_button.setToolTip("Set the pipeline to what it was before the tuning.")
        self.save_button = QPushButton("Save…")
        self.save_button.setToolTip("Save all settings tried with their scores as a table (CSV).")
        self._lay_out()
        self._connect()
        self.form.show_pipeline(state.pipeline)
        self.form.show_source(state.source)
        self._enable()
        self._follow_theme()

    @property
    def jobs(self) -> tuple[BackgroundJob, ...]:
        """What may be under way."""
        return (self.job,)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        for button in (self.best_button, self.before_button, self.save_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.form)
        layout.addWidget(self.plot, 1)
        layout.addLayout(buttons)

    def _connect(self) -> None:
        self.form.start.chosen.connect(self.state.set_pipeline)
        self.form.tune_clicked.connect(self.tune)
        self.form.cancel_clicked.connect(self.job.cancel)
        self.plot.trial_clicked.connect(self._try)
        self.best_button.clicked.connect(self.use_best)
        self.before_button.clicked.connect(lambda: self.state.set_pipeline(self._before))
        self.save_button.clicked.connect(self._ask_file)
        self.state.pipeline_changed.connect(self._on_pipeline)
        self.state.source_changed.connect(self.form.show_source)
        self.job.state_changed.connect(self.form.show_state)
        self.job.progressed.connect(self._on_progress)
        self.job.ended.connect(self._on_ended)
        self._end_with_dock(self.job)
        self._subscribe(self._viewer.events.theme, self._follow_theme)

    def tune(self) -> bool:
        """Start what the form asks for; False where that cannot start."""
        try:
            request = self.form.request(self.state)
        except TiqaError as error:
            self.message.complain(str(error))
            return False
        if not self.job.start(request.run):
            return False
        self._request, self._before, self._followed = request, self.state.pipeline, self.state.pipeline
        self.tuning = None
        self.plot.begin(request.pipeline, request.variables, request.aim)
        self._enable()
        return True

    def use_best(self) -> None:
        """Set the pipeline to the best setting found."""
        if self.tuning is not None:
            self.state.set_pipeline(self.tuning.best.pipeline)

    def _try(self, trial: Trial) -> None:
        """Show the setting that was clicked, instead of the best so far."""
        self._followed = None
        self.state.set_pipeline(trial.pipeline)

    def _apply(self, trial: Trial) -> None:
        """Set the pipeline to the best so far, unless the user has changed it meanwhile."""
        if self._followed is not None and self._followed == self.state.pipeline:
            self._followed = trial.pipeline
            self.state.set_pipeline(self._followed)

    def _on_pipeline(self, pipeline: Pipeline) -> None:
        self.form.show_pipeline(pipeline)
        self._enable()

    def _on_progress(self, news: TuneProgress) -> None:
        self.plot.add(news)
        self.form.show_progress(news, self.plot.describe(news.best))
        if any(step.on for step in news.best.pipeline.steps):  # else there is nothing better than none yet
            self._apply(news.best)

    def _on_ended(self, outcome: JobOutcome) -> None:
        if outcome.state is JobState.DONE:
            self.tuning = outcome.result
            self.plot.finish(self.tuning)
            self.message.say(" ".join([self.tuning.sentence(), *_of_failures(self.tuning)]))
            self._apply(self.tuning.best)
        elif outcome.state is JobState.FAILED:
            self.message.complain(outcome.message, outcome.error)
        else:
            self.message.say(outcome.message)
        self._followed = None
        self._enable()

    def save(self, path: str | Path) -> None:
        """Save all settings tried as a table (CSV), and the record beside it."""
        if self.tuning is None:
            return
        try:
            write_scores(self.tuning.table(), path)
        except TiqaError as error:
            self.message.complain(str(error))
        else:
            self.message.say(f"Saved {len(self.tuning.trials)} settings in {path}.")

    def _ask_file(self) -> None:
        name = "tuning.csv"
        path, _ = QFileDialog.getSaveFileName(
            self, "Save the settings tried", name, "Table (*.csv);;JSON (*.json)"
        )
        if path:
            self.save(path)

    def _enable(self) -> None:
        self.save_button.setEnabled(self.tuning is not None)
        best = self.tuning.best.pipeline if self.tuning else self.state.pipeline
        self.best_button.setEnabled(best != self.state.pipeline)
        self.before_button.setEnabled(self._request is not None and self._before != self.state.pipeline)

    def _follow_theme(self) -> None:
        self.plot.set_theme(get_theme(self._viewer.theme))


def _of_failures(tuning: Tuning) -> list[str]:
    failures = [trial.failure for trial in tuning.trials if trial.failure]
    of = len(tuning.trials)
    return [f"{len(failures)} of {of} settings could not be tried: {failures[0]}"] if failures else []
