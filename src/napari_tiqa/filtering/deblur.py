"""Filters against blur."""

import cv2
import numpy as np
from scipy import fft

from napari_tiqa.filtering.bands import require_side
from napari_tiqa.filtering.denoise import gaussian
from napari_tiqa.filtering.filter import slice_filter
from napari_tiqa.filtering.parameter import Parameter
from napari_tiqa.volumes.threads import CORES

_BLUR = Parameter("Blur", 1.0, 0.3, 10, "px", logarithmic=True).advised(
    "Standard deviation of the blur that the detector and optics made: half the width over which a sharp "
    "edge rises from 16 to 84 %. Too much draws bright and dark lines beside edges."
)

_RL_ZERO = 0.25  # of the window, below it; noise goes that far down
_RL_LEAST = 1e-3


@slice_filter(
    "Unsharp mask",
    "Deblur",
    "amount",
    sigma=Parameter("Sigma", 1.0, 0.3, 20, "px", logarithmic=True).advised(
        "Size of what is emphasised: about that of the blur for edges, several times it for local contrast."
    ),
    amount=Parameter("Amount", 100.0, 5, 500, "%", logarithmic=True).advised(
        "How much of the difference to the blurred slice is added. It multiplies noise too: start at 50."
    ),
)
def unsharp_mask(plane: np.ndarray, sigma: float, amount: float) -> np.ndarray:
    """Add what a Gaussian takes away: steeper edges, stronger noise.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), float32.
    sigma : float
        Standard deviation of the Gaussian, px.
    amount : float
        Share of the difference that is added, %.

    Raises
    ------
    FilterError
        If the slice is smaller than the Gaussian.

    Notes
    -----
    Gonzalez and Woods, Digital Image Processing, section 3.6. Unlike ``skimage.filters.unsharp_mask`` nothing
    is clipped.
    """
    return cv2.addWeighted(plane, 1 + amount / 100, gaussian.function(plane, sigma), -amount / 100, 0)


@slice_filter(
    "Richardson-Lucy",
    "Deblur",
    "passes",
    sigma=_BLUR,
    passes=Parameter("Passes", 5, 1, 50, logarithmic=True).advised(
        "Each sharpens a little more and strengthens noise a little more: stop early on noisy slices."
    ),
)
def richardson_lucy(plane: np.ndarray, sigma: float, passes: int) -> np.ndarray:
    """Find, pass by pass, the slice that a Gaussian blur turns into this one; dark phases do not ring.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), float32.
    sigma : float
        Standard deviation of the blur, px.
    passes : int
        Iterations, starting from the slice itself.

    Raises
    ------
    FilterError
        If the slice is smaller than the blur.

    Notes
    -----
    Richardson, Journal of the Optical Society of America 62, 1972; Lucy, Astronomical Journal 79, 1974. It is
    made for intensities that cannot be negative: zero is put a quarter of the window below its low end,
    and what lies below that stays as it is. As ``skimage.restoration.richardson_lucy``, but with
    the Gaussian as two passes of one dimension, and begun with the slice instead of an even grey.
    """
    require_side(plane, 2 * round(4 * sigma) + 1, "The blur", "choose less blur")
    seen = np.maximum(plane, _RL_LEAST - _RL_ZERO)
    below = plane - seen
    seen += _RL_ZERO
    estimate = seen.copy()
    for _ in range(passes):
        ratio = _blurred(estimate, sigma)
        np.divide(seen, ratio, out=ratio)
        estimate *= _blurred(ratio, sigma)
    estimate += below - _RL_ZERO
    return estimate


@slice_filter(
    "Wiener",
    "Deblur",
    "sigma",
    sigma=_BLUR,
    noise=Parameter("Noise", 0.1, 0.0001, 10, logarithmic=True).advised(
        "Roughness of the noise relative to that of the structures: more sharpens less and keeps noise "
        "down. Lower it until noise or ripples show."
    ),
)
def wiener(plane: np.ndarray, sigma: float, noise: float) -> np.ndarray:
    """Undo a Gaussian blur at the frequencies that are stronger than noise, in one step.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), float32.
    sigma : float
        Standard deviation of the blur, px.
    noise : float
        Weight of the squared Laplacian against the squared difference to the blurred slice.

    Raises
    ------
    FilterError
        If the slice is smaller than the blur.

    Notes
    -----
    H / (H^2 + noise L^2) with the blur's spectrum H and the Laplacian's L: Hunt, IEEE Transactions on
    Computers 22, 1973, as ``skimage.restoration.wiener``. By a cosine transform instead of Fourier's: the
    slice is continued by its mirror image, not by its far side, and nothing is clipped.
    """
    require_side(plane, 2 * round(4 * sigma) + 1, "The blur", "choose less blur")
    # float32, since the transform keeps the type; angular frequency per pixel along each axis
    down, right = (np.pi * np.arange(side, dtype=np.float32) / side for side in plane.shape)
    blur_down, blur_right = (np.exp(-((sigma * axis) ** 2) / 2) for axis in (down, right))
    blur = blur_down[:, None] * blur_right
    laplacian = (2 - 2 * np.cos(down))[:, None] + (2 - 2 * np.cos(right))
    spectrum = fft.dctn(plane, workers=CORES)
    spectrum *= blur
    spectrum /= blur**2 + np.float32(noise) * laplacian**2
    return fft.idctn(spectrum, workers=CORES, overwrite_x=True)


def _blurred(plane: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)


FILTERS = (unsharp_mask, richardson_lucy, wiener)
