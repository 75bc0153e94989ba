"""How well the segmentation agrees with the truth: the slices counted, the class mapped, tables, legend."""

import pandas as pd
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGridLayout, QGroupBox, QLabel, QWidget

from napari_tiqa.segmentation.agreement import IOU_COLOURS, IOU_NAMES, agreement_of
from napari_tiqa.segmentation.classes import Classes
from napari_tiqa.segmentation.trained_on import trained_sentence
from napari_tiqa.widgets.segmentation.predict.agreement_tables import AgreementTable, ConfusionTable
from napari_tiqa.widgets.shared.forms import DOCK_MARGINS, choice_box, column, form_layout
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel

_SIDE = 11  # px
_COLUMNS = 2


class SegmentAgreement(QGroupBox):
    """Shows the confusion matrices of slices; decides nothing."""

    class_changed = Signal(int)  # label value of the class for the IoU map

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Agreement with the truth", parent)
        self.message = SentenceLabel("The overall agreement, or why nothing can be compared.")
        self.caution = SentenceLabel("Slices compared that the model has learned from.")
        self.slices_box = choice_box(
            (("the slice on screen", False), ("all slices so far", True)),
            "The slices that the tables below count.",
        )
        self.class_box = choice_box((), "The class whose found, missed and wrong pixels the IoU map shows.")
        self.legend = IouLegend()
        self.table = AgreementTable()
        self.confusion = ConfusionTable()
        self.setStyleSheet("QTableWidget QHeaderView::section { padding: 4px 0px; }")
        self._caption = QLabel("True class (rows), segmented as (columns):")
        self._caption.setToolTip(self.confusion.toolTip())
        self._details = QWidget()
        self._confusions: dict[int, pd.DataFrame] = {}
        self._index = 0
        self._classes: Classes | None = None
        self._truth_name = ""
        self._trained: set[int] = set()
        choices = form_layout(("IoU map of", self.class_box), self.legend, ("Slices", self.slices_box))
        column(choices, self.table, self._caption, self.confusion, parent=self._details)
        column(self.message, self.caution, self._details, parent=self, margins=DOCK_MARGINS)
        self.slices_box.currentIndexChanged.connect(lambda _: self._draw())
        self.class_box.activated.connect(lambda _: self.class_changed.emit(self.value))
        self.show_problem("")

    @property
    def value(self) -> int:
        """Label value of the class of the IoU map."""
        return int(self.class_box.currentData() or 0)

    def set_classes(self, classes: Classes) -> None:
        """Offer these classes for the IoU map; the last one at first, as the paper's phase of interest."""
        if classes == self._classes:
            return
        self._classes = classes
        self.class_box.clear()
        for value, name in zip(classes.values, classes.names, strict=True):
            self.class_box.addItem(name, value)
        self.class_box.setCurrentIndex(len(classes) - 1)

    def show_problem(self, sentence: str) -> None:
        """Say why nothing is compared, in place of the tables; hide all where there is nothing to say."""
        self._confusions = {}
        self.message.say(sentence, problem=bool(sentence))
        self.caution.hide()
        self._details.hide()
        self.setVisible(bool(sentence))

    def show_confusions(
        self, confusions: dict[int, pd.DataFrame], index: int, truth_name: str, trained: set[int]
    ) -> None:
        """Show how well slices agree, by their ``confusion_matrix``; `index` is the slice on screen.

        Those in `trained` the model has learned from, which a warning says.
        """
        self._confusions, self._index, self._truth_name = confusions, index, truth_name
        self._trained = trained
        self.show()
        self._draw()

    def _draw(self) -> None:
        every: bool = self.slices_box.currentData()
        wanted = self._confusions if every else self._confusions.keys() & {self._index}
        counted = [index for index in wanted if self._confusions[index].to_numpy().any()]
        matrices = [self._confusions[index] for index in counted]
        caution = trained_sentence(sorted(self._trained.intersection(counted)), len(counted))
        self.caution.warn(filter(None, [caution]))
        self.caution.setVisible(bool(caution))
        self._details.setVisible(self._classes is not None)
        for table in (self.table, self._caption, self.confusion):
            table.setVisible(bool(matrices))
        if not matrices:
            where = "no segmented slice has" if every else "this slice is not segmented or has no"
            self.message.say(f"Nothing to compare with '{self._truth_name}': {where} labelled pixels.")
            return
        total = sum(matrices[1:], matrices[0])
        counts = total.to_numpy()
        pixels = int(counts.sum())
        slices = f"slice {self._index}"
        if every:
            slices = f"{len(matrices)} slices" if len(matrices) > 1 else "one slice"
        self.message.say(
            f"Accuracy {counts.trace() / pixels:.3f} over {pixels:,} labelled pixels of '{self._truth_name}' "
            f"in {slices}."
        )
        self.table.show_agreement(agreement_of(total))
        self.confusion.show_confusion(total)


class IouLegend(QWidget):
    """The colours of the IoU map with their names; outlined, as one may be that of the background."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(2)
        for number, (code, name) in enumerate(IOU_NAMES.items()):
            row, column = divmod(number, _COLUMNS)
            patch = QLabel()
            patch.setFixedSize(_SIDE, _SIDE)
            patch.setStyleSheet(f"background: {IOU_COLOURS[code]}; border: 1px solid gray;")
            grid.addWidget(patch, row, 2 * column, Qt.AlignmentFlag.AlignVCenter)
            words = QLabel(name)
            words.setWordWrap(True)
            grid.addWidget(words, row, 2 * column + 1)
            grid.setColumnStretch(2 * column + 1, 1)
        self.setToolTip("Colours of the IoU map; pixels that are not labelled stay transparent.")
