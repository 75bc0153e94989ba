"""The buttons of the training dock, the progress of its job, and what it says; the job's state drives all."""

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QPushButton, QWidget

from napari_tiqa.learning.progress import TrainProgress
from napari_tiqa.widgets.background_job import JobState
from napari_tiqa.widgets.job_bar import JobBar
from napari_tiqa.widgets.sentence_label import SentenceLabel
from napari_tiqa.widgets.time_left import time_left

STAGE_NAMES = {"generate": "Making data", "rank": "Ranking", "regress": "Regression", "judge": "Judging"}
"""What people call the stages of ``TrainProgress``."""


class TrainingControls(QWidget):
    """Warnings; preview, train, cancel; progress and message."""

    preview_clicked = Signal()
    train_clicked = Signal()
    cancel_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.warnings = SentenceLabel("What may spoil the result, before any time is spent on it.")
        self.warnings.hide()
        self.preview_button = QPushButton("Preview")
        self.preview_button.setToolTip(
            "Show the sixteen versions of the first original, or of the selected one, with the scores\n"
            "that the training will teach, as a layer."
        )
        self.train_button = QPushButton("Train")
        self.train_button.setToolTip(
            "Make the distorted versions, rank them, then learn the scores, in a process of its own:\n"
            "napari can be used meanwhile, also to score."
        )
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Stop training; the best network so far is kept as a model.")
        self.bar = JobBar("The stage under way, and the time left for all of them.")
        self.message = SentenceLabel("What the dock is doing, and how the last training ended.", lines=2)
        self._lay_out()
        self.preview_button.clicked.connect(self.preview_clicked)
        self.train_button.clicked.connect(self.train_clicked)
        self.cancel_button.clicked.connect(self.cancel_clicked)
        self.show_state(JobState.IDLE)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(4)
        grid.addWidget(self.warnings, 0, 0, 1, 3)
        for column, button in enumerate((self.preview_button, self.train_button, self.cancel_button)):
            grid.addWidget(button, 1, column)
            grid.setColumnStretch(column, 1)
        grid.addWidget(self.bar, 2, 0, 1, 3)
        grid.addWidget(self.message, 3, 0, 1, 3)
        grid.setRowMinimumHeight(2, self.bar.sizeHint().height())  # nothing jumps when the bar appears

    def show_state(self, state: JobState) -> None:
        """Enable what can be done in a state, and nothing else."""
        self.train_button.setEnabled(not state.busy)
        self.preview_button.setEnabled(not state.busy)
        self.cancel_button.setEnabled(state.cancellable)
        self.bar.show_state(state)
        if state is JobState.STARTING:
            self.message.say("Starting; Keras needs some seconds…")
        elif state is JobState.CANCELLING:
            self.bar.setRange(0, 0)  # moves to and fro: how long is not known
            self.message.say("Stopping, and keeping the best network so far…")

    def show_preview_state(self, state: JobState) -> None:
        """Make one preview at a time."""
        self.preview_button.setEnabled(not state.busy)

    def show_progress(self, news: TrainProgress) -> None:
        """Show stage, epoch, images done and time left."""
        stage = STAGE_NAMES[news.stage]
        if news.epochs:
            stage += f", epoch {min(news.epoch + 1, news.epochs)} of {news.epochs}"
        text = f"{stage}   {time_left(news.seconds_left)}"
        self.bar.show_done(news.images_done, max(news.images, 1), text)
        self.message.say(f"{stage}: {news.images_done} of {news.images} images.")

    def show_warnings(self, sentences: list[str]) -> None:
        """Show what may spoil the result, a line each; nothing where there is nothing."""
        self.warnings.warn(sentences)
        self.warnings.setVisible(bool(sentences))
