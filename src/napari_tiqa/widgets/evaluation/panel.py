"""The evaluation dock's content: how form, job and results act on one another.

Imported in a background thread (dock_shell.py), since pandas, matplotlib and pyqtgraph take longer to import
than napari's window may stand still.
"""

from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QWidget

from napari_tiqa.errors import TiqaError
from napari_tiqa.learning.evaluation.report import FILES, write_evaluation
from napari_tiqa.widgets.evaluation.form import EvaluationForm
from napari_tiqa.widgets.evaluation.results import EvaluationResults
from napari_tiqa.widgets.host.remembered import remember
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.dock_panel import DockPanel
from napari_tiqa.widgets.shared.forms import DOCK_MARGINS, ask_report_folder, column
from napari_tiqa.wording import counted


class EvaluationPanel(DockPanel):
    """The evaluation dock."""

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(viewer, parent)
        self.job = BackgroundJob("the evaluation")
        self.form = EvaluationForm()
        self.message = self.form.run.message
        self.results = EvaluationResults()
        column(self.form, (self.results, 1), parent=self, margins=DOCK_MARGINS)
        self.form.changed.connect(self.message.retract)
        self.form.run.start_clicked.connect(self.evaluate)
        self.form.run.cancel_clicked.connect(self.job.cancel)
        self.results.save_button.clicked.connect(self._ask_folder)
        self.job.state_changed.connect(self.form.run.show_state)
        self.job.progressed.connect(self.form.show_progress)
        self.job.ended.connect(self._on_ended)
        self._end_with_dock(self.job)
        remember("evaluate", **self.form.baselines)
        self._use_theme(self.results)

    def reset_choices(self) -> None:
        """List models that were trained meanwhile; layers do not matter here."""
        self.form.models.offer()

    def evaluate(self) -> bool:
        """Start what the form asks for; False where that cannot start."""
        try:
            request = self.form.request()
        except TiqaError as error:
            self.message.refuse(str(error))
            return False
        return self.job.run(request)

    def _on_ended(self, outcome: JobOutcome) -> None:
        if outcome.state is JobState.DONE:
            self.results.show_evaluation(outcome.result)
            self.message.say(f"Evaluated on {counted(len(outcome.result.rows), 'image')}.")
        elif outcome.state is JobState.FAILED:
            self.message.complain(outcome.message, outcome.error)
        else:
            self.message.say(outcome.message)

    def save(self, folder: str | Path) -> None:
        """Save tables and figures in a folder; those of an earlier evaluation are replaced."""
        if self.results.evaluation is None:
            return
        try:
            files = write_evaluation(self.results.evaluation, folder)
        except TiqaError as error:
            self.message.complain(str(error))
        else:
            self.message.say(f"Saved {', '.join(file.name for file in files)} in {folder}.")

    def _ask_folder(self) -> None:
        if folder := ask_report_folder(self, "Save the evaluation", FILES):
            self.save(folder)
