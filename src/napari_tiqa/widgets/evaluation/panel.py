"""The evaluation dock's content: how form, job and results act on one another.

Imported in a background thread (dock_shell.py), since pandas, matplotlib and pyqtgraph take longer to import
than napari's window may stand still.
"""

from pathlib import Path
from typing import Any

from napari.utils.theme import get_theme
from qtpy.QtWidgets import QFileDialog, QMessageBox, QVBoxLayout, QWidget

from napari_tiqa.errors import TiqaError
from napari_tiqa.jobs.learning.evaluate import evaluate
from napari_tiqa.learning.evaluation.report import FILES, write_evaluation
from napari_tiqa.widgets.evaluation.form import EvaluationForm
from napari_tiqa.widgets.evaluation.results import EvaluationResults
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.dock_panel import DockPanel
from napari_tiqa.widgets.shared.dock_style import dock_style, table_style


class EvaluationPanel(DockPanel):
    """Everything in the evaluation dock.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer whose theme is followed.
    """

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(viewer, parent)
        self.job = BackgroundJob("the evaluation")
        self.form = EvaluationForm()
        self.message = self.form.message
        self.results = EvaluationResults()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        layout.setSpacing(6)
        layout.addWidget(self.form)
        layout.addWidget(self.results, 1)
        self.form.evaluate_clicked.connect(self.evaluate)
        self.form.cancel_clicked.connect(self.job.cancel)
        self.results.save_clicked.connect(self._ask_folder)
        self.job.state_changed.connect(self.form.show_state)
        self.job.progressed.connect(self.form.show_progress)
        self.job.ended.connect(self._on_ended)
        self._end_with_dock(self.job)
        self._subscribe(viewer.events.theme, self._follow_theme)
        self._follow_theme()

    def reset_choices(self) -> None:
        """List models that were trained meanwhile; layers do not matter here."""
        self.form.models.offer()

    def evaluate(self) -> bool:
        """Start what the form asks for; False where that cannot start."""
        try:
            request = self.form.request()
        except TiqaError as error:
            self.message.complain(str(error))
            return False
        first, *others = request.models
        return self.job.start(
            lambda progress, cancel: evaluate(
                model=first,
                dataset=request.dataset,
                baselines=request.baselines,
                progress=progress,
                cancel=cancel,
                against=others,
            )
        )

    def _on_ended(self, outcome: JobOutcome) -> None:
        if outcome.state is JobState.DONE:
            self.results.show_evaluation(outcome.result)
            self.message.say(f"Evaluated on {len(outcome.result.rows)} images.")
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
        folder = QFileDialog.getExistingDirectory(self, "Save tables and figures in a folder")
        there = ", ".join(name for name in FILES if folder and (Path(folder) / name).exists())
        question = f"Replace {there} in {folder}?"
        yes = QMessageBox.StandardButton.Yes
        if folder and (not there or QMessageBox.question(self, "Save the evaluation", question) == yes):
            self.save(folder)

    def _follow_theme(self) -> None:
        theme = get_theme(self._viewer.theme)
        self.setStyleSheet(dock_style(theme) + table_style(theme))
        self.results.set_theme(theme)
