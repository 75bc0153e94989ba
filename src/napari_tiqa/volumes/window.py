"""The intensity window: the one grey range of a tomogram that its slices are scored in."""

import math
from dataclasses import dataclass

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
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise VolumeError(
                f"The intensity window {self.low:g} to {self.high:g} cannot be used: "
                "give two finite grey values, the lower one first."
            )
