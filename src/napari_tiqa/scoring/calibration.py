"""How far to trust a model, learned from images that it was not trained on."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import expit

from napari_tiqa.scoring.tile_statistics import tile_statistics

_ARRAYS = ("knots", "expected", "half_widths", "direction", "offset", "centre", "spread")
_FARTHEST = 6.0  # spreads from the centre; what is farther out is not odder still


@dataclass(frozen=True)
class Calibration:
    """How far to trust a model's scores.

    `knots`, shape (k,), rising, are raw scores of the network, 1..5; `expected`, never falling, the mean
    label of left-out specimens at each; `half_widths`, points, how far from that nine of ten of these labels
    lie at most. Where no specimen was left out, `expected` are the knots themselves and `half_widths` NaN.
    `direction`, shape (k, f + s), weights the content features and the s statistics of the tile
    (``tile_statistics``); with `offset`, shape (k,), it makes the logarithms of the odds that an image is one
    of k sorts of image rather than a slice of the kind that the model was trained on. Both are for features
    less their `centre` by their `spread`, shape (f + s,), at most 6. Models from before there were sorts and
    statistics have shapes (f,) and (), and neither centre nor spread.
    """

    knots: np.ndarray
    expected: np.ndarray
    half_widths: np.ndarray
    direction: np.ndarray
    offset: np.ndarray
    centre: np.ndarray | None = None
    spread: np.ndarray | None = None

    def score(self, raw: np.ndarray) -> np.ndarray:
        """Return the scores to expect for raw ones of the network, which are too moderate."""
        return np.interp(raw, self.knots, self.expected)

    def uncertainty(self, raw: np.ndarray) -> np.ndarray:
        """Return half the width of the 90 % interval, points, around the score for each raw one."""
        return np.interp(raw, self.knots, self.half_widths)

    def novelty(self, features: np.ndarray, tiles: np.ndarray) -> np.ndarray:
        """Return twice the probability of each image to be unlike the training, (n,), by its likeliest sort.

        `features` are the content features, (n, f), of `tiles`, (n, 224, 224), float32 in [0, 1].
        """
        directions = np.atleast_2d(self.direction)
        if directions.shape[1] > features.shape[1]:
            features = np.column_stack([features, tile_statistics(tiles)])
        if self.centre is not None:
            features = standardised(features, self.centre, self.spread)
        odds: np.ndarray = (features @ directions.T + self.offset).max(axis=1)
        return 2 * expit(odds)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything by name, to be stored."""
        return {name: np.asarray(getattr(self, name)) for name in _ARRAYS if getattr(self, name) is not None}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """Make it again from what ``arrays`` returned."""
        return cls(**{name: np.asarray(arrays[name], np.float64) for name in _ARRAYS if name in arrays})


def standardised(features: np.ndarray, centre: np.ndarray, spread: np.ndarray | None) -> np.ndarray:
    """Return features (n, d) less their centre by their spread, within 6 of either sign."""
    return np.clip((features - centre) / spread, -_FARTHEST, _FARTHEST)
