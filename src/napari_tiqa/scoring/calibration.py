"""How far to trust a model, learned from images that it was not trained on."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import expit

_ARRAYS = ("knots", "expected", "half_widths", "direction")


@dataclass(frozen=True)
class Calibration:
    """How far to trust a model's scores.

    `knots`, shape (k,), rising, are raw scores of the network, 1..5; `expected`, never falling, the mean
    label of left-out specimens at each; `half_widths`, points, how far from that nine of ten of these labels
    lie at most. Where no specimen was left out, `expected` are the knots themselves and `half_widths` NaN.
    `direction`, shape (f,), weights the content features; with `offset` it makes the logarithm of the odds
    that an image is not a slice of the kind that the model was trained on.
    """

    knots: np.ndarray
    expected: np.ndarray
    half_widths: np.ndarray
    direction: np.ndarray
    offset: float

    def score(self, raw: np.ndarray) -> np.ndarray:
        """Return the scores to expect for raw ones of the network, which are too moderate."""
        return np.interp(raw, self.knots, self.expected)

    def uncertainty(self, raw: np.ndarray) -> np.ndarray:
        """Return half the width of the 90 % interval, points, around the score for each raw one."""
        return np.interp(raw, self.knots, self.half_widths)

    def novelty(self, features: np.ndarray) -> np.ndarray:
        """Return twice the probability of each image to be unlike the training; content features (n, f)."""
        return 2 * expit(features @ self.direction + self.offset)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything by name, to be stored."""
        return {name: np.asarray(getattr(self, name)) for name in (*_ARRAYS, "offset")}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """Make it again from what ``arrays`` returned."""
        knots, expected, half_widths, direction = (arrays[name] for name in _ARRAYS)
        return cls(knots, expected, half_widths, direction, float(arrays["offset"]))
