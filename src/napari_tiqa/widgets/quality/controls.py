"""The run row of the quality dock: score all slices, score or map this one; where the network runs."""

from qtpy.QtWidgets import QSizePolicy, QWidget
from superqt import QElidingLabel

from napari_tiqa.jobs.quality.measure import MeasureProgress
from napari_tiqa.jobs.quality.score_run import ScoreProgress
from napari_tiqa.widgets.quality.form import VIEW_WORDS
from napari_tiqa.widgets.shared.forms import button
from napari_tiqa.widgets.shared.run_row import RunRow, time_left


class ScoreControls(RunRow):
    """Three buttons that start a run; progress, message and device."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self.slice_button = button("Score this slice", "Score only the slice that the slider is on.")
        self.map_button = button(
            "Map this slice",
            "Show as a layer where in this slice quality is lost: the quality map, from overlapping tiles\n"
            "of its own pixels, from violet (1, worst) over green to yellow (5, best).",
        )
        self.device = QElidingLabel()
        self.device.setToolTip("Where the network runs: a GPU wherever Keras finds one, else the CPU.")
        super().__init__(
            "Score all slices",
            "Score every slice of the layer along the chosen axis.",
            "Stop; the slices scored so far are kept, marked as partial.",
            parts="slices (or tiles of a map)",
            others=(self.slice_button, self.map_button),
            status=self.device,
            parent=parent,
        )
        for starter in (self.start_button, self.slice_button, self.map_button):
            starter.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def _enable(self) -> None:
        super()._enable()
        for starter in (self.slice_button, self.map_button):
            starter.setEnabled(self.start_button.isEnabled())

    def show_scoring(self, progress: ScoreProgress, asked: int) -> None:
        """Show how many of the slices are scored in the view under way, and the time left for the run."""
        text = f"{VIEW_WORDS[progress.view]}: {progress.scored} of {asked}"
        left = time_left(progress.seconds_left)
        self.bar.show_done(progress.done, progress.total, f"{text}   {left}".rstrip())

    def show_measuring(self, progress: MeasureProgress) -> None:
        """Show how many slices are measured."""
        self.show_progress(progress, parts="slices")

    def show_device(self, device: str) -> None:
        """Show where the network runs."""
        self.device.setText(device or "Model is starting…")
