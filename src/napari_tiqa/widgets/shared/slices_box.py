"""The choice of the slices that a job works on: this one, those of a dock's own, or typed ones."""

import re

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QWidget

from napari_tiqa.errors import VolumeError
from napari_tiqa.widgets.shared.slice_source import SliceSource

_THIS, _OWN, _TYPED = range(3)
_PART = re.compile(r"(\d+)(?:\s*[-–:]\s*(\d+)(?:\s*:\s*(\d+))?)?")


class SlicesBox(QWidget):
    """Says which slices of the source a job works on.

    Parameters
    ----------
    own : str
        The dock's own choice, beside this slice and typed ones: "a few, evenly spread".
    tooltip : str
        What is done with the slices.
    """

    changed = Signal()

    def __init__(self, own: str, tooltip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.box = QComboBox()
        self.box.addItems(["this slice", own, "these:"])
        self.box.setToolTip(tooltip)
        self.line = QLineEdit()
        self.line.setPlaceholderText("12, 40-60, 0-90:10")
        self.line.setToolTip("Numbers of slices: 12, 40-60 (both included), 0-90:10 (every tenth).")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.box, 1)
        layout.addWidget(self.line, 1)
        self.box.currentIndexChanged.connect(self._on_choice)
        self.line.textChanged.connect(lambda _: self.changed.emit())
        self._on_choice(_THIS)

    def show_source(self, source: SliceSource | None) -> None:
        """Name the slice that napari shows."""
        self.box.setItemText(_THIS, f"this one, {source.slice_name}" if source else "this slice")

    def slices(self, source: SliceSource) -> list[int] | None:
        """Return the chosen slices along the source's axis; None for the dock's own choice.

        Raises
        ------
        VolumeError
            If what was typed are no slices of the volume.
        """
        if self.box.currentIndex() == _THIS:
            return [source.index]
        if self.box.currentIndex() == _OWN:
            return None
        return typed_slices(self.line.text(), source.volume.slice_count(source.axis))

    def choose(self, typed: str = "") -> None:
        """Choose typed slices, or the dock's own choice where none are given."""
        self.line.setText(typed)
        self.box.setCurrentIndex(_TYPED if typed else _OWN)

    def _on_choice(self, choice: int) -> None:
        self.line.setVisible(choice == _TYPED)
        self.changed.emit()


def typed_slices(text: str, count: int) -> list[int]:
    """Return the slices that a text names, in order and none twice.

    Parameters
    ----------
    text : str
        Numbers and ranges with commas between: "12, 40-60, 0-90:10". Both ends of a range are included.
    count : int
        How many slices there are.

    Raises
    ------
    VolumeError
        If it names none, or one that is not there.
    """
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        if match is None or match[3] == "0":
            raise VolumeError(f"'{text}' names no slices: write such as 12, 40-60, 0-90:10.")
        first = int(match[1])
        last = first if match[2] is None else int(match[2])
        found.update(range(first, last + 1, int(match[3] or 1)))
        if not first <= last < count:
            raise VolumeError(
                f"'{part.strip()}' names slices that are not there: choose from 0 to {count - 1}."
            )
    return sorted(found)
