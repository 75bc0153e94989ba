"""Contrast-to-noise ratio of the two main phases of a slice."""

import math

import cv2
import numpy as np
from skimage.filters import threshold_otsu

_SMOOTHING = 5  # px, of the median that phases are told apart in
_FROM_EDGES = (25, 15, 7)  # px, side of the square that is all of one phase; the first that fits
_LEAST_SHARE = 0.01  # of the content, for each phase


def contrast_to_noise(plane: np.ndarray, inside: np.ndarray) -> float:
    """Measure by how many standard deviations the two main phases of a slice differ.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), float32, all finite.
    inside : numpy.ndarray
        Of the same shape, bool: the pixels that are content.

    Returns
    -------
    float
        ``|m1 - m2| / sqrt((s1**2 + s2**2) / 2)`` of the means and standard deviations of both phases, away
        from their edges; NaN where one of them fills less than 1 % of the content.

    Notes
    -----
    The phases are those that Otsu's threshold (IEEE Transactions on Systems, Man, and Cybernetics 9, 1979)
    parts in the slice smoothed by a median over 5 px. A third phase counts to the nearer of the two, and
    texture within a phase to its noise.
    """
    values = plane[inside]
    if not values.size or np.ptp(values) == 0:
        return math.nan
    smooth = cv2.medianBlur(plane, _SMOOTHING)
    bright = smooth > threshold_otsu(smooth[inside])
    least = _LEAST_SHARE * values.size
    for side in _FROM_EDGES:
        phases = [_within(plane, phase & inside, side) for phase in (bright, ~bright)]
        if min(len(phase) for phase in phases) >= least:
            break
    else:
        return math.nan
    noise = math.sqrt(sum(phase.var() for phase in phases) / 2)
    contrast = abs(phases[0].mean() - phases[1].mean())
    return float(contrast / noise) if noise > 0 else math.inf


def _within(plane: np.ndarray, phase: np.ndarray, side: int) -> np.ndarray:
    """Return the grey values in whose square of a side all is of the phase."""
    kept = cv2.erode(phase.astype(np.uint8), np.ones((side, side), np.uint8))
    values: np.ndarray = plane[kept > 0].astype(np.float64)
    return values
