"""The intensity window: the one grey range of a tomogram that its slices are scored in."""

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any

from napari_tiqa.errors import VolumeError


@dataclass(frozen=True)
class IntensityWindow:
    """Grey values from `low` to `high`, which a slice is scored in.

    Attributes
    ----------
    low, high : float
        In the volume's own grey values, finite, low < high.
    rule : str
        How it was found, for the record kept with the scores.

    Raises
    ------
    VolumeError
        `low` is not below `high`, or one of them is not finite.
    """

    low: float
    high: float
    rule: str

    def __post_init__(self) -> None:
        """Refuse a window that no slice can be scored in."""
        numbers = isinstance(self.low, Real) and isinstance(self.high, Real)
        if not (numbers and math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            ends = f"{self.low:g} to {self.high:g}" if numbers else f"{self.low!s:.40} to {self.high!s:.40}"
            raise VolumeError(
                f"The intensity window {ends} cannot be used: "
                "give two finite grey values, the lower one first."
            )


def as_window(window: Any) -> IntensityWindow | None:
    """Turn what a caller gives as ``window`` into an IntensityWindow; None is none.

    Parameters
    ----------
    window : IntensityWindow, sequence or array of two numbers, or None
        Grey values, the lower one first.

    Raises
    ------
    VolumeError
        If it is anything else.
    """
    if window is None or isinstance(window, IntensityWindow):
        return window
    try:
        ends: Any = () if isinstance(window, str | bytes | dict) else window
        low, high = ends
    except (TypeError, ValueError):
        shown = " ".join(repr(window).split())
        raise VolumeError(
            f"window={shown:.60} is not an intensity window: give two grey values, the lower one first."
        ) from None
    return IntensityWindow(low, high, rule="given")
