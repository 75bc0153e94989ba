"""The Tune tab: how form, job, plot and the shared pipeline act on one another."""

from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QWidget

from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.filtering.trial import Trial
from napari_tiqa.jobs.filtering.tune import TuneProgress
from napari_tiqa.jobs.filtering.tuning import Tuning
from napari_tiqa.widgets.filtering.state import FilterState
from napari_tiqa.widgets.filtering.trial_tab import TrialTab
from napari_tiqa.widgets.filtering.tune.form import TuneForm
from napari_tiqa.widgets.filtering.tune.plot import TunePlot
from napari_tiqa.widgets.host.remembered import remember
from napari_tiqa.widgets.shared.background_job import JobOutcome
from napari_tiqa.widgets.shared.forms import button


class FilterTuneTab(TrialTab):
    """Finds the best setting of the pipeline's parameters."""

    def __init__(self, state: FilterState, viewer: Any, parent: QWidget | None = None) -> None:
        form, plot = TuneForm(), TunePlot()
        super().__init__(state, viewer, "the tuning", form, plot, parent)
        self.form, self.plot = form, plot
        self.tuning: Tuning | None = None
        self._before: Pipeline | None = None  # what the pipeline was before the tuning
        self._followed: Pipeline | None = None  # what the pipeline is while nobody but the tuning changes it
        self.best_button = button("Use best", "Set the pipeline to the best setting found.", self.use_best)
        self.before_button = button(
            "Restore previous",
            "Set the pipeline to what it was before the tuning.",
            self.restore,
        )
        self.save_button = button(
            "Save…",
            "Save all settings tried with their scores as a table (CSV).",
            lambda: self._ask_file(
                "Save the settings tried", "tuning.csv", "Table (*.csv);;JSON (*.json)", self.save
            ),
        )
        self._lay_out(self.best_button, self.before_button, self.save_button)
        remember("tune", method=form.method_box, trials=form.trials_box)
        self.form.start.chosen.connect(state.set_pipeline)
        self.plot.trial_clicked.connect(self._try)
        state.pipeline_changed.connect(self._enable)
        self._enable()

    def use_best(self) -> None:
        """Set the pipeline to the best setting found."""
        if self.tuning is not None:
            self.state.set_pipeline(self.tuning.best.pipeline)

    def restore(self) -> None:
        """Set the pipeline to what it was before the tuning."""
        if self._before is not None:
            self.state.set_pipeline(self._before)

    def save(self, path: str | Path) -> None:
        """Save all settings tried as a table (CSV), and the record beside it."""
        if self.tuning is not None:
            count = len(self.tuning.trials)
            self._save_table(self.tuning.table(), path, f"Saved {count} settings in {path}.")

    def _begin(self, request: "partial[Any]") -> None:
        self._before = self._followed = self.state.pipeline
        self.tuning = None
        _volume, pipeline, varied = request.args
        self.plot.begin(pipeline, varied, request.keywords["aim"])
        self._enable()

    def _try(self, trial: Trial) -> None:
        """Show the setting that was clicked, instead of the best so far."""
        self._followed = None
        self.state.set_pipeline(trial.pipeline)

    def _apply(self, trial: Trial) -> None:
        """Set the pipeline to the best so far, unless the user has changed it or turned to another layer."""
        unchanged = self._followed is not None and self._followed == self.state.pipeline
        if unchanged and self._is_of_the_layer_shown:
            self._followed = trial.pipeline
            self.state.set_pipeline(trial.pipeline, self)

    def _on_progress(self, progress: TuneProgress) -> None:
        self.plot.add(progress)
        self.form.run_row.show_progress(progress, f"Best so far: {self.plot.describe(progress.best)}.")
        if any(step.on for step in progress.best.pipeline.steps):  # else nothing is better than no filter yet
            self._apply(progress.best)

    def _show_result(self, result: Tuning) -> None:
        self.tuning = result
        self.plot.finish(result)
        sentence = " ".join([result.sentence(), *_failures(result)])
        if not self._is_of_the_layer_shown:
            sentence = f"Of '{self.job.layer.name}', not applied here: {sentence}"
        self.message.say(sentence)
        self._apply(result.best)

    def _on_ended(self, outcome: JobOutcome) -> None:
        super()._on_ended(outcome)
        if outcome.layer_gone and self._before is not None and self._followed == self.state.pipeline:
            self.state.set_pipeline(self._before)  # what was best of a layer is not tried on another
        self._followed = None
        self._enable()

    def _enable(self, _changed: object = None) -> None:
        self.save_button.setEnabled(self.tuning is not None)
        best = self.tuning.best.pipeline if self.tuning else self.state.pipeline
        self.best_button.setEnabled(best != self.state.pipeline)
        self.before_button.setEnabled(self._before not in (None, self.state.pipeline))


def _failures(tuning: Tuning) -> list[str]:
    failures = [trial.failure for trial in tuning.trials if trial.failure]
    of = len(tuning.trials)
    return [f"{len(failures)} of {of} settings could not be tried: {failures[0]}"] if failures else []
