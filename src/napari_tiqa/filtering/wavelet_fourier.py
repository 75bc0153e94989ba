"""Ring removal by damping stripes of the polar image in wavelet and Fourier space."""

import numpy as np
import pywt
import scipy.fft

from napari_tiqa.errors import FilterError
from napari_tiqa.filtering.filter import slice_filter
from napari_tiqa.filtering.parameter import Parameter
from napari_tiqa.filtering.polar import SAMPLES_PER_PIXEL, polar_grid
from napari_tiqa.filtering.ring_centre import CENTRE_PARAMETERS, centre_of

_NEGLIGIBLE = 3.0  # standard deviations: beyond them 1 % is left of a frequency

WAVELETS = ("db2", "db5", "db9", "db15", "db25", "sym8")


@slice_filter(
    "Ring removal, wavelet-Fourier",
    "Ring removal",
    "levels",
    levels=Parameter("Levels", 2, 1, 6).advised(
        "Each doubles the width of the widest rings that are removed: 2 px at level 1, 4 px at level 2. "
        "Specimen structure of that width is removed with them."
    ),
    damping=Parameter("Damping", 1.0, 0.1, 20, "cycles per turn", logarithmic=True).advised(
        "Whatever varies more slowly than this along a circle is treated as a ring. Raise it where rings "
        "fade in and out along their circle; more specimen structure is then removed with them."
    ),
    wavelet=Parameter("Wavelet", "db15", choices=WAVELETS, tunable=False).advised(
        "Longer wavelets (higher numbers) separate ring widths more sharply."
    ),
    strength=Parameter("Strength", 100.0, 0, 100, "%").advised(
        "Share of the damped part that is subtracted."
    ),
    **CENTRE_PARAMETERS,
)
def wavelet_fourier(
    plane: np.ndarray,
    inside: np.ndarray,
    levels: int,
    damping: float,
    wavelet: str,
    strength: float,
    centre_y: float | None,
    centre_x: float | None,
) -> np.ndarray:
    """Subtract fine detail that hardly varies along circles about the rotation axis.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), float32, all finite, at least 29 px a side for the wavelet db15.
    inside : numpy.ndarray
        Of the same shape, bool: the pixels that are content.
    levels : int
        Of the wavelet decomposition; fewer where the slice is too small for so many.
    damping : float
        Standard deviation of the Gaussian that damps, in cycles per turn.
    wavelet : str
        A wavelet's name in PyWavelets.
    strength : float
        Share of what was damped that is subtracted, %.
    centre_y, centre_x : float or None
        Offset of the rings' centre from the middle of the slice, px; None is found.

    Raises
    ------
    FilterError
        If the slice is too small for the wavelet or the centre lies outside it.

    Notes
    -----
    After Münch, Trtik, Marone and Stampanoni, Stripe and ring artifact removal with combined wavelet-Fourier
    filtering, Optics Express 17, 2009: of the polar image's wavelet coefficients those that hold detail along
    the radius have their frequencies f along the angle multiplied by 1 - exp(-f^2 / 2 damping^2). What that
    takes off is exp(-f^2 / 2 damping^2) of the detail along the radius. The two are separable, and angles are
    periodic, so it is computed by itself: a few frequencies of each circle, their details along the radius.
    Only this is subtracted from the slice, which itself never goes through polar coordinates.
    """
    grid = polar_grid(plane.shape, *centre_of(plane, inside, centre_y, centre_x))
    if pywt.dwt_max_level(grid.radii, wavelet) < 1:
        raise FilterError(
            f"A slice of {plane.shape[0]} x {plane.shape[1]} px is too small for the wavelet {wavelet}: "
            f"choose {WAVELETS[0]}, the shortest, or a larger slice."
        )
    rings = _radial_detail(_slow_along_angle(grid.sample(plane), damping), levels, wavelet)
    return plane - np.float32(strength / 100) * grid.draw(rings)


def _slow_along_angle(polar: np.ndarray, damping: float) -> np.ndarray:
    """Return the share of each circle that is damped, at as many angles as it takes to hold it."""
    spectrum = scipy.fft.rfft(polar, axis=1)
    highest = min(int(np.ceil(_NEGLIGIBLE * damping)), spectrum.shape[1] - 1)
    frequency = np.arange(highest + 1)
    slow = spectrum[:, : highest + 1] * np.exp(-(frequency**2) / (2 * damping**2)).astype(np.float32)
    # Drawn by linear interpolation between angles, so eight to the shortest wave.
    angles = scipy.fft.next_fast_len(8 * (highest + 1), real=True)
    return scipy.fft.irfft(slow, angles, axis=1) * np.float32(angles / polar.shape[1])


def _radial_detail(polar: np.ndarray, levels: int, wavelet: str) -> np.ndarray:
    """Return the detail of so many levels along the radius."""
    # A level more along the radius for the samples between pixels.
    levels = levels + (SAMPLES_PER_PIXEL - 1).bit_length()
    levels = min(levels, pywt.dwt_max_level(len(polar), wavelet))
    coefficients = pywt.wavedec(polar, wavelet, mode="symmetric", level=levels, axis=0)
    coefficients[0][...] = 0
    return pywt.waverec(coefficients, wavelet, mode="symmetric", axis=0)[: len(polar)]


FILTERS = (wavelet_fourier,)
