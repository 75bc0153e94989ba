"""The lower half of the Study tab: sentence, plots and tables of a study, and the version to look at."""

from napari.utils.theme import Theme
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QLabel, QWidget

from napari_tiqa.jobs.study.figures import f1_figure, measures_figure, two_point_figure
from napari_tiqa.jobs.study.result import Study
from napari_tiqa.segmentation.native_distortions import VERSIONS
from napari_tiqa.widgets.segmentation.fitting_tabs import FittingTabs
from napari_tiqa.widgets.segmentation.study.tables import CorrelationTable, VersionTable, version_name
from napari_tiqa.widgets.shared.figure_view import FigureView
from napari_tiqa.widgets.shared.forms import button, choice_box, column, line, quietly
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel


class SegmentStudyResults(QWidget):
    """Shows a study, or the part of one that is done."""

    version_clicked = Signal(str, int)  # distortion and level to look at
    save_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.found: Study | None = None
        self.caption = SentenceLabel("What was studied.")
        self.caution = SentenceLabel("Slices that the segmentation model has learned from.")
        self.sentence = SentenceLabel("How the score goes with F1, within each distortion and pooled.")
        self.slice_box = choice_box([], "What plots and table show: the means over the slices, or one slice.")
        self.distortion_box = choice_box([], "The distortion whose levels are shown.")
        self.levels = FigureView(
            "Score, F1, IoU and mean uncertainty at each level of each distortion; level 0 is the slice as\n"
            "it is. Thin lines are single slices, thick ones their means, or one slice.",
            least=(240, 300),
        )
        self.f1 = FigureView("Each version: its score and the F1 of its segmentation.", least=(240, 260))
        self.two_point = FigureView(
            "How likely two points at a distance are both in the phase, by how likely one point is: along x\n"
            "above, along y below. The thick line is the labels' own; coloured ones, dark to light, are the\n"
            "segmentations of levels 0 to 5. At each line's end stands the score.",
            least=(240, 360),
            usual=(380, 400),
        )
        self.correlations, self.versions = CorrelationTable(), VersionTable()
        self.tabs = FittingTabs()
        self.version_box = choice_box([], "Which version to look at, of the slice chosen above.")
        self.show_button = button(
            "Show layers",
            "Show the distorted slice, its segmentation and its uncertainty (hidden at first) as layers.",
            lambda: self.version_clicked.emit(*self.version_box.currentData()),
        )
        self.save_button = button(
            "Save tables and figures…",
            "Save a row for each version, correlations and two-point correlations (CSV), the figures (PNG)\n"
            "and the record (JSON) in a folder; asks before it replaces any.",
            self.save_clicked.emit,
        )
        self._lay_out()
        self.slice_box.currentIndexChanged.connect(lambda _: self._draw())
        self.distortion_box.currentIndexChanged.connect(lambda _: self._draw())
        self.hide()

    @property
    def index(self) -> int | None:
        """The slice that is shown; None for the mean over all."""
        return self.slice_box.currentData()

    def show_study(self, found: Study, caption: str) -> None:
        """Show a study in place of the one shown; the caption says what was studied."""
        self.found = None  # nothing is drawn while the choices change
        self.slice_box.clear()  # so that the mean is chosen, where there are several slices
        self._take(found)
        self.caption.say(caption)
        self.caution.warn(filter(None, [found.caution()]))
        self.caution.setVisible(bool(found.caution()))
        self.sentence.say(found.sentence())
        self.correlations.show_study(found)
        self._fill(self.distortion_box, [(kind, kind) for kind in found.distortions])
        present = set(zip(found.table["distortion"], found.table["level"], strict=True))
        chosen = [version for version in VERSIONS if version in present]
        self._fill(self.version_box, [(version_name(*version), version) for version in chosen])
        for widget in self._of_finished:
            widget.show()
        self._draw()

    def show_so_far(self, found: Study) -> None:
        """Draw the versions that are done while a study goes on."""
        self._take(found)
        for widget in (*self._of_finished, self.caution):
            widget.hide()
        self._draw()

    def set_busy(self, busy: bool) -> None:
        """Offer to look at a version and to save, or not."""
        self.show_button.setEnabled(not busy)
        self.save_button.setEnabled(not busy)

    def set_theme(self, theme: Theme) -> None:
        """Take napari's colours."""
        for plot in (self.levels, self.f1, self.two_point):
            plot.set_theme(theme)

    def _take(self, found: Study) -> None:
        self.found = found
        slices = [int(index) for index in found.table["slice"].unique()]
        means = [(f"mean of {len(slices)} slices", None)] if len(slices) > 1 else []
        self._fill(self.slice_box, [*means, *((f"slice {index}", index) for index in slices)])
        self.slice_box.setVisible(len(slices) > 1)
        self.show()

    def _draw(self) -> None:
        """Show what is chosen; a figure that is not seen is drawn once its page is turned to."""
        found, index = self.found, self.index
        if found is None:
            return
        self.levels.show_figure(lambda sheet: measures_figure(found, index, sheet))
        self.f1.show_figure(lambda sheet: f1_figure(found, index, sheet))
        if found.curves and self.distortion_box.count():
            kinds = [self.distortion_box.currentData()]
            self.two_point.show_figure(lambda sheet: two_point_figure(found, kinds, index, sheet))
        table = found.table
        self.versions.show_versions(table if index is None else table[table["slice"] == index])

    def _fill(self, box: QComboBox, items: list[tuple[str, object]]) -> None:
        """Offer items; what was chosen stays chosen where it is still there."""
        before = box.currentText()
        if [box.itemText(row) for row in range(box.count())] == [text for text, _ in items]:
            return
        with quietly(box):
            box.clear()
            for text, data in items:
                box.addItem(text, data)
            box.setCurrentIndex(max(0, box.findText(before)))

    def _lay_out(self) -> None:
        for title, parts in {
            "Levels": [self.levels],
            "F1 and score": [self.f1],
            "Two-point": [self.distortion_box, self.two_point],
            "Tables": [self.correlations, self.versions],
        }.items():
            page = QWidget()
            column(*parts, parent=page).setContentsMargins(0, 4, 0, 0)
            self.tabs.add(title, page)
        look = QWidget()
        look.setLayout(line(QLabel("Look at"), (self.version_box, 1), self.show_button))
        self._of_finished = (self.caption, self.sentence, look, self.save_button)
        texts = self.caption, self.sentence, self.caution
        column(*texts, self.slice_box, (self.tabs, 1), look, self.save_button, parent=self)
