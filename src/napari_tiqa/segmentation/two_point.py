"""Two-point correlation of a phase: how likely two points at a distance are both in it, along x and y."""

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft


def two_point_correlation(
    phase: np.ndarray, axis: int, normalised: bool = True, where: np.ndarray | None = None
) -> np.ndarray:
    """Return the two-point correlation of a phase along an axis.

    Parameters
    ----------
    phase : numpy.ndarray
        Shape (rows, columns), bool: where the phase is.
    axis : int
        0: along y, 1: along x.
    normalised : bool
        Divide by the value at distance 0, the phase's share of the slice, so that curves begin at 1.
    where : numpy.ndarray, optional
        Shape (rows, columns), bool: the pixels whose phase is known.
        Only pairs of two such pixels are counted; all where omitted.

    Returns
    -------
    numpy.ndarray
        Shape (side // 2 + 1,), float64: one for each distance from 0 px to half the side along `axis`. With
        I the phase as 0 and 1, S2(r) is the mean of I(x) I(x + r) over all pairs of pixels in the slice at
        distance r, and the normalised curve S2(r) / S2(0), which is NaN where there is no pixel of the phase
        or no pair of known ones.

    Notes
    -----
    Torquato, Random Heterogeneous Materials (2002), section 2.1.2. The pairs are counted by the theorem of
    Wiener and Khinchin: lines are padded with zeros, so that no pair reaches around the border, and each
    distance is divided by its number of pairs.
    """
    side = np.shape(phase)[axis]
    if where is None:
        distances = np.arange(side // 2 + 1)
        possible = np.shape(phase)[1 - axis] * (side - distances)
    else:
        phase = np.asarray(phase, bool) & where
        possible = _pairs(where, axis)
    with np.errstate(invalid="ignore"):
        correlation = _pairs(phase, axis) / possible
        return correlation / correlation[0] if normalised else correlation


def _pairs(phase: np.ndarray, axis: int) -> np.ndarray:
    """Count the pairs of pixels of a phase at each distance, shape (side // 2 + 1,), float64."""
    lines = np.moveaxis(np.asarray(phase, bool), axis, -1)
    side = lines.shape[1]
    length = next_fast_len(side + side // 2, real=True)
    spectrum = rfft(lines, length)
    power = (spectrum.real**2 + spectrum.imag**2).sum(0)
    # Pairs are whole numbers: rounding takes away what the transform left.
    return np.rint(irfft(power, length)[: side // 2 + 1])
