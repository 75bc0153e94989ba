"""Full-reference metrics: the observers that label distorted images in place of people.

All take a reference and a distorted grey image of one shape, values 0 to 255, and are computed in
float64 with the constants of their papers, which are tuned to 8-bit images.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import fft
from scipy.ndimage import convolve, correlate1d

Metric = Callable[[np.ndarray, np.ndarray], float]

_SSIM_C1 = (0.01 * 255) ** 2
_SSIM_C2 = (0.03 * 255) ** 2
_MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def ssim(reference: np.ndarray, distorted: np.ndarray) -> float:
    """Structural similarity, at most 1; Wang et al. 2004, doi 10.1109/TIP.2003.819861.

    11 x 11 Gaussian window, sigma 1.5 px, K1 0.01, K2 0.03, valid region only, no down-sampling first.
    """
    structure, luminance = _ssim_maps(reference.astype(float), distorted.astype(float))
    return float((structure * luminance).mean())


def ms_ssim(reference: np.ndarray, distorted: np.ndarray) -> float:
    """Multi-scale SSIM over five scales, at most 1; Wang et al. 2003, doi 10.1109/ACSSC.2003.1292216.

    Raises ValueError if a side is under 176 px, whose fifth scale is smaller than the window.
    """
    if min(reference.shape) < 176:
        raise ValueError(f"MS-SSIM needs images of at least 176 x 176 px, not {reference.shape}.")
    reference, distorted = reference.astype(float), distorted.astype(float)
    value = 1.0
    for scale, weight in enumerate(_MS_SSIM_WEIGHTS):
        structure, luminance = _ssim_maps(reference, distorted)
        last = scale == len(_MS_SSIM_WEIGHTS) - 1
        value *= max((structure * luminance if last else structure).mean(), 0.0) ** weight
        reference, distorted = _mean_2x2(reference), _mean_2x2(distorted)
    return float(value)


def fsim(reference: np.ndarray, distorted: np.ndarray) -> float:
    """Feature similarity, at most 1; Zhang et al. 2011, doi 10.1109/TIP.2011.2109730.

    Phase congruency (4 scales, 4 orientations) and Scharr gradient, T1 0.85, T2 160.
    """
    shrink = max(1, round(min(reference.shape) / 256))
    reference, distorted = (_block_mean(image.astype(float), shrink) for image in (reference, distorted))
    congruency = _phase_congruency(reference), _phase_congruency(distorted)
    scharr = np.array([[-3.0, 0, 3], [-10, 0, 10], [-3, 0, 3]]) / 16
    similarity = _similarity(*congruency, 0.85) * _similarity(
        _gradient(reference, scharr), _gradient(distorted, scharr), 160
    )
    weight = np.maximum(*congruency)
    return float((similarity * weight).sum() / weight.sum())


def gmsd(reference: np.ndarray, distorted: np.ndarray) -> float:
    """Gradient magnitude similarity deviation, 0 is best; Xue et al. 2014, doi 10.1109/TIP.2013.2293423.

    2 x 2 mean, Prewitt gradient, c 170.
    """
    first, second = (_gradient(_mean_2x2(image.astype(float)), _PREWITT) for image in (reference, distorted))
    return float(_similarity(first, second, 170).std())


def mdsi(reference: np.ndarray, distorted: np.ndarray) -> float:
    """Mean deviation similarity index, 0 is best; Nafchi et al. 2016, doi 10.1109/ACCESS.2016.2604042.

    C1 140, C2 55, C3 550, alpha 0.6, exponents 1/4. A grey image stands for three equal channels; for it
    the chromaticity term compares scaled luminances.
    """
    # The order of the pair matters: as in the paper's code the fused image is compared with both.
    first, second = (
        _block_mean(image.astype(float), max(1, round(min(image.shape) / 256)))
        for image in (distorted, reference)
    )
    # The paper's colour model for R = G = B = grey: luminance L and chromaticities H, M.
    luminance = 0.2989 + 0.5870 + 0.1140
    h, m = 0.30 + 0.04 - 0.35, 0.34 - 0.60 + 0.17
    fused = 0.5 * (first + second)
    g_first, g_second, g_fused = (_gradient(luminance * x, _PREWITT) for x in (first, second, fused))
    gradient = (
        _similarity(g_first, g_second, 140)
        + _similarity(g_first, g_fused, 55)
        - _similarity(g_second, g_fused, 55)
    )
    chroma = (2 * (h * h + m * m) * first * second + 550) / ((h * h + m * m) * (first**2 + second**2) + 550)
    combined = (0.6 * gradient + 0.4 * chroma).astype(complex) ** 0.25
    return float(np.abs(combined - combined.mean()).mean() ** 0.25)


def mse(reference: np.ndarray, distorted: np.ndarray) -> float:
    """Mean squared error, 0 is best."""
    return float(np.mean((distorted.astype(float) - reference) ** 2))


def psnr(reference: np.ndarray, distorted: np.ndarray) -> float:
    """Peak signal-to-noise ratio, dB.

    At most 58.9 dB, what rounding to 8 bits alone leaves (mean squared error 1/12): an image is
    also compared with itself, and infinite values cannot be compared.
    """
    return float(10 * np.log10(255**2 / max(mse(reference, distorted), 1 / 12)))


OBSERVERS: dict[str, Metric] = {
    "ssim": ssim,
    "ms_ssim": ms_ssim,
    "fsim": fsim,
    "gmsd": gmsd,
    "mdsi": mdsi,
    "mse": mse,
    "psnr": psnr,
}
"""All observers by name."""

OBSERVER_SETS: dict[str, tuple[str, ...]] = {
    "paper": ("ssim", "ms_ssim", "fsim", "gmsd", "mdsi"),
    "2020 report": ("mse", "psnr", "ssim", "gmsd", "mdsi"),
}
"""The metrics that the paper names, and those that its authors used in their report of 2020."""

LOWER_IS_BETTER = frozenset({"gmsd", "mdsi", "mse"})
"""Observers whose value falls as quality rises."""

_PREWITT = np.array([[1.0, 0, -1], [1, 0, -1], [1, 0, -1]]) / 3


def _ssim_maps(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.arange(-5, 6)
    window = np.exp(-(offsets**2) / (2 * 1.5**2))
    window /= window.sum()

    def smooth(image: np.ndarray) -> np.ndarray:
        return correlate1d(correlate1d(image, window, 0), window, 1)[5:-5, 5:-5]

    mean_x, mean_y = smooth(x), smooth(y)
    variance_x = smooth(x * x) - mean_x**2
    variance_y = smooth(y * y) - mean_y**2
    covariance = smooth(x * y) - mean_x * mean_y
    structure = (2 * covariance + _SSIM_C2) / (variance_x + variance_y + _SSIM_C2)
    luminance = (2 * mean_x * mean_y + _SSIM_C1) / (mean_x**2 + mean_y**2 + _SSIM_C1)
    return structure, luminance


def _mean_2x2(image: np.ndarray) -> np.ndarray:
    return _block_mean(image, 2)


def _block_mean(image: np.ndarray, size: int) -> np.ndarray:
    rows, columns = (side // size for side in image.shape)
    return image[: rows * size, : columns * size].reshape(rows, size, columns, size).mean((1, 3))


def _similarity(x: np.ndarray, y: np.ndarray, constant: float) -> np.ndarray:
    return (2 * x * y + constant) / (x * x + y * y + constant)


def _gradient(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return np.hypot(convolve(image, kernel, mode="constant"), convolve(image, kernel.T, mode="constant"))


_SCALES = 4
_ORIENTATIONS = 4


@lru_cache(maxsize=4)
def _log_gabor_filters(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the filters, shape (orientations, scales, rows, columns), and terms of the noise estimate."""
    rows, columns = shape
    u, v = np.meshgrid(fft.fftfreq(rows), fft.fftfreq(columns), indexing="ij")
    radius = np.hypot(u, v)
    theta = np.arctan2(-v, u)
    low_pass = 1 / (1 + (radius / 0.45) ** 30)
    radius[0, 0] = 1
    wavelengths = 6.0 * 2.0 ** np.arange(_SCALES)
    radial = np.exp(-(np.log(radius * wavelengths[:, None, None]) ** 2) / (2 * np.log(0.55) ** 2)) * low_pass
    radial[:, 0, 0] = 0
    angles = np.arange(_ORIENTATIONS)[:, None, None] * np.pi / _ORIENTATIONS
    distance = np.abs(np.angle(np.exp(1j * (theta - angles))))
    spread = np.exp(-(distance**2) / (2 * (np.pi / (_ORIENTATIONS * 1.2)) ** 2))
    filters = spread[:, None] * radial[None]
    finest_energy = (filters[:, 0] ** 2).sum((-2, -1))
    spatial = fft.ifft2(filters).real * np.sqrt(rows * columns)
    squares = (spatial**2).sum((1, 2, 3))
    products = (spatial.sum(1) ** 2).sum((1, 2)) - squares  # 2 x the sum over pairs of scales
    return filters, finest_energy, 2 * squares + 2 * products


def _phase_congruency(image: np.ndarray) -> np.ndarray:
    """Phase congruency PC_2 with Kovesi's noise compensation, k 2; shape of `image`."""
    filters, finest_energy, noise_gain = _log_gabor_filters(image.shape)
    response = fft.ifft2(fft.fft2(image) * filters)
    amplitude = np.abs(response)
    total = response.sum(1)
    mean = total / (np.abs(total) + np.finfo(float).eps)
    aligned = response * mean.conj()[:, None]
    energy = (aligned.real - np.abs(aligned.imag)).sum(1)
    noise_power = -np.median(amplitude[:, 0].reshape(_ORIENTATIONS, -1) ** 2, axis=1) / np.log(0.5)
    tau = np.sqrt(noise_power / finest_energy * noise_gain / 2)
    # 1.7: the estimate is valid for PC_1 and too high by about this factor for PC_2 (Kovesi's code).
    threshold = tau * (np.sqrt(np.pi / 2) + 2 * np.sqrt(2 - np.pi / 2)) / 1.7
    energy = np.maximum(energy - threshold[:, None, None], 0)
    epsilon = np.finfo(float).eps
    return (energy.sum(0) + epsilon) / (amplitude.sum((0, 1)) + epsilon)
