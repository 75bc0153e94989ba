"""Two-point correlation of a phase: how likely two points at a distance are both in it, along x and y."""

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft


def two_point_correlation(phase: np.ndarray, axis: int, normalised: bool = True) -> np.ndarray:
    """Return the two-point correlation of a phase along an axis.

    Parameters
    ----------
    phase : numpy.ndarray
        Shape (rows, columns), bool: where the phase is.
    axis : int
        0: along y, 1: along x.
    normalised : bool
        Divide by the value at distance 0, the phase's share of the slice, so that curves begin at 1.

    Returns
    -------
    numpy.ndarray
        Shape (side // 2 + 1,), float64: one for each distance from 0 px to half the side along `axis`. With
        I the phase as 0 and 1, S2(r) is the mean of I(x) I(x + r) over all pairs of pixels in the slice at
        distance r, and the normalised curve S2(r) / S2(0), which is NaN where there is no pixel of the phase.

    Notes
    -----
    Torquato, Random Heterogeneous Materials (2002), section 2.1.2. The pairs are counted by the Wiener-Khinchin
    theorem: lines are padded with zeros, so that no pair reaches around the border, and each distance is
    divided by its number of pairs.
    """
    lines = np.moveaxis(np.asarray(phase, bool), axis, -1)
    count, side = lines.shape
    distances = np.arange(side // 2 + 1)
    length = next_fast_len(side + side // 2, real=True)
    spectrum = rfft(lines, length)
    power = (spectrum.real**2 + spectrum.imag**2).sum(0)
    # Pairs are whole numbers: rounding takes away what the transform left.
    pairs = np.rint(irfft(power, length)[: len(distances)])
    if normalised:
        with np.errstate(invalid="ignore"):
            pairs = pairs / pairs[0] if pairs[0] else np.full(len(distances), np.nan)
            return pairs * side / (side - distances)
    return pairs / (count * (side - distances))
