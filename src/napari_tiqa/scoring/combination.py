"""From the predictions of tiles to that of their slice: the mean of each level of scale, then of these."""

from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from napari_tiqa.scoring.scale import PREDICTED
from napari_tiqa.scoring.views import NATIVE

TEMPERATURE = 0.5
"""Points by which a level must score lower to count e times as much. Near 0 the slice has the score of its
lowest level, far above 1 the mean of all.

Where it comes from: with the levels' mean, lowest score and weights of MS-SSIM, the default model of November
2026 follows MS-SSIM at native size by SROCC .70, .77 and .60 (eight scans of 976 to 2088 px with blur, noise
and rings added at native size). The lowest level is best, but a minimum also keeps the lowest of all errors,
and a slice that is merely oversampled is blurred at native size and sharp at all others."""

RULE = "soft minimum of the levels"

_SCORE, _NOVELTY = (PREDICTED.index(name) for name in ("score", "novelty"))


class SlicePrediction(NamedTuple):
    """What is said of a slice.

    Attributes
    ----------
    values : numpy.ndarray
        Shape (9,), float64: the columns of ``scale.PREDICTED`` for the slice.
    overview : float
        The score of the slice as a whole at 224 px; NaN where that was not looked at.
    scale : float
        The factor (``pyramid.ViewedSlice``) of the level with the lowest score; NaN where there is only one.
    """

    values: np.ndarray
    overview: float
    scale: float


def combined(levels: np.ndarray) -> np.ndarray:
    """Combine the predictions of levels, shape (n, 9), finest first, to that of their slice, shape (9,).

    Columns are those of ``scale.PREDICTED``. A soft minimum: each level is weighted by the softmax of its
    negative score over `TEMPERATURE`, so that parts still add up to what the score lacks to 5. The novelty
    is that of the last level: what is a slice at all is seen as a whole.
    """
    values: np.ndarray = softmax(-levels[:, _SCORE] / TEMPERATURE) @ levels
    values[_NOVELTY] = levels[-1, _NOVELTY]
    return values


def slice_prediction(values: np.ndarray, factors: np.ndarray, view: str) -> SlicePrediction:
    """Return what tiles say of their slice: `values`, (k, 9), and `factors`, (k,), of its tiles in a view."""
    if not len(values):
        return SlicePrediction(np.full(len(PREDICTED), np.nan), np.nan, np.nan)
    known = np.unique(factors)
    levels = np.stack([values[factors == factor].mean(0, dtype=np.float64) for factor in known])
    lowest = float(known[levels[:, _SCORE].argmin()]) if len(known) > 1 else np.nan
    overview = np.nan if view == NATIVE else float(levels[-1, _SCORE])
    return SlicePrediction(combined(levels), overview, lowest)
