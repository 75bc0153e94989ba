"""What is known of a model from images that it was not trained on: how far off it is, what it has seen."""

from dataclasses import dataclass
from typing import Self

import numpy as np

_ARRAYS = ("knots", "half_widths", "centre", "whitening")


@dataclass(frozen=True)
class Calibration:
    """How far to trust a model's scores.

    Attributes
    ----------
    knots : numpy.ndarray
        Shape (k,), rising scores.
    half_widths : numpy.ndarray
        Shape (k,), points: at each knot, how far from the score nine of ten labels of left-out specimens lie
        at most. NaN where no specimen was left out.
    centre : numpy.ndarray
        Shape (f,), mean content features of the training images.
    whitening : numpy.ndarray
        Shape (f, d): takes features less `centre` to d uncorrelated coordinates of variance 1.
    familiar : float
        Distance from the centre, in these coordinates, within which all but a few training images lie.
    """

    knots: np.ndarray
    half_widths: np.ndarray
    centre: np.ndarray
    whitening: np.ndarray
    familiar: float

    def uncertainty(self, score: np.ndarray) -> np.ndarray:
        """Half width of the 90 % interval around each score, points."""
        return np.interp(score, self.knots, self.half_widths)

    def novelty(self, features: np.ndarray) -> np.ndarray:
        """Distance of each image from the training images, shape (n,); above 1: unlike any of them.

        The Mahalanobis distance of Lee et al., NeurIPS 2018 (arXiv 1807.03888), with one class.

        Parameters
        ----------
        features : numpy.ndarray
            Shape (n, f), content features of `backbone.content_features`.
        """
        return np.linalg.norm((features - self.centre) @ self.whitening, axis=1) / self.familiar

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything by name, to be stored."""
        return {name: np.asarray(getattr(self, name)) for name in (*_ARRAYS, "familiar")}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """Make it again from what ``arrays`` returned."""
        knots, half_widths, centre, whitening = (arrays[name] for name in _ARRAYS)
        return cls(knots, half_widths, centre, whitening, float(arrays["familiar"]))
