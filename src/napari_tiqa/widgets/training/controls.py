"""The buttons of a training, the progress of its job, and what it says; the job's state drives all."""

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QPushButton, QWidget

from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.job_bar import JobBar, time_left
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel


class TrainingControls(QWidget):
    """Warnings; train, cancel; progress and message.

    Parameters
    ----------
    train_tooltip : str
        What pressing "Train" does.
    others : sequence of QPushButton
        Before "Train"; they can be pressed while no training is under way.
    """

    train_clicked = Signal()
    cancel_clicked = Signal()

    def __init__(
        self, train_tooltip: str, others: Sequence[QPushButton] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.warnings = SentenceLabel("What may spoil the result, before any time is spent on it.")
        self.warnings.hide()
        self._others = others
        self.train_button = QPushButton("Train")
        self.train_button.setToolTip(train_tooltip)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Stop training; the best network so far is kept as a model.")
        self.bar = JobBar("The stage under way, and the time left for all of them.")
        self.message = SentenceLabel("What the dock is doing, and how the last training ended.", lines=2)
        self._lay_out()
        self.train_button.clicked.connect(self.train_clicked)
        self.cancel_button.clicked.connect(self.cancel_clicked)
        self.show_state(JobState.IDLE)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(4)
        buttons = (*self._others, self.train_button, self.cancel_button)
        for column, button in enumerate(buttons):
            grid.addWidget(button, 1, column)
            grid.setColumnStretch(column, 1)
        for row, widget in ((0, self.warnings), (2, self.bar), (3, self.message)):
            grid.addWidget(widget, row, 0, 1, len(buttons))
        grid.setRowMinimumHeight(2, self.bar.sizeHint().height())  # nothing jumps when the bar appears

    def show_state(self, state: JobState) -> None:
        """Enable what can be done in a state, and nothing else."""
        for button in (self.train_button, *self._others):
            button.setEnabled(not state.busy)
        self.cancel_button.setEnabled(state.cancellable)
        self.bar.show_state(state)
        if state is JobState.STARTING:
            self.message.say("Starting; Keras needs some seconds…")
        elif state is JobState.CANCELLING:
            self.bar.setRange(0, 0)  # moves to and fro: how long is not known
            self.message.say("Stopping, and keeping the best network so far…")

    def show_progress(
        self,
        stage: str,
        done: int,
        total: int,
        of_what: str,
        seconds_left: float | None,
        epoch: int = 0,
        epochs: int = 0,
    ) -> None:
        """Show stage, parts done and time left.

        Parameters
        ----------
        stage : str
            What people call it.
        done, total : int
            Parts of the stage.
        of_what : str
            What a part is, in the plural: "images".
        seconds_left : float or None
            Of the whole training; None while that is not known.
        epoch, epochs : int
            Epochs done and in all; 0 where the stage has none.
        """
        if epochs:
            stage += f", epoch {min(epoch + 1, epochs)} of {epochs}"
        self.bar.show_done(done, max(total, 1), f"{stage}   {time_left(seconds_left)}")
        self.message.say(f"{stage}: {done} of {total} {of_what}.")

    def show_warnings(self, sentences: list[str]) -> None:
        """Show what may spoil the result, a line each; nothing where there is nothing."""
        self.warnings.warn(sentences)
        self.warnings.setVisible(bool(sentences))
