"""What the Tune tab offers where there is no filter yet."""

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_tiqa.filtering.catalogue import FILTERS
from napari_tiqa.filtering.pipeline import Pipeline, Step

_GROUPS = ("Ring removal", "Denoise")


class StartingPoint(QWidget):
    """Offers ring removal and the denoisers, with a pipeline of the one chosen."""

    chosen = Signal(object)  # Pipeline

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        sentence = QLabel("There is no filter yet. Start from")
        sentence.setToolTip("Or add filters in the Steps tab and come back to tune them.")
        self.box = QComboBox()
        for group in _GROUPS:
            for name, one in FILTERS.items():
                if one.group == group:
                    self.box.addItem(f"{group}: {one.title}" if one.title != group else one.title, name)
                    self.box.setItemData(self.box.count() - 1, one.summary, 3)  # Qt.ToolTipRole
        self.box.setToolTip("Ring removal where slices have rings; a denoiser where they are grainy.")
        self.button = QPushButton("Add it")
        self.button.setToolTip("Make a pipeline of this filter, and list its parameters here.")
        row = QHBoxLayout()
        row.addWidget(self.box, 1)
        row.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(sentence)
        layout.addLayout(row)
        self.button.clicked.connect(lambda: self.choose(self.box.currentData()))

    def choose(self, name: str) -> None:
        """Start from a filter."""
        self.chosen.emit(Pipeline([Step(name)]))
