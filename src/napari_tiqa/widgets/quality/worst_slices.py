"""The list of a run's worst slices, each in a sentence; a click goes to the slice."""

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from napari_tiqa.scoring.sentence import score_sentence
from napari_tiqa.widgets.quality.parts_plot import FLAG
from napari_tiqa.widgets.quality.score_run import ScoreRun

_COUNT = 20
_SLICE = Qt.ItemDataRole.UserRole


class WorstSlices(QTreeWidget):
    """The lowest scores of one run, worst first."""

    slice_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setColumnCount(2)
        self.setHeaderLabels(["Worst slices", "Score, and why"])
        self.setRootIsDecorated(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.setToolTip(f"The {_COUNT} lowest scores of the selected run; click one to go to the slice.")
        self.itemClicked.connect(lambda item, _: self.slice_clicked.emit(item.data(0, _SLICE)))
        self.itemActivated.connect(lambda item, _: self.slice_clicked.emit(item.data(0, _SLICE)))

    def sizeHint(self) -> QSize:
        """Return a height of about five rows."""
        return QSize(230, 118)

    def show_run(self, run: ScoreRun | None) -> None:
        """List this run's worst slices in place of those listed."""
        self.clear()
        if run is None:
            return
        for row in run.worst(_COUNT):
            place = f"{row.slice}"
            if run.unit != "pixel":
                place += f"  ({row.position:.4g} {run.unit})"
            sentence = score_sentence(row)
            item = QTreeWidgetItem([place, f"{FLAG} {sentence}" if row.flagged else sentence])
            item.setData(0, _SLICE, row.slice)
            item.setToolTip(1, f"slice {row.slice}: {sentence} (score {row.score:.2f})")
            self.addTopLevelItem(item)
