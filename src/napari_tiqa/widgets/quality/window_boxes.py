"""Black and white of the intensity window: found by itself or typed, in the layer's own grey values."""

import math
from typing import Any

import numpy as np
from magicgui.widgets import CheckBox, LineEdit
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QWidget

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.shared.forms import line

_LEAST = 34  # px; a number of four digits in the narrowest dock
_LETTERS = 8


class WindowBoxes(QWidget):
    """A tick for an automatic window, and its two ends with what they are measured in."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.auto = CheckBox(
            text="Auto",
            value=True,
            tooltip="Find the grey values of black and white from a few slices of the whole volume.\n"
            "The layer's contrast limits never change a score.",
        )
        self.low = LineEdit(tooltip="The grey value that counts as black; untick Auto to type it.")
        self.high = LineEdit(tooltip="The grey value that counts as white; untick Auto to type it.")
        self.unit = QLabel()
        self._exact: dict[str, float] = {}  # what the numbers that are shown stand for
        ends = (QLabel("black"), (self.low.native, 1), QLabel("white"), (self.high.native, 1))
        self.setLayout(line(self.auto.native, *ends, self.unit))
        self.auto.changed.connect(self._on_auto)
        for end in (self.low, self.high):
            end.native.setMinimumWidth(_LEAST)
        for box in (self.auto, self.low, self.high):
            box.changed.connect(lambda _: self.changed.emit())
        self._on_auto(True)
        self.show_type(None)

    @property
    def automatic(self) -> bool:
        """Whether the window is found."""
        return bool(self.auto.value)

    def typed(self) -> IntensityWindow | None:
        """Return the typed window, None for an automatic one.

        Raises VolumeError where the fields hold no numbers, or black is not below white.
        """
        if self.automatic:
            return None
        try:
            low, high = (self._exact.get(text) or float(text) for text in (self.low.value, self.high.value))
        except ValueError:
            sentence = "The window needs two numbers, black and white: type them or tick Auto."
            raise VolumeError(sentence) from None
        return IntensityWindow(low, high, "typed")

    def show_window(self, window: IntensityWindow | None) -> None:
        """Show the numbers of an automatic window; typed ones are left alone."""
        if not self.automatic:
            return
        ends = {} if window is None else {end: _brief(end, window) for end in (window.low, window.high)}
        self._exact = {text: end for end, text in ends.items()}
        for box, text in zip((self.low, self.high), [*ends.values()] or ["", ""], strict=True):
            box.value = text
            box.native.setCursorPosition(0)  # where there is no room for all of it, its end is cut off

    def show_type(self, dtype: Any) -> None:
        """Say what the numbers are: grey values of voxels of this type; None where there is no layer."""
        self.unit.setText("" if dtype is None else str(np.dtype(dtype)))
        range_of = "" if dtype is None else _range(np.dtype(dtype))
        self.unit.setToolTip(
            f"Black and white are grey values as the layer's voxels hold them{range_of}, without a unit of\n"
            "their own unless the file's author gave them one (such as attenuation in 1/cm)."
        )

    def _on_auto(self, automatic: bool) -> None:
        for box in (self.low, self.high):
            # Not disabled, which is grey on grey: the window that was found is there to be read.
            box.native.setReadOnly(automatic)
            box.native.setPlaceholderText("auto" if automatic else "type it")


def _brief(value: float, window: IntensityWindow) -> str:
    """Write a grey value with as many digits as tell a thousandth of the window, so that the box has room."""
    decimals = 3 - math.floor(math.log10(window.high - window.low))
    brief = f"{value:.{min(decimals, 12)}f}" if decimals > 0 else f"{value:.0f}"
    return brief if len(brief) <= _LETTERS else f"{value:.4g}"


def _range(dtype: np.dtype[Any]) -> str:
    if dtype.kind not in "iu":
        return ""
    info = np.iinfo(dtype)
    return f" ({info.min} to {info.max})"
