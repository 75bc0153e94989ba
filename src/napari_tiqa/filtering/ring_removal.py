"""Ring removal: rings are estimated in polar coordinates and subtracted in Cartesian ones."""

import numpy as np
from scipy.ndimage import uniform_filter1d

from napari_tiqa.errors import FilterError
from napari_tiqa.filtering.filter import slice_filter
from napari_tiqa.filtering.parameter import Parameter
from napari_tiqa.filtering.polar import PolarGrid, polar_grid
from napari_tiqa.filtering.ring_centre import CENTRE_PARAMETERS, centre_of
from napari_tiqa.filtering.ring_profile import Slopes, ring_profiles

_LEAST_WIDTHS = 4  # a slice is at least so many ring widths a side, or rings and slopes cannot be told apart
_SECTORS = 64  # halves meet at one of their borders: 3 degrees at most from where they do
_LARGEST = 3.0  # typical slopes; larger ones are edges of the specimen rather than rings
_WHOLE_FROM = 0.6  # agreement of the halves: 0 for half rings, 1 for whole ones; .5 and .7 were the closest


@slice_filter(
    "Ring removal",
    "Ring removal",
    "ring_width",
    strength=Parameter("Strength", 100.0, 0, 100, "%").advised(
        "Share of the rings found that is subtracted; 100 is usually best."
    ),
    ring_width=Parameter("Ring width", 5.0, 1, 200, "px", logarithmic=True).advised(
        "The widest ring that is removed. Raise it where broad bands remain; wider circular structures of "
        "the specimen are kept."
    ),
    threshold=Parameter("Threshold", 1.5, 0, 6, "standard errors").advised(
        "How far a ring must stand out from the variation along its circle. Raise it where specimen "
        "structure is removed with the rings, lower it where faint rings remain."
    ),
    arc=Parameter("Rings", "auto", choices=("auto", "full", "half"), tunable=False).advised(
        "A scan over 180 degrees leaves half rings; auto checks how well the two halves agree."
    ),
    **CENTRE_PARAMETERS,
)
def ring_removal(
    plane: np.ndarray,
    inside: np.ndarray,
    strength: float,
    ring_width: float,
    threshold: float,
    arc: str,
    centre_y: float | None,
    centre_x: float | None,
) -> np.ndarray:
    """Subtract what goes all the way round the rotation axis, and nothing else, from the slice.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), float32, all finite, at least four ring widths a side.
    inside : numpy.ndarray
        Of the same shape, bool: the pixels that are content.
    strength : float
        Share of the rings found that is subtracted, %.
    ring_width : float
        The widest ring that is removed, px.
    threshold : float
        Standard errors of the mean over sectors that a ring must stand out by.
    arc : str
        "full" rings, "half" rings of a scan over 180 degrees, or "auto".
    centre_y, centre_x : float or None
        Offset of the rings' centre from the middle of the slice, px; None is found.

    Raises
    ------
    FilterError
        If the slice is too small for the ring width or the centre lies outside it.

    Notes
    -----
    Rings become straight stripes in polar coordinates (Sijbers and Postnov, Reduction of ring artefacts in
    high resolution micro-CT reconstructions, Physics in Medicine and Biology 49, 2004), where
    ``ring_profile`` tells them from the specimen. Only the profile is brought back: a slice that goes to
    polar coordinates and back is blurred.
    """
    if min(plane.shape) < _LEAST_WIDTHS * ring_width:
        raise FilterError(
            f"A slice of {plane.shape[0]} x {plane.shape[1]} px is too small for rings {ring_width:g} px "
            f"wide: choose at most {min(plane.shape) / _LEAST_WIDTHS:g} px, or a larger slice."
        )
    grid = polar_grid(plane.shape, *centre_of(plane, inside, centre_y, centre_x))
    rings = _rings(Slopes.of(plane, inside, grid), grid, ring_width, threshold, arc)
    return plane - np.float32(strength / 100) * rings


def _rings(slopes: Slopes, grid: PolarGrid, ring_width: float, threshold: float, arc: str) -> np.ndarray:
    first, agreement = (0, 1.0) if arc == "full" else half_turn(slopes)
    whole = arc == "full" or (arc == "auto" and are_whole(agreement))
    parts = (slopes,) if whole else slopes.halves(first)
    return grid.draw_profiles(*ring_profiles(parts, ring_width, threshold), first=first)


def half_turn(slopes: Slopes) -> tuple[int, float]:
    """Find the half turn whose slopes (a multiple of 64 angles in all) differ most from the other half's.

    A scan over 180 degrees sees each half of a ring with another detector element. Returns the angle that the
    half begins with, and the covariance of the two halves as a share of that of the quarters within them: 1
    for whole rings, 0 for half rings, anything without rings.
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
    item, other = first + second, third + fourth
    circumference = np.arange(radii)[:, None]
    difference = (circumference * (item - other) ** 2).sum(0)
    turn = int(np.argmax(difference[: _SECTORS // 2]))
    within = (circumference * (first * second + third * fourth)).sum(0)[turn]
    between = (circumference * item * other).sum(0)[turn] / 2
    return turn * angles // _SECTORS, float(between / within) if within > 0 else 1.0


def are_whole(agreement: float) -> bool:
    """Tell whole rings from half ones by the agreement of `half_turn`."""
    return agreement >= _WHOLE_FROM


FILTERS = (ring_removal,)
