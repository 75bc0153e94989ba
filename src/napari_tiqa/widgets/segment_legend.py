"""The legend of an IoU map: what each colour means."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget

from napari_tiqa.segmentation.iou_map import IOU_COLOURS, IOU_NAMES

_SIDE = 11  # px
_COLUMNS = 2


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
