"""The buttons of the quality dock, the progress of its job, and what it says; the job's state drives all."""

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QWidget,
)
from superqt import QElidingLabel

from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.job_bar import JobBar, time_left
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel


class ScoreControls(QWidget):
    """Score, score this slice, map it, cancel; progress, message and device."""

    score_clicked = Signal()
    slice_clicked = Signal()
    map_clicked = Signal()
    cancel_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.score_button = QPushButton("Score all slices")
        self.score_button.setToolTip("Score every slice of the layer along the chosen axis.")
        self.slice_button = QPushButton("Score this slice")
        self.slice_button.setToolTip("Score only the slice that the slider is on.")
        self.map_button = QPushButton("Quality map of this slice")
        self.map_button.setToolTip(
            "Show as a layer where in this slice quality is lost: overlapping tiles at native resolution,\n"
            "from violet (1, worst) over green to yellow (5, best)."
        )
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Stop; the slices scored so far are kept, marked as partial.")
        self.bar = JobBar("Slices (of a map: tiles) done so far, and the time that the others will take.")
        self.message = SentenceLabel("What the dock is doing, and how the last run ended.", lines=2)
        self.device = QElidingLabel()
        self.device.setToolTip("Where the network runs: a GPU wherever Keras finds one, else the CPU.")
        self._can_score = False
        self._state = JobState.IDLE
        self._lay_out()
        self.score_button.clicked.connect(self.score_clicked)
        self.slice_button.clicked.connect(self.slice_clicked)
        self.map_button.clicked.connect(self.map_clicked)
        self.cancel_button.clicked.connect(self.cancel_clicked)
        self.show_state(JobState.IDLE)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(4)
        for column, button in enumerate((self.score_button, self.slice_button, self.map_button)):
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            grid.addWidget(button, 0, column)
        progress = QHBoxLayout()
        progress.addWidget(self.bar, 3)
        progress.addWidget(self.device, 2)
        progress.addWidget(self.cancel_button)
        grid.addLayout(progress, 1, 0, 1, 3)
        grid.addWidget(self.message, 2, 0, 1, 3)
        grid.setRowMinimumHeight(1, self.bar.sizeHint().height())  # nothing jumps when the bar appears
        for column, stretch in enumerate((5, 5, 8)):
            grid.setColumnStretch(column, stretch)

    def allow_scoring(self, allowed: bool) -> None:
        """Say whether there is a layer to score."""
        self._can_score = allowed
        self.show_state(self._state)

    def show_state(self, state: JobState) -> None:
        """Enable what can be done in a state, and nothing else."""
        self._state = state
        self.score_button.setEnabled(self._can_score and not state.busy)
        self.slice_button.setEnabled(self._can_score and not state.busy)
        self.map_button.setEnabled(self._can_score and not state.busy)
        self.cancel_button.setEnabled(state.cancellable)
        self.bar.show_state(state)

    def show_progress(self, done: int, total: int, seconds_left: float | None) -> None:
        """Show slices or tiles done and time left."""
        self.bar.show_done(done, total, f"{done} of {total}   {time_left(seconds_left)}")

    def show_device(self, device: str) -> None:
        """Show where the network runs."""
        self.device.setText(f"Runs on {device}" if device else "Model is starting…")
