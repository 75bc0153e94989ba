"""How well the segmentation agrees with the truth: of which slices, which class is mapped, tables, legend."""

import pandas as pd
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_tiqa.segmentation.agreement import IOU_COLOURS, IOU_NAMES, agreement_of
from napari_tiqa.segmentation.classes import Classes
from napari_tiqa.widgets.segmentation.predict.agreement_tables import AgreementTable, ConfusionTable
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel

_SIDE = 11  # px

_COLUMNS = 2


_SHOWN, _ALL = range(2)


class SegmentAgreement(QGroupBox):
    """Shows the confusion matrices of slices; decides nothing."""

    class_changed = Signal(int)  # label value of the class that the IoU map is to be about

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Agreement with the truth", parent)
        self.message = SentenceLabel("What is compared with what, and what stands in the way.")
        self.slices_box = QComboBox()
        self.slices_box.addItems(["the slice shown", "all slices so far"])
        self.slices_box.setToolTip("Which slices the tables below count.")
        self.class_box = QComboBox()
        self.class_box.setToolTip("Of which class the IoU map shows what was found, missed and too much.")
        for box in (self.slices_box, self.class_box):
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.legend = IouLegend()
        self.table = AgreementTable()
        self.confusion = ConfusionTable()
        self._caption = QLabel("Of each class (rows), segmented as (columns):")
        self._details = QWidget()
        self._confusions: dict[int, pd.DataFrame] = {}
        self._index = 0
        self._classes: Classes | None = None
        self._truth_name = ""
        self._lay_out()
        self.slices_box.currentIndexChanged.connect(lambda _: self._draw())
        self.class_box.activated.connect(lambda _: self.class_changed.emit(self.value))
        self.show_problem("")

    def _lay_out(self) -> None:
        inside = QVBoxLayout(self)
        inside.setContentsMargins(8, 6, 8, 6)
        inside.setSpacing(6)
        inside.addWidget(self.message)
        mapped = QHBoxLayout()
        mapped.addWidget(QLabel("IoU map of"))
        mapped.addWidget(self.class_box, 1)
        counted = QHBoxLayout()
        counted.addWidget(QLabel("Count"))
        counted.addWidget(self.slices_box, 1)
        self._caption.setToolTip(self.confusion.toolTip())
        details = QVBoxLayout(self._details)
        details.setContentsMargins(0, 0, 0, 0)
        details.setSpacing(6)
        details.addLayout(mapped)
        details.addWidget(self.legend)
        details.addLayout(counted)
        details.addWidget(self.table)
        details.addWidget(self._caption)
        details.addWidget(self.confusion)
        inside.addWidget(self._details)

    @property
    def value(self) -> int:
        """Label value of the class that the IoU map is about."""
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
        self._details.hide()
        self.setVisible(bool(sentence))

    def show_confusions(self, confusions: dict[int, pd.DataFrame], index: int, truth_name: str) -> None:
        """Show how well slices agree.

        Parameters
        ----------
        confusions : dict
            Slice to ``agreement.confusion_matrix``.
        index : int
            The slice that napari shows.
        truth_name : str
            What the truth is called.
        """
        self._confusions, self._index, self._truth_name = confusions, index, truth_name
        self.show()
        self._draw()

    def _draw(self) -> None:
        whole = self.slices_box.currentIndex() == _ALL
        counted = list(self._confusions.values()) if whole else [self._confusions.get(self._index)]
        there = [one for one in counted if one is not None and one.to_numpy().any()]
        self._details.setVisible(self._classes is not None)
        for table in (self.table, self._caption, self.confusion):
            table.setVisible(bool(there))
        if not there:
            where = "no segmented slice has" if whole else "this slice is not segmented or has no"
            self.message.say(f"Nothing to compare with '{self._truth_name}': {where} labelled pixels.")
            return
        total = there[0] if len(there) == 1 else sum(there[1:], there[0])
        counts = total.to_numpy()
        pixels = int(counts.sum())
        said = f"{len(there)} slices" if whole and len(there) > 1 else f"slice {self._index}"
        if whole and len(there) == 1:
            said = "one slice"
        self.message.say(
            f"Accuracy {counts.trace() / pixels:.3f} over {pixels:,} labelled pixels of '{self._truth_name}' "
            f"in {said}."
        )
        self.table.show_agreement(agreement_of(total))
        self.confusion.show_confusion(total)


class IouLegend(QWidget):
    """A patch of each colour, outlined, since one of them may be that of the ground, with its name."""

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
            grid.addWidget(QLabel(name), row, 2 * column + 1)
            grid.setColumnStretch(2 * column + 1, 1)
        self.setToolTip("Colours of the IoU map; pixels that are not labelled stay transparent.")
