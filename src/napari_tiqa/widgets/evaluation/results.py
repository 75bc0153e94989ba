"""The lower half of the evaluation dock: table, scatter and box plots of an evaluation."""

from napari.utils.theme import Theme
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QStackedLayout, QTabWidget, QWidget

from napari_tiqa.learning.evaluation.comparison import Evaluation
from napari_tiqa.learning.evaluation.figures import box_figure, scatter_figure
from napari_tiqa.learning.evaluation.residuals import residual_sentence
from napari_tiqa.widgets.evaluation.table import MEASURES, EvaluationTable, measures_in
from napari_tiqa.widgets.shared.figure_view import FigureView
from napari_tiqa.widgets.shared.forms import (
    STRETCH,
    TAB_MARGINS,
    button,
    choice_box,
    form_layout,
    line,
    page,
    quietly,
)
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel

_HINT = (
    "<b>No evaluation yet</b><br>Tick the models, choose a dataset and press “Evaluate”.<br><br>"
    "A dataset is made by <i>napari-tiqa generate</i>, by a training, or by rating images."
)


class EvaluationResults(QWidget):
    """Shows an evaluation."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.evaluation: Evaluation | None = None
        self.measure_box = choice_box([], "What the table shows; point at a cell to read all measures.")
        self.measure_meaning = SentenceLabel("What this measure means.")
        self.table = EvaluationTable()
        self.judged_box = choice_box([], "Whose scores the plots show.")
        self.plot_box = choice_box(
            [("against labels", scatter_figure), ("at each level", box_figure)],
            "Scores against labels (as the paper's Fig. 3), or at each level (Fig. 4).",
        )
        self.agreement = SentenceLabel("How well these scores and the labels agree, over all images.")
        self.plot = FigureView(
            "Against labels: each image by its label and its score, which are equal on the line.\n"
            "At each level: the box holds the middle half of the scores, its line is the median, the\n"
            "whiskers reach 1.5 boxes further, dots are outliers, diamonds the mean labels."
        )
        self.notes = SentenceLabel("What to know when reading the result.")
        self.save_button = button(
            "Save tables and figures…",
            "Save all measures, a row for each image with all scores, the residuals of each specimen and\n"
            "artefact (CSV), the record (JSON), and scatter and box plots of each model and baseline (PNG)\n"
            "in a folder; asks before replacing any.",
        )
        self._lay_out()
        self.measure_box.currentIndexChanged.connect(lambda _: self._show_measure())
        for box in (self.judged_box, self.plot_box):
            box.currentIndexChanged.connect(lambda _: self._show_judged())

    def show_evaluation(self, evaluation: Evaluation) -> None:
        """Show an evaluation in place of the one shown."""
        self.evaluation = evaluation
        with quietly(self.measure_box), quietly(self.judged_box):
            chosen = self.measure_box.currentData()
            self.measure_box.clear()
            for measure in measures_in(evaluation.table):
                self.measure_box.addItem(MEASURES[measure][0], measure)
            self.measure_box.setCurrentIndex(max(0, self.measure_box.findData(chosen)))
            self.judged_box.clear()
            self.judged_box.addItems(list(evaluation.titles))
        notes = [*evaluation.notes, residual_sentence(evaluation.residuals), *_shrink_sentence(evaluation)]
        self.notes.setText("\n".join(filter(None, notes)))
        self._stack.setCurrentIndex(1)
        self._show_measure()
        self._show_judged()

    def set_theme(self, theme: Theme) -> None:
        """Take napari's colours."""
        self.plot.set_theme(theme)

    def _show_measure(self) -> None:
        measure = self.measure_box.currentData()
        if self.evaluation is not None and measure is not None:
            meaning = MEASURES[measure][1]
            self.measure_meaning.setText(f"{meaning[0].upper()}{meaning[1:]}. Below: 95 % interval.")
            self.table.show_measure(self.evaluation.table, measure)

    def _show_judged(self) -> None:
        evaluation, title = self.evaluation, self.judged_box.currentText()
        if evaluation is None or title not in evaluation.titles:
            return
        draw = self.plot_box.currentData()
        self.plot.show_figure(lambda sheet: draw(evaluation, [title], sheet))
        pooled = evaluation.table[evaluation.table["judged"] == title].iloc[-1]
        self.agreement.setText(
            f"{pooled['family'].capitalize()}: rank correlation {pooled['srocc']:.2f}, linear correlation "
            f"{pooled['plcc']:.2f}, error {pooled['rmse']:.2f} points over {pooled['images']} images."
        )

    def _lay_out(self) -> None:
        measure = form_layout(("Measure", self.measure_box))
        table = page(measure, self.measure_meaning, self.table, self.notes, STRETCH, margins=TAB_MARGINS)
        judged = line(QLabel("Scores by"), (self.judged_box, 3), (self.plot_box, 2))
        self.tabs = QTabWidget()
        self.tabs.addTab(table, "Table")
        self.tabs.addTab(page(judged, self.agreement, (self.plot, 1), margins=TAB_MARGINS), "Plots")
        hint = QLabel(_HINT)
        hint.setWordWrap(True)
        hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        hint.setToolTip("Table and plots appear here.")
        self._stack = QStackedLayout(self)
        self._stack.addWidget(hint)
        self._stack.addWidget(page((self.tabs, 1), self.save_button))


def _shrink_sentence(evaluation: Evaluation) -> list[str]:
    if not len(evaluation.shrink):
        return []
    difference = evaluation.shrink["difference"]
    return [
        f"Native tiles of {len(difference)} large slices score {difference.mean():+.2f} points on average "
        f"against the shrunk slice ({difference.min():+.2f} to {difference.max():+.2f})."
    ]
