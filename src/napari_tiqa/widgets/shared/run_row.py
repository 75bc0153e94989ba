"""What starts a job in a dock: its buttons, progress and message, all driven by the job's state."""

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton, QWidget

from napari_tiqa.progress import Progress
from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.forms import button, column, line
from napari_tiqa.widgets.shared.job_bar import JobBar, time_left
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel


class RunRow(QWidget):
    """A button that starts a job, one that cancels it, a bar and a sentence.

    Parameters
    ----------
    start : str
        What the button that starts the job says: "Tune".
    tooltip : str
        What pressing it does.
    cancel_tooltip : str
        What is kept after a cancel.
    parts : str
        What a part of the work is, in the plural: "slices".
    message_tooltip : str
        What the sentence is about.
    lines : int
        Room is kept for so many lines of it.
    starting, stopping : str
        Sentences while the job starts and while it is being cancelled; none where empty.
    others : sequence of QPushButton
        Before the start button; they can be pressed while no job is under way.
    status : QWidget, optional
        Stands beside the bar; the cancel button then stands there too, and `others` after the start button.

    Attributes
    ----------
    start_button, cancel_button : QPushButton
    bar : JobBar
    message : SentenceLabel
    """

    start_clicked = Signal()
    cancel_clicked = Signal()

    def __init__(
        self,
        start: str,
        tooltip: str,
        cancel_tooltip: str,
        *,
        parts: str,
        message_tooltip: str = "What is being done, and how the last run ended.",
        lines: int = 2,
        starting: str = "",
        stopping: str = "Stopping…",
        others: Sequence[QPushButton] = (),
        status: QWidget | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._parts = parts
        self._starting, self._stopping = starting, stopping
        self._others = others
        self._ready = True
        self.state = JobState.IDLE
        self.start_button = button(start, tooltip, self.start_clicked.emit)
        self.cancel_button = button("Cancel", cancel_tooltip, self.cancel_clicked.emit)
        self.bar = JobBar(f"{parts[0].upper()}{parts[1:]} done, and time remaining.")
        policy = self.bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # nothing jumps when the bar appears
        self.bar.setSizePolicy(policy)
        self.message = SentenceLabel(message_tooltip, lines=lines)
        beside = [(other, 1) for other in others]
        if status is None:
            rows = [line(*beside, (self.start_button, 2), (self.cancel_button, 1)), self.bar]
        else:
            rows = [
                line((self.start_button, 1), *beside),
                line((self.bar, 3), (status, 2), self.cancel_button),
            ]
        column(*rows, self.message, parent=self)
        self.show_state(JobState.IDLE)

    def set_ready(self, ready: bool) -> None:
        """Say whether there is all that the job needs."""
        self._ready = ready
        self._enable()

    def show_state(self, state: JobState) -> None:
        """Enable what can be done in a state, and nothing else."""
        self.state = state
        self._enable()
        self.bar.show_state(state)
        if state is JobState.STARTING and self._starting:
            self.message.say(self._starting)
        elif state is JobState.CANCELLING:
            self.bar.show_busy()  # how long it takes is not known
            self.message.say(self._stopping)

    def show_progress(self, progress: Progress, sentence: str = "", parts: str = "") -> None:
        """Show how much is done, the time left and, where given, a sentence; `parts` of this job alone."""
        done = f"{progress.done} of {progress.total} {parts or self._parts}"
        text = f"{done}   {time_left(progress.seconds_left)}"
        self.bar.show_done(progress.done, progress.total, text.rstrip())
        if sentence:
            self.message.say(sentence)

    def _enable(self) -> None:
        self.start_button.setEnabled(self._ready and not self.state.busy)
        for other in self._others:
            other.setEnabled(not self.state.busy)
        self.cancel_button.setEnabled(self.state.cancellable)
