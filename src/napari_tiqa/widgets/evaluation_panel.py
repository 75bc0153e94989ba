"""The evaluation dock's content: how form, job and results act on one another.

Imported in a background thread (dock_shell.py), since pandas, matplotlib and pyqtgraph take longer to import
than napari's window may stand still.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from napari.utils.notifications import notification_manager, show_error
from napari.utils.theme import get_theme
from qtpy.QtWidgets import QApplication, QFileDialog, QMessageBox, QVBoxLayout, QWidget

from napari_tiqa.errors import TiqaError
from napari_tiqa.jobs.evaluate import evaluate_model
from napari_tiqa.learning.evaluation_report import FILES, write_evaluation
from napari_tiqa.widgets.background_job import BackgroundJob, JobOutcome
from napari_tiqa.widgets.dock_style import dock_style
from napari_tiqa.widgets.evaluation_form import EvaluationForm
from napari_tiqa.widgets.evaluation_results import EvaluationResults
from napari_tiqa.widgets.evaluation_table import table_style
from napari_tiqa.widgets.scoring_job import JobState


class EvaluationPanel(QWidget):
    """Everything in the evaluation dock.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer whose theme is followed.
    """

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.job = BackgroundJob("the evaluation")
        self.form = EvaluationForm()
        self.results = EvaluationResults()
        self._subscriptions: list[tuple[Any, Callable[..., None]]] = []
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
        QApplication.instance().aboutToQuit.connect(self.job.abandon)
        theme = viewer.events.theme
        theme.connect(self._follow_theme)
        self._subscriptions.append((theme, self._follow_theme))
        # napari's closing window deletes its docks; this widget's own methods are not called any more then.
        self.destroyed.connect(partial(_let_go, self.job, self._subscriptions))
        self._follow_theme()

    def close_down(self) -> None:
        """Cancel an evaluation and let go of the viewer: the dock was closed."""
        _let_go(self.job, self._subscriptions)

    def reset_choices(self) -> None:
        """List models that were trained meanwhile; layers do not matter here."""
        self.form.models.offer()

    def evaluate(self) -> bool:
        """Start what the form asks for; False where that cannot start."""
        try:
            request = self.form.request()
        except TiqaError as error:
            self._complain(str(error))
            return False
        first, *others = request.models
        return self.job.start(
            lambda progress, cancel: evaluate_model(
                first, request.dataset, request.baselines, progress, cancel, against=others
            )
        )

    def _on_ended(self, outcome: JobOutcome) -> None:
        if outcome.state is JobState.DONE:
            self.results.show_evaluation(outcome.result)
            self.form.say(f"Evaluated on {len(outcome.result.rows)} images.")
        elif outcome.state is JobState.FAILED:
            self._complain(outcome.message, outcome.error)
        else:
            self.form.say(outcome.message)

    def save(self, folder: str | Path) -> None:
        """Save tables and figures in a folder; those of an earlier evaluation are replaced."""
        if self.results.evaluation is None:
            return
        try:
            files = write_evaluation(self.results.evaluation, folder)
        except TiqaError as error:
            self._complain(str(error))
        else:
            self.form.say(f"Saved {', '.join(file.name for file in files)} in {folder}.")

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Save tables and figures in a folder")
        there = ", ".join(name for name in FILES if folder and (Path(folder) / name).exists())
        question = f"Replace {there} in {folder}?"
        yes = QMessageBox.StandardButton.Yes
        if folder and (not there or QMessageBox.question(self, "Save the evaluation", question) == yes):
            self.save(folder)

    def _complain(self, sentence: str, error: Exception | None = None) -> None:
        self.form.say(sentence, problem=True)
        if error is not None:
            notification_manager.receive_error(type(error), error, error.__traceback__)
        else:
            show_error(sentence)

    def _follow_theme(self) -> None:
        theme = get_theme(self._viewer.theme)
        self.setStyleSheet(dock_style(theme) + table_style(theme))
        self.results.set_theme(theme)


def _let_go(job: BackgroundJob, subscriptions: list[tuple[Any, Callable[..., None]]], *_: object) -> None:
    job.cancel()
    for emitter, callback in subscriptions:
        emitter.disconnect(callback)
    subscriptions.clear()
