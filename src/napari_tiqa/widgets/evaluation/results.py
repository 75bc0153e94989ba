"""The lower half of the evaluation dock: table, scatter and box plots of an evaluation."""

from napari.utils.theme import Theme
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedLayout,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_tiqa.learning.evaluation.comparison import Evaluation
from napari_tiqa.widgets.evaluation.plots import LevelPlot, ScatterPlot
from napari_tiqa.widgets.evaluation.table import MEASURES, EvaluationTable, measures_in
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel

_HINT = (
    "<b>No evaluation yet</b><br>Tick the models, choose a dataset and press “Evaluate”.<br><br>"
    "A dataset is made by <i>napari-tiqa generate</i>, by a training, or by rating images."
)


class EvaluationResults(QWidget):
    """Shows an evaluation."""

    save_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.evaluation: Evaluation | None = None
        self.measure_box = QComboBox()
        self.measure_box.setToolTip("What the table shows; point at a cell to read all measures.")
        self.measure_meaning = SentenceLabel("What this measure means.")
        self.table = EvaluationTable()
        self.judged_box = QComboBox()
        self.judged_box.setToolTip("Whose scores the plots show.")
        self.plot_box = QComboBox()
        self.plot_box.addItems(["against labels", "at each level"])
        self.plot_box.setToolTip("Scores against labels (as the paper's Fig. 3), or at each level (Fig. 4).")
        self.agreement = SentenceLabel("How well these scores and the labels agree, over all images.")
        self.scatter = ScatterPlot()
        self.levels = LevelPlot()
        self.notes = SentenceLabel("What has to be known to read the result.")
        self.save_button = QPushButton("Save tables and figures…")
        self.save_button.setToolTip(
            "Save all measures, a row for each image with everybody's score (CSV), the record (JSON), and\n"
            "scatter and box plots of everybody judged (PNG) in a folder; asks before it replaces any."
        )
        self._lay_out()
        self.measure_box.currentIndexChanged.connect(lambda _: self._show_measure())
        self.judged_box.currentIndexChanged.connect(lambda _: self._show_judged())
        self.save_button.clicked.connect(self.save_clicked)
        self._stack.setCurrentIndex(0)

    def show_evaluation(self, evaluation: Evaluation) -> None:
        """Show an evaluation in place of the one shown."""
        self.evaluation = evaluation
        for box in (self.measure_box, self.judged_box):
            box.blockSignals(True)
        chosen = self.measure_box.currentData()
        self.measure_box.clear()
        for measure in measures_in(evaluation.table):
            self.measure_box.addItem(MEASURES[measure][0], measure)
        self.measure_box.setCurrentIndex(max(0, self.measure_box.findData(chosen)))
        self.judged_box.clear()
        self.judged_box.addItems(list(evaluation.titles))
        for box in (self.measure_box, self.judged_box):
            box.blockSignals(False)
        self.notes.setText("\n".join([*evaluation.notes, *_shrink_sentence(evaluation)]))
        self._stack.setCurrentIndex(1)
        self._show_measure()
        self._show_judged()

    def set_theme(self, theme: Theme) -> None:
        """Take napari's colours."""
        self.scatter.set_theme(theme)
        self.levels.set_theme(theme)

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
        scores = evaluation.scores(title)
        self.scatter.show_scores(evaluation.rows, scores)
        self.levels.show_scores(evaluation.rows, scores)
        pooled = evaluation.table[evaluation.table["judged"] == title].iloc[-1]
        self.agreement.setText(
            f"{pooled['family'].capitalize()}: SROCC {pooled['srocc']:.2f}, PLCC {pooled['plcc']:.2f}, RMSE "
            f"{pooled['rmse']:.2f} over {pooled['images']} images."
        )

    def _lay_out(self) -> None:
        measure = QFormLayout()
        measure.addRow("Measure", self.measure_box)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 4, 0, 0)
        column.addLayout(measure)
        column.addWidget(self.measure_meaning)
        column.addWidget(self.table)
        column.addWidget(self.notes)
        column.addStretch(1)
        judged = QHBoxLayout()
        judged.addWidget(QLabel("Scores by"))
        judged.addWidget(self.judged_box, 1)
        judged.addWidget(self.plot_box)
        self.judged_box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        plots = QWidget()
        either = QStackedWidget()
        either.addWidget(self.scatter)
        either.addWidget(self.levels)
        self.plot_box.currentIndexChanged.connect(either.setCurrentIndex)
        column = QVBoxLayout(plots)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        column.addLayout(judged)
        column.addWidget(self.agreement)
        column.addWidget(either, 1)
        self.tabs = QTabWidget()
        self.tabs.addTab(page, "Table")
        self.tabs.addTab(plots, "Plots")
        shown = QWidget()
        column = QVBoxLayout(shown)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.tabs, 1)
        column.addWidget(self.save_button)
        hint = QLabel(_HINT)
        hint.setWordWrap(True)
        hint.setAlignment(hint.alignment().AlignCenter)
        hint.setToolTip("Table and plots appear here.")
        self._stack = QStackedLayout(self)
        self._stack.addWidget(hint)
        self._stack.addWidget(shown)


def _shrink_sentence(evaluation: Evaluation) -> list[str]:
    if not len(evaluation.shrink):
        return []
    difference = evaluation.shrink["difference"]
    return [
        f"Native tiles of {len(difference)} large slices score {difference.mean():+.2f} points on average "
        f"against the shrunk slice ({difference.min():+.2f} to {difference.max():+.2f})."
    ]
