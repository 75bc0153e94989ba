"""Filters against noise."""

from functools import partial

import cv2
import numpy as np
from skimage.restoration import denoise_wavelet

from napari_tiqa.filtering.bands import in_bands, require_side
from napari_tiqa.filtering.filter import slice_filter
from napari_tiqa.filtering.median import median_filter
from napari_tiqa.filtering.parameter import Parameter
from napari_tiqa.volumes.threads import share

_CACHE_ROWS = 64  # rows of a band whose few working arrays stay in the processor's cache
_TV_PASSES = 30

_NOISE = Parameter("Noise", 5.0, 0.2, 50, "% of the window", logarithmic=True).advised(
    "Standard deviation of the noise, as in an even region of the slice. More blurs faint structures."
)


@slice_filter(
    "Gaussian",
    "Denoise",
    "sigma",
    sigma=Parameter("Sigma", 1.0, 0.1, 20, "px", logarithmic=True).advised(
        "Standard deviation of the Gaussian; a sharp edge becomes 2.5 times as wide as this. Start at 0.7."
    ),
)
def gaussian(plane: np.ndarray, sigma: float) -> np.ndarray:
    """Average with Gaussian weights: removes noise and softens edges alike.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), float32.
    sigma : float
        Standard deviation, px; weights reach 4 of them far.

    Raises
    ------
    FilterError
        If the slice is smaller than the Gaussian.
    """
    require_side(plane, 2 * round(4 * sigma) + 1, "The Gaussian", "choose a smaller sigma")
    return cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)


@slice_filter(
    "Median",
    "Denoise",
    "radius",
    radius=Parameter("Radius", 1, 1, 4, "px").advised(
        "The window has 2 x radius + 1 px a side. 1 removes hot pixels and speckle; structures narrower "
        "than the radius vanish."
    ),
)
def median(plane: np.ndarray, radius: int) -> np.ndarray:
    """Take the median of a small window: no hot pixels or speckle, straight edges stay, corners get round.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), float32.
    radius : int
        The square window has 2 `radius` + 1 pixels a side.

    Raises
    ------
    FilterError
        If the slice is smaller than the window.

    Notes
    -----
    Tukey, Exploratory Data Analysis, 1977. OpenCV up to 5 x 5 px, beyond it ``median.median_filter``: exact
    in float32. The radius ends at 4, since the time grows with its square.
    """
    require_side(plane, 2 * radius + 1, "The median's window", "choose a smaller radius")
    return median_filter(plane, radius)


@slice_filter(
    "Bilateral",
    "Denoise",
    "contrast",
    radius=Parameter("Radius", 3, 1, 8, "px").advised(
        "How far away pixels still count. More removes coarser noise; the time grows with its square."
    ),
    contrast=Parameter("Contrast", 10.0, 0.5, 100, "% of the window", logarithmic=True).advised(
        "Grey values that differ by much more than this are not mixed. Choose 2 to 3 times the noise's "
        "standard deviation, but less than half the step between two phases."
    ),
)
def bilateral(plane: np.ndarray, radius: int, contrast: float) -> np.ndarray:
    """Average neighbours of similar grey value: evens out noise within a phase, keeps its edges.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), float32.
    radius : int
        Radius of the round neighbourhood, px; weights fall with a standard deviation of half of it.
    contrast : float
        Standard deviation of the weights' fall with the grey difference, % of the window.

    Raises
    ------
    FilterError
        If the slice is smaller than the neighbourhood.

    Notes
    -----
    Tomasi and Manduchi, Bilateral filtering for gray and color images, ICCV 1998; OpenCV's. Pixels far
    outside the window (hot pixels, metal) resemble no neighbour and stay as they are.
    """
    require_side(plane, 2 * radius + 1, "The bilateral filter's neighbourhood", "choose a smaller radius")
    sigma = contrast / 100
    # OpenCV tabulates the weights over the whole range of grey values: one hot pixel would make the table
    # too coarse. Six standard deviations off, a pixel has no weight anyway.
    within = np.clip(plane, -1 - 6 * sigma, 2 + 6 * sigma)
    filtered = cv2.bilateralFilter(
        within, 2 * radius + 1, sigma, radius / 2, borderType=cv2.BORDER_REFLECT_101
    )
    return filtered + (plane - within)


@slice_filter(
    "Non-local means",
    "Denoise",
    "sigma",
    sigma=_NOISE,
    patch=Parameter("Patch radius", 1, 1, 4, "px").advised(
        "Size of the patches that are compared: 1 for fine structures, 2 to 3 for strong noise."
    ),
    reach=Parameter("Search radius", 5, 2, 10, "px").advised(
        "How far away similar patches are searched for. More removes more noise; the time grows with its "
        "square."
    ),
)
def non_local_means(plane: np.ndarray, sigma: float, patch: int, reach: int) -> np.ndarray:
    """Average pixels whose surroundings look alike: strong on textures and repeated structures.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), float32.
    sigma : float
        Standard deviation of the noise, % of the window.
    patch : int
        Patches of 2 `patch` + 1 pixels a side are compared.
    reach : int
        Rows and columns up to which patches are compared.

    Raises
    ------
    FilterError
        If the slice is smaller than the search window.

    Notes
    -----
    Buades, Coll and Morel, A non-local algorithm for image denoising, CVPR 2005. Weights are
    exp(-max(d - 2 s^2, 0) / h^2) of the mean squared difference d of two patches, h = 0.8 s. Each shift
    gives all weights at once by a box filter (Darbon et al., Fast nonlocal filtering applied to electron
    cryomicroscopy, ISBI 2008), and each weight serves both of its pixels. Several times as fast as
    ``skimage.restoration.denoise_nl_means``, which also holds the interpreter's lock.
    """
    halo = patch + reach
    require_side(plane, 2 * halo + 1, "The search window", "choose smaller radii")
    padded = cv2.copyMakeBorder(plane, halo, halo, halo, halo, cv2.BORDER_REFLECT_101)
    kernel = partial(_non_local_means, sigma=sigma / 100, patch=patch, reach=reach)
    result = in_bands(kernel, padded, halo, _CACHE_ROWS)
    return np.ascontiguousarray(result[halo:-halo, halo:-halo])


def _non_local_means(plane: np.ndarray, sigma: float, patch: int, reach: int) -> np.ndarray:
    total, weights = plane.copy(), np.ones_like(plane)  # the pixel itself
    side = 2 * patch + 1
    for down in range(reach + 1):
        for right in range(-reach if down else 1, reach + 1):
            here = np.s_[: len(plane) - down, max(-right, 0) : plane.shape[1] - max(right, 0)]
            present = np.s_[down:, max(right, 0) : plane.shape[1] - max(-right, 0)]
            weight = cv2.subtract(plane[here], plane[present])
            cv2.multiply(weight, weight, dst=weight)
            cv2.blur(weight, (side, side), dst=weight)
            np.subtract(2 * sigma**2, weight, out=weight)
            np.minimum(weight, 0, out=weight)
            weight *= 1 / (0.8 * sigma) ** 2
            cv2.exp(weight, dst=weight)
            weights[here] += weight
            weights[present] += weight
            total[here] += weight * plane[present]
            total[present] += weight * plane[here]
    total /= weights
    return total


@slice_filter(
    "Total variation",
    "Denoise",
    "weight",
    weight=Parameter("Weight", 5.0, 0.1, 50, "% of the window", logarithmic=True).advised(
        "Start at the noise's standard deviation. A larger value flattens phases, then swallows small or "
        "faint structures."
    ),
)
def total_variation(plane: np.ndarray, weight: float) -> np.ndarray:
    """Find the flattest slice that still resembles this one: even phases with sharp edges, no fine texture.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), float32.
    weight : float
        Of the total variation against half the squared difference; in the units of the grey values, % of
        the window.

    Raises
    ------
    FilterError
        If the slice has fewer than 3 rows or columns.

    Notes
    -----
    The minimum of Rudin, Osher and Fatemi (Physica D 60, 1992), found by projecting the dual (Chambolle,
    Journal of Mathematical Imaging and Vision 20, 2004) with Nesterov's acceleration (Beck and Teboulle, IEEE
    Transactions on Image Processing 18, 2009, "FGP"), 30 passes: at
    weights of the noise's size that is within 2 % of the change. ``skimage.restoration.denoise_tv_chambolle``
    ends its passes when the energy of the whole slice hardly changes, which leaves the result a fifth of
    the change or more from the minimum and lets it depend on distant pixels.
    """
    require_side(plane, 3, "The differences of total variation", "choose another filter")
    # Each pass carries a change one pixel on.
    return in_bands(partial(_total_variation, weight=weight / 100), plane, _TV_PASSES, 2 * _CACHE_ROWS)


def _total_variation(plane: np.ndarray, weight: float) -> np.ndarray:
    down, right = np.zeros_like(plane), np.zeros_like(plane)  # the dual, |(down, right)| <= 1
    ahead_down, ahead_right = down.copy(), right.copy()
    step, momentum = np.float32(1 / (8 * weight)), 1.0
    change, length = np.empty_like(plane), np.empty_like(plane)
    for _ in range(_TV_PASSES):
        _divergence(ahead_down, ahead_right, into=change)
        change *= np.float32(weight)
        change += plane
        change *= step
        # one step up the gradient of the current slice, from where the momentum leads
        ahead_down[:-1] += change[1:]
        ahead_down[:-1] -= change[:-1]
        ahead_right[:, :-1] += change[:, 1:]
        ahead_right[:, :-1] -= change[:, :-1]
        cv2.magnitude(ahead_down, ahead_right, magnitude=length)
        np.maximum(length, 1, out=length)
        ahead_down /= length
        ahead_right /= length
        before, momentum = momentum, (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        factor = (before - 1) / momentum
        onward = cv2.addWeighted(ahead_down, 1 + factor, down, -factor, 0, dst=down)
        down, ahead_down = ahead_down, onward
        onward = cv2.addWeighted(ahead_right, 1 + factor, right, -factor, 0, dst=right)
        right, ahead_right = ahead_right, onward
    _divergence(down, right, into=change)
    return plane + np.float32(weight) * change


def _divergence(down: np.ndarray, right: np.ndarray, into: np.ndarray) -> None:
    """Minus the adjoint of forward differences that are 0 in the last row and column."""
    np.add(down, right, out=into)
    into[1:] -= down[:-1]
    into[:, 1:] -= right[:, :-1]


@slice_filter(
    "Wavelet",
    "Denoise",
    "sigma",
    sigma=_NOISE,
    shifts=Parameter("Shifts", 2, 1, 4, tunable=False).advised(
        "Number of displaced grids that are averaged: more leave fewer ripples beside edges; the time "
        "grows in proportion."
    ),
)
def wavelet(plane: np.ndarray, sigma: float, shifts: int) -> np.ndarray:
    """Shrink wavelet coefficients that noise alone would give: keeps texture better than averaging does.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), float32.
    sigma : float
        Standard deviation of the noise, % of the window.
    shifts : int
        Displacements, along the diagonal, whose results are averaged.

    Raises
    ------
    FilterError
        If the slice has fewer than 16 rows or columns, which leaves the wavelets no coarser scale.

    Notes
    -----
    Soft thresholds by BayesShrink (Chang, Yu and Vetterli, IEEE Transactions on Image Processing 9, 2000),
    symlets of order 4, ``skimage.restoration.denoise_wavelet``; shifts against the grid's ripples by Coifman
    and Donoho (Translation-invariant de-noising, 1995).
    """
    require_side(plane, 16, "The wavelet transform's least block", "choose another filter")
    height, width = plane.shape
    padded = cv2.copyMakeBorder(plane, shifts, 0, shifts, 0, cv2.BORDER_REFLECT_101)
    results = [plane] * shifts

    def denoise_shifted(shift: int) -> None:
        shifted = padded[shifts - shift :, shifts - shift :]
        results[shift] = denoise_wavelet(shifted, sigma=sigma / 100, wavelet="sym4")[-height:, -width:]

    share([partial(denoise_shifted, shift) for shift in range(shifts)])
    return np.mean(results, axis=0)


@slice_filter(
    "Anisotropic diffusion",
    "Denoise",
    "contrast",
    contrast=Parameter("Contrast", 10.0, 0.5, 100, "% of the window", logarithmic=True).advised(
        "Steps between neighbouring pixels above this are edges and stay, those below are evened out. "
        "Choose 2 to 3 times the noise's standard deviation."
    ),
    passes=Parameter("Passes", 10, 1, 50, logarithmic=True).advised(
        "More passes even out larger regions, as a Gaussian with the square root of 0.4 x passes px would."
    ),
)
def anisotropic_diffusion(plane: np.ndarray, contrast: float, passes: int) -> np.ndarray:
    """Let grey values flow between pixels that differ little, and not across edges.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), float32.
    contrast : float
        Step at which the flow is damped by e, % of the window.
    passes : int
        Time steps of 0.2.

    Raises
    ------
    FilterError
        If the slice has fewer than 3 rows or columns.

    Notes
    -----
    Perona and Malik, Scale-space and edge detection using anisotropic diffusion, IEEE Transactions on Pattern
    Analysis and Machine Intelligence 12, 1990, equations 7 and 8, four neighbours, conductance exp(-(step /
    contrast)^2).
    """
    require_side(plane, 3, "The differences of the diffusion", "choose another filter")
    kernel = partial(_diffused, contrast=contrast / 100, passes=passes)
    return in_bands(kernel, plane, passes, _CACHE_ROWS)


def _diffused(plane: np.ndarray, contrast: float, passes: int) -> np.ndarray:
    plane = plane.copy()
    for _ in range(passes):
        down = _flow(plane[1:], plane[:-1], contrast)
        right = _flow(plane[:, 1:], plane[:, :-1], contrast)
        plane[:-1] += down
        plane[1:] -= down
        plane[:, :-1] += right
        plane[:, 1:] -= right
    return plane


def _flow(source: np.ndarray, sink: np.ndarray, contrast: float) -> np.ndarray:
    """Return what flows from one pixel to its neighbour in one time step."""
    step = cv2.subtract(source, sink)
    weight = cv2.multiply(step, step, scale=-1 / contrast**2)
    cv2.exp(weight, dst=weight)
    return cv2.multiply(step, weight, dst=step, scale=0.2)


FILTERS = (gaussian, median, bilateral, non_local_means, total_variation, wavelet, anisotropic_diffusion)
