"""The choice of the slices that a job works on: this one, those of a dock's own, or typed ones."""

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QLineEdit, QWidget

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.slice_grammar import SLICES_HELP, slices_of
from napari_tiqa.widgets.shared.forms import line
from napari_tiqa.widgets.shared.slice_source import SliceSource

_THIS, _OWN, _TYPED = range(3)


class SlicesBox(QWidget):
    """Says which slices a job works on: this one, typed ones, or the dock's `own` ("evenly spread")."""

    changed = Signal()

    def __init__(self, own: str, tooltip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.box = QComboBox()
        self.box.addItems(["this slice", own, "these:"])
        self.box.setToolTip(tooltip)
        self.line = QLineEdit()
        self.line.setPlaceholderText("7, 40-60, 0-90:10")
        self.line.setToolTip(f"Slices: {SLICES_HELP}.")
        self.setLayout(line((self.box, 1), (self.line, 1)))
        self.box.currentIndexChanged.connect(self._on_choice)
        self.line.textChanged.connect(lambda _: self.changed.emit())
        self._on_choice(_THIS)

    def show_source(self, source: SliceSource | None) -> None:
        """Name the slice that napari shows."""
        self.box.setItemText(_THIS, f"this one, {source.slice_name}" if source else "this slice")

    def slices(self, source: SliceSource) -> list[int] | None:
        """Return the chosen slices along the source's axis; None for the dock's own choice.

        Raises VolumeError if what was typed does not name slices of the volume.
        """
        if self.box.currentIndex() == _THIS:
            return [source.index]
        if self.box.currentIndex() == _OWN:
            return None
        found = slices_of(self.line.text(), source.volume.slice_count(source.axis))
        if not found:
            raise VolumeError(f"'{self.line.text()}' names no slice of this volume: choose others.")
        return sorted(found)

    def kept(self) -> list[str | int]:
        """Return the choice as it is remembered."""
        return [self.box.currentIndex(), self.line.text()]

    def keep(self, choice: list[Any]) -> None:
        """Choose what was remembered."""
        place, typed = choice
        if place in range(self.box.count()):
            self.line.setText(typed)
            self.box.setCurrentIndex(place)

    def choose(self, typed: str = "") -> None:
        """Choose typed slices, or the dock's own choice where none are given."""
        self.line.setText(typed)
        self.box.setCurrentIndex(_TYPED if typed else _OWN)

    def _on_choice(self, choice: int) -> None:
        self.line.setVisible(choice == _TYPED)
        self.changed.emit()
