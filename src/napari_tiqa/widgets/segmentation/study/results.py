"""The lower half of the Study tab: sentence, plots and tables of a study, and the version to look at."""

from collections.abc import Iterable

from napari.utils.theme import Theme
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_tiqa.jobs.study.result import Study
from napari_tiqa.learning.images.distortions import DISTORTIONS
from napari_tiqa.segmentation.native_distortions import ORIGINAL, VERSIONS
from napari_tiqa.widgets.segmentation.study.plots import F1Plot, LevelsPlot, TwoPointPlot
from napari_tiqa.widgets.segmentation.study.tables import CorrelationTable, VersionTable, version_name
from napari_tiqa.widgets.shared.colours import colour_of
from napari_tiqa.widgets.shared.dock_style import table_style
from napari_tiqa.widgets.shared.fitting_tabs import FittingTabs
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel

_LEVELS, _F1, _TWO_POINT, _TABLES = range(4)
_MARKS = {"blur": "■", "noise": "▼", "ring": "●", ORIGINAL: "★"}


class SegmentStudyResults(QWidget):
    """Shows a study, or the part of one that is done."""

    version_clicked = Signal(str, int)  # distortion and level to look at
    save_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.found: Study | None = None
        self.caption = SentenceLabel("What was studied.")
        self.sentence = SentenceLabel("How the score goes with F1, within each distortion and pooled.")
        self.slice_box = QComboBox()
        self.slice_box.setToolTip("Whose values plots and table show: the means over the slices, or one.")
        self.distortion_box = QComboBox()
        self.distortion_box.setToolTip("The distortion whose levels are shown.")
        self.legend = QLabel()
        self.legend.setToolTip("What the colours stand for.")
        self.two_point_legend = QLabel()
        self.two_point_legend.setWordWrap(True)
        self.two_point_legend.setToolTip("What the colours stand for.")
        self.levels, self.f1, self.two_point = LevelsPlot(), F1Plot(), TwoPointPlot()
        self.correlations, self.versions = CorrelationTable(), VersionTable()
        self.tabs = FittingTabs()
        self.version_box = QComboBox()
        self.version_box.setToolTip("Which version to look at, of the slice chosen above.")
        self.show_button = QPushButton("Show layers")
        self.show_button.setToolTip(
            "Show the distorted slice, its segmentation and its uncertainty (hidden at first) as layers."
        )
        self.save_button = QPushButton("Save tables and figures…")
        self.save_button.setToolTip(
            "Save a row for each version, correlations and two-point correlations (CSV), the figures (PNG)\n"
            "and the record (JSON) in a folder; asks before it replaces any."
        )
        self._lay_out()
        self.slice_box.currentIndexChanged.connect(lambda _: self._draw())
        self.distortion_box.currentIndexChanged.connect(lambda _: self._draw())
        self.tabs.currentChanged.connect(lambda _: self._draw())
        self.show_button.clicked.connect(lambda: self.version_clicked.emit(*self.version_box.currentData()))
        self.save_button.clicked.connect(self.save_clicked)
        self.hide()

    @property
    def index(self) -> int | None:
        """The slice that is shown; None for the mean over all."""
        return self.slice_box.currentData()

    def show_study(self, found: Study, caption: str) -> None:
        """Show a study in place of the one shown.

        Parameters
        ----------
        found : Study
            What was found.
        caption : str
            Of what, for people.
        """
        self.found = None  # nothing is drawn while the choices change
        self.slice_box.clear()  # so that the mean is chosen, where there are several slices
        self._take(found)
        self.caption.say(caption)
        self.sentence.say(found.sentence())
        self.correlations.show_study(found)
        self._fill(self.distortion_box, [(kind, kind) for kind in found.distortions])
        there = set(zip(found.table["distortion"], found.table["level"], strict=True))
        chosen = [version for version in VERSIONS if version in there]
        self._fill(self.version_box, [(version_name(*version), version) for version in chosen])
        for widget in self._of_finished:
            widget.show()
        self._draw()

    def show_so_far(self, found: Study) -> None:
        """Draw the versions that are done while a study goes on."""
        self._take(found)
        for widget in self._of_finished:
            widget.hide()
        self._draw()

    def set_busy(self, busy: bool) -> None:
        """Offer to look at a version and to save, or not."""
        for button in (self.show_button, self.save_button):
            button.setEnabled(not busy)

    def set_theme(self, theme: Theme) -> None:
        """Take napari's colours."""
        for plot in (self.levels, self.f1, self.two_point):
            plot.set_theme(theme)
        self.setStyleSheet(table_style(theme))
        self._write_legends()

    def _take(self, found: Study) -> None:
        self.found = found
        slices = [int(index) for index in found.table["slice"].unique()]
        means = [(f"mean of {len(slices)} slices", None)] if len(slices) > 1 else []
        self._fill(self.slice_box, [*means, *((f"slice {index}", index) for index in slices)])
        self.slice_box.setVisible(len(slices) > 1)
        self.show()

    def _draw(self) -> None:
        """Draw the page that is seen; the others are drawn when they are turned to."""
        found, page = self.found, self.tabs.currentIndex()
        if found is None:
            return
        if page == _LEVELS:
            self.levels.show_study(found, self.index)
        elif page == _F1:
            self.f1.show_study(found, self.index)
        elif page == _TWO_POINT and found.curves and self.distortion_box.count():
            self.two_point.show_study(found, self.distortion_box.currentData(), self.index)
        elif page == _TABLES:
            table = found.table
            self.versions.show_versions(table if self.index is None else table[table["slice"] == self.index])

    def _write_legends(self) -> None:
        kinds = (*DISTORTIONS, ORIGINAL)
        marked = ((f"{_MARKS[kind]} {kind}", colour_of("" if kind == ORIGINAL else kind)) for kind in kinds)
        self.legend.setText(_coloured(marked))
        self.two_point_legend.setText(
            _coloured((f"━ {name}", colour) for name, colour in self.two_point.legend())
        )

    def _fill(self, box: QComboBox, items: list[tuple[str, object]]) -> None:
        """Offer items; what was chosen stays chosen where it is still there."""
        before = box.currentText()
        if [box.itemText(row) for row in range(box.count())] == [text for text, _ in items]:
            return
        blocked = box.blockSignals(True)
        box.clear()
        for text, data in items:
            box.addItem(text, data)
        box.setCurrentIndex(max(0, box.findText(before)))
        box.blockSignals(blocked)

    def _lay_out(self) -> None:
        for box in (self.slice_box, self.distortion_box, self.version_box):
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.tabs.add("Levels", _page(self.levels))
        self.tabs.add("F1 and score", _page(self.f1))
        self.tabs.add("Two-point", _page(self.distortion_box, self.two_point_legend, self.two_point))
        self.tabs.add("Tables", _page(self.correlations, self.versions))
        self.legend.setAlignment(Qt.AlignmentFlag.AlignCenter)
        look = QWidget()
        row = QHBoxLayout(look)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Look at"))
        row.addWidget(self.version_box, 1)
        row.addWidget(self.show_button)
        self._of_finished = (self.caption, self.sentence, look, self.save_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for widget in (self.caption, self.sentence, self.slice_box, self.legend):
            layout.addWidget(widget)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(look)
        layout.addWidget(self.save_button)


def _page(*widgets: QWidget) -> QWidget:
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 4, 0, 0)
    column.setSpacing(6)
    for widget in widgets:
        column.addWidget(widget)
    return page


def _coloured(items: Iterable[tuple[str, str]]) -> str:
    return "&nbsp; ".join(f'<span style="color:{colour}">{text}</span>' for text, colour in items)
