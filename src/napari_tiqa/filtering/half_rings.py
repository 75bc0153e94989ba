"""Whether the rings of a slice are whole or half, and where the halves meet."""

import numpy as np
from scipy.ndimage import uniform_filter1d

from napari_tiqa.filtering.ring_profile import Slopes

_SECTORS = 64  # halves meet at one of their borders: 3 degrees at most from where they do
_LARGEST = 3.0  # typical slopes; larger ones are edges of the specimen rather than rings
_WHOLE_FROM = 0.6  # agreement of the halves: 0 for half rings, 1 for whole ones; .5 and .7 were the closest


def half_turn(slopes: Slopes) -> tuple[int, float]:
    """Find the half turn that the slopes differ most from those of the other half.

    A scan over 180 degrees sees each half of a ring with another detector element.

    Parameters
    ----------
    slopes : Slopes
        Of all angles, a multiple of 64.

    Returns
    -------
    first : int
        Angle that the half begins with, among the first half of all.
    agreement : float
        Covariance of the two halves as a share of that of the quarters within them: 1 for whole rings, 0 for
        half rings, anything without rings.
    """
    radii, angles = slopes.values.shape
    medians, counts = slopes.medians(_SECTORS)
    # Circles that leave the field of view have no halves to compare.
    closed = counts.min(axis=1) > 0
    typical = np.median(np.abs(medians[closed])) if closed.any() else 0
    medians = np.clip(np.where(closed[:, None], medians, 0), -_LARGEST * typical, _LARGEST * typical)
    quarter = _SECTORS // 4
    begun = uniform_filter1d(medians, quarter, axis=1, mode="wrap", origin=-(quarter // 2))
    first, second, third, fourth = (np.roll(begun, -i * quarter, axis=1) for i in range(4))
    one, other = first + second, third + fourth
    circumference = np.arange(radii)[:, None]
    difference = (circumference * (one - other) ** 2).sum(0)
    turn = int(np.argmax(difference[: _SECTORS // 2]))
    within = (circumference * (first * second + third * fourth)).sum(0)[turn]
    between = (circumference * one * other).sum(0)[turn] / 2
    return turn * angles // _SECTORS, float(between / within) if within > 0 else 1.0


def are_whole(agreement: float) -> bool:
    """Tell whole rings from half ones by the agreement of `half_turn`."""
    return agreement >= _WHOLE_FROM
