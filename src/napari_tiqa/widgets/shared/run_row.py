"""What starts a job in a dock: its buttons, progress and message, all driven by the job's state."""

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QProgressBar, QPushButton, QSizePolicy, QWidget

from napari_tiqa.progress import Progress
from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.forms import button, column, line
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel


class RunRow(QWidget):
    """A button that starts a job, one that cancels it, a bar and a sentence.

    `parts` names a part of the work, in the plural ("slices"); `starting` and `stopping` are sentences while
    the job starts and is being cancelled, none where empty; room is kept for `lines` of sentences. A `low`
    row has the bar beside the buttons, and never more than these lines. The
    buttons `others` stand before the start button and can be pressed while no job is under way. A `status`
    stands beside the bar; the cancel button then stands there too, and `others` after the start button.
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
        low: bool = False,
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
        self.message = SentenceLabel(message_tooltip, lines=lines, fixed=low)
        beside = [(other, 1) for other in others]
        if low:
            rows = [line(*beside, (self.start_button, 2), (self.cancel_button, 1), (self.bar, 3))]
        elif status is None:
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


class JobBar(QProgressBar):
    """Moves to and fro until the first part is done, then shows how much is; its text never widens a dock."""

    def __init__(self, tooltip: str) -> None:
        super().__init__()
        self.setToolTip(tooltip)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_state(self, state: JobState) -> None:
        """Appear and go with the job."""
        self.setVisible(state.busy)
        if state is JobState.STARTING:
            self.show_busy()

    def show_busy(self) -> None:
        """Move to and fro."""
        self.setRange(0, 0)

    def show_done(self, done: int, total: int, text: str) -> None:
        """Show how many parts are done, and that in words."""
        self.setRange(0, total)
        self.setValue(done)
        self.setFormat(text)


def time_left(seconds: float | None) -> str:
    """Return "12 s left", "3 min left" or "2 h 5 min left"; empty where it is not known yet."""
    if seconds is None or seconds != seconds:
        return ""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s left"
    minutes = round(seconds / 60)
    return f"{minutes} min left" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min left"
