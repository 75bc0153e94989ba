"""Resolution of a single slice by Fourier ring correlation of its checkerboard halves."""

import math

import numpy as np
import scipy.fft
from scipy.signal.windows import tukey

THRESHOLD = 1 / 7
"""Of the correlation; what is finer than where it falls below is not resolved."""

_LEAST_SIDE = 64  # px
_TAPER = 0.25  # of the halves' sides, or their borders would correlate
_FINEST = 4.0  # px: halves sample every other pixel, so that they know no higher frequencies
_LARGEST_COUNT = 400  # rings: more only add noise to each


def resolution(plane: np.ndarray) -> float:
    """Estimate the resolution of a slice from itself.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), float32, all finite; at least 64 px a side.

    Returns
    -------
    float
        Period of the finest detail that is resolved, px, at least 4; NaN where the slice is too small or
        nothing in it stands out of its noise.

    Notes
    -----
    After Koho et al., Fourier ring correlation simplifies image restoration in fluorescence microscopy,
    Nature Communications 10, 3103 (2019): pixels of even rows and columns make one image, those of odd ones
    another, and so for the other diagonal; the mean of both pairs' correlations is compared with 1/7. Two
    things are done otherwise, instead of that paper's empirical correction. The shift of a pixel along the
    diagonal between the halves of a pair is undone in Fourier space. And a half has a quarter of the pixels,
    so a quarter of the signal-to-noise ratio s = c / (1 - c) of the slice at each frequency: the correlation
    of two whole slices, 4 s / (1 + 4 s), is what is compared. This holds for noise that is independent from
    pixel to pixel; noise that a reconstruction has smoothed correlates between the halves, and makes the
    figure too fine.
    """
    if min(plane.shape) < _LEAST_SIDE:
        return math.nan
    rows, columns = (side // 2 * 2 for side in plane.shape)
    even = plane[:rows, :columns]
    pairs = [(even[::2, ::2], even[1::2, 1::2], 1), (even[::2, 1::2], even[1::2, ::2], -1)]
    halves = np.mean([_correlations(*pair) for pair in pairs], axis=0)
    snr = 4 * np.clip(halves, 0, 1 - 1e-6) / (1 - np.clip(halves, 0, 1 - 1e-6))
    whole = snr / (1 + snr)
    frequencies = (np.arange(len(whole)) + 0.5) / (2 * len(whole)) / 2  # cycles a pixel of the slice
    below = np.flatnonzero(_smoothed(whole) < THRESHOLD)
    if not len(below):
        return _FINEST
    return float(1 / frequencies[below[0]]) if below[0] > 0 else math.nan


def _correlations(first: np.ndarray, second: np.ndarray, direction: int) -> np.ndarray:
    """Return the correlation of two halves on each ring, low to high frequencies.

    The second lies half a pixel of the halves further down and, times `direction`, to the right.
    """
    taper = np.outer(*(tukey(side, 2 * _TAPER) for side in first.shape))
    spectra = [scipy.fft.rfft2((half - half.mean(dtype=np.float64)) * taper) for half in (first, second)]
    down = scipy.fft.fftfreq(first.shape[0])[:, None]
    right = scipy.fft.rfftfreq(first.shape[1])[None]
    shifted = spectra[1] * np.exp(-1j * np.pi * (down + direction * right))
    frequency = np.hypot(down, right)
    count = min(_LARGEST_COUNT, min(first.shape) // 4)
    ring = np.minimum((frequency * 2 * count).astype(int), count).ravel()
    # Of a spectrum's two halves one is stored; its first column is stored whole.
    weight = np.broadcast_to(np.where(right > 0, 2.0, 1.0), frequency.shape).ravel()

    def summed(values: np.ndarray) -> np.ndarray:
        return np.bincount(ring, weight * values.ravel(), count + 1)[:count]

    common = summed((spectra[0] * shifted.conj()).real)
    powers = [summed(np.abs(spectrum) ** 2) for spectrum in spectra]
    return common / np.maximum(np.sqrt(powers[0] * powers[1]), np.finfo(float).tiny)


def _smoothed(correlation: np.ndarray) -> np.ndarray:
    """Average each value with its neighbours: a single ring may fall below the threshold by chance."""
    padded = np.pad(correlation, 1, mode="edge")
    return (padded[:-2] + padded[1:-1] + padded[2:]) / 3
