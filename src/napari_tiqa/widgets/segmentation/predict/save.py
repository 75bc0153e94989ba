"""The Segment tab's buttons that save its table and its curves."""

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_tiqa.widgets.segmentation.plot import SegmentPlot
from napari_tiqa.widgets.segmentation.predict.slice_table import SliceTable
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.forms import ask_save_path, button, line


class SegmentSave(QWidget):
    """Asks for a place and writes the plot there, or the table of the slices now (None: there is none)."""

    saved = Signal(str)  # sentence
    problem = Signal(str, object)  # sentence, and the error where the fault is ours

    def __init__(
        self, plot: SegmentPlot, table: Callable[[], SliceTable | None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.job = BackgroundJob("saving the table")
        self.csv_button = button(
            "Save CSV…",
            "Save a table with a row for each slice: uncertainty, share of each class, score, and, with a\n"
            "truth, IoU, F1, accuracy and confusion matrix.",
            lambda: self._ask_path("csv", "Table (*.csv)", self.save_csv),
        )
        self.png_button = button(
            "Save plot…",
            "Save the curves as a PNG picture, large enough to print.",
            lambda: self._ask_path("png", "Picture (*.png)", self.save_png),
        )
        self._plot = plot
        self._table = table
        self._stem = "segmented"
        self._saved_to = ""
        self.setLayout(line((self.csv_button, 1), (self.png_button, 1)))
        self.job.ended.connect(self._on_saved)

    def offer(self, name: str, *, curves: bool) -> None:
        """Appear: results of an image of this name can be saved, `curves` if it has several slices."""
        self._stem = f"{name} segmented"
        self.png_button.setVisible(curves)
        self.show()

    def save_csv(self, path: str) -> None:
        """Write the table of the slices; a file of that name is replaced."""
        table = self._table()
        if table is not None and self.job.start(lambda report, cancel: table.save(Path(path))):
            self._saved_to = path

    def save_png(self, path: str) -> None:
        """Write the curves as a picture; a file of that name is replaced."""
        try:
            self._plot.save_png(path)
        except OSError as error:
            self.problem.emit(f"The plot could not be saved ({error}); choose another place.", None)
        else:
            self.saved.emit(f"Curves saved to {path}.")

    def _on_saved(self, outcome: JobOutcome) -> None:
        if outcome.state is JobState.DONE:
            self.saved.emit(f"Table saved to {self._saved_to}.")
        elif outcome.state is JobState.FAILED:
            self.problem.emit(outcome.message, outcome.error)

    def _ask_path(self, suffix: str, kind: str, save: Callable[[str], None]) -> None:
        if path := ask_save_path(self, "Save", f"{self._stem}.{suffix}", kind):
            save(path)
