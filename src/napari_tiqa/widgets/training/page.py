"""What a dock or tab that trains has to do whatever it trains: start, follow, end, offer to resume."""

from typing import Any

from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_tiqa.errors import TiqaError, TrainingError
from napari_tiqa.widgets.host.task_manager import tell_of
from napari_tiqa.widgets.shared.background_job import JobOutcome, JobState
from napari_tiqa.widgets.shared.dock_panel import DockPanel
from napari_tiqa.widgets.shared.forms import button, line
from napari_tiqa.widgets.shared.result_layers import unwrapped
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel
from napari_tiqa.widgets.training.ask_before_closing import ask_before_closing
from napari_tiqa.widgets.training.controls import TrainingControls
from napari_tiqa.widgets.training.job import Training, TrainingJob
from napari_tiqa.widgets.training.runs import TrainingRun, has_epochs, is_interrupted


class TrainingPage(DockPanel):
    """Starts trainings, and shows the one under way, also one that was begun while this page was closed.

    What is trained, and how it looks, is a subclass's; it calls `_follow_job` once it is built. The job, of
    one kind of training, outlives the page.
    """

    def __init__(
        self, viewer: Any, job: TrainingJob, controls: TrainingControls, parent: QWidget | None = None
    ) -> None:
        super().__init__(viewer, parent)
        self.job = job
        self.controls = controls
        self.message = controls.message
        self.offer = TrainingOffer()
        self._subscribe(viewer.layers.events.removed, self._on_removed)

    # -- what a subclass says ----------------------------------------------------------------------

    def _request(self) -> Training:
        """Return what is to be trained, frozen; raises TiqaError where it cannot be."""
        raise NotImplementedError

    def _resumed(self, run: TrainingRun) -> Training:
        """Return what resumes a run; raises TiqaError or OSError where that cannot be."""
        raise NotImplementedError

    def _draw_epochs(self, run: TrainingRun) -> None:
        """Draw the epochs that a run has done so far; raises TrainingError where they cannot be read."""
        raise NotImplementedError

    def _where_stopped(self, run: TrainingRun) -> str:
        """Say how far a run came: "after epoch 3 of 8"; raises TrainingError where that cannot be read."""
        raise NotImplementedError

    def _show_progress(self, progress: Any) -> None:
        """Show a report of the job under way."""
        raise NotImplementedError

    def _draw_progress(self, progress: Any) -> None:
        """Draw the epoch that a report ends."""
        raise NotImplementedError

    def _show_model(self, run: TrainingRun, outcome: JobOutcome) -> None:
        """Show a model that is ready."""
        raise NotImplementedError

    def _show_begun(self) -> None:
        """Make room for a training that begins."""
        raise NotImplementedError

    def _allow_changes(self, allowed: bool) -> None:
        """Freeze the form while a training uses it."""
        raise NotImplementedError

    # -- starting ----------------------------------------------------------------------------------

    def train(self) -> bool:
        """Start the training that the form describes; False where that cannot start."""
        try:
            request = self._request()
            if request.run.output.exists() and not self._may_replace(request.run):
                return False
            self._start(request)
        except TiqaError as error:
            self.message.refuse(str(error))
            return False
        return True

    def resume(self) -> bool:
        """Resume the interrupted training that is offered; False where that cannot start."""
        run = self.offer.run
        if run is None:
            return False
        try:
            self._start(self._resumed(run))
        except OSError as error:
            self.message.complain(f"{run.folder} cannot be read ({error.strerror}); train again.")
            return False
        except TiqaError as error:
            self.message.complain(str(error))
            return False
        return True

    def _start(self, request: Training) -> None:
        tell_of(self.job, self._viewer, self.job.interrupt)
        self.job.train(request)  # before the guard: it refuses a second training
        ask_before_closing(self, self.job)
        self._show_job()

    def _may_replace(self, run: TrainingRun) -> bool:
        question = f"{run.output} exists already. Replace it?"
        return QMessageBox.question(self, "Replace model", question) == QMessageBox.StandardButton.Yes

    # -- while it runs, and its end ----------------------------------------------------------------

    def _follow_job(self) -> None:
        """Follow the job from now on, and show where it is."""
        self.controls.start_clicked.connect(self.train)
        self.controls.cancel_clicked.connect(self.job.cancel)
        self.offer.resume_button.clicked.connect(self.resume)
        self.offer.dismiss_button.clicked.connect(self._dismiss)
        # Slots of this object: Qt disconnects them by itself when the dock is gone and the job goes on.
        self.job.state_changed.connect(self._on_state)
        self.job.progressed.connect(self._on_progress)
        self.job.ended.connect(self._on_ended)
        self._offer_interrupted()
        self._show_job()

    def close_down(self) -> None:
        """Let go of the viewer: the dock was closed. A training goes on; a dock opened again shows it."""
        super().close_down()
        self.job.state_changed.disconnect(self._on_state)
        self.job.progressed.disconnect(self._on_progress)
        self.job.ended.disconnect(self._on_ended)

    def showEvent(self, event: QShowEvent) -> None:
        """Guard this window too: the training may have been begun in another one."""
        super().showEvent(event)
        ask_before_closing(self, self.job)

    def _show_job(self) -> None:
        """Show where the job is, also one that was begun, or has ended, while this dock was closed."""
        self._on_state(self.job.state)
        if self.job.request is None:
            return
        run = self.job.request.run
        if self.job.state.busy:
            self.offer.show_run(None, "")
            self._show_begun()
        try:
            self._draw_epochs(run)
        except TrainingError as error:
            self.message.complain(str(error))
        if self.job.state.busy and self.job.latest is not None:
            self._show_progress(self.job.latest)
        elif self.job.outcome is not None and self.job.outcome.result is not None:
            self._show_model(run, self.job.outcome)

    def _on_state(self, state: JobState) -> None:
        self._allow_changes(not state.busy)
        self.controls.show_state(state)
        self.offer.setEnabled(not state.busy)

    def _on_progress(self, progress: Any) -> None:
        if self.job.state is JobState.RUNNING:
            self._show_progress(progress)
        if progress.warnings:
            self.controls.show_warnings(list(self.job.warnings))
        self._draw_progress(progress)

    def _on_ended(self, outcome: JobOutcome) -> None:
        assert self.job.request is not None
        run = self.job.request.run
        if outcome.state is JobState.FAILED:
            self.message.complain(outcome.message, outcome.error)
        elif outcome.result is None:
            self.message.say("Cancelled before the first epoch had ended: there is no model yet.")
        else:
            self._show_model(run, outcome)
        if has_epochs(run):
            self._offer(run)

    def _on_removed(self, event: Any) -> None:
        before = self.job.warnings
        self.job.note_removed(unwrapped(event.value))
        if self.job.warnings != before:
            self.controls.show_warnings(list(self.job.warnings))

    # -- interrupted trainings ---------------------------------------------------------------------

    def _offer_interrupted(self) -> None:
        """Offer the latest training that ended without a model, as when napari or the machine went down."""
        if self.job.state.busy:
            return
        for run in self.job.runs.all():
            if is_interrupted(run):
                self._offer(run)
                return

    def _offer(self, run: TrainingRun) -> None:
        try:
            where = self._where_stopped(run)
        except TrainingError:
            return
        self.offer.show_run(run, f"The training of '{run.name}' stopped {where}.")

    def _dismiss(self) -> None:
        if self.offer.run is not None:
            self.job.runs.forget(self.offer.run)
            self.offer.show_run(None, "")


class TrainingOffer(QWidget):
    """An interrupted training, to resume or not."""

    def __init__(self) -> None:
        super().__init__()
        self.run: TrainingRun | None = None
        self.text = SentenceLabel("A training that stopped before its model was finished.")
        self.resume_button = button("Resume", "Continue after the last finished epoch.")
        self.dismiss_button = button("Dismiss", "Do not offer this training again; its files stay.")
        self.setLayout(line((self.text, 1), self.resume_button, self.dismiss_button))
        self.hide()

    def show_run(self, run: TrainingRun | None, sentence: str) -> None:
        """Offer a run; None takes the offer back."""
        self.run = run
        self.text.setText(sentence)
        self.setVisible(run is not None)
