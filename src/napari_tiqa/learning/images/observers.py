"""Full-reference metrics: the observers that label distorted images in place of people.

All take a reference and a distorted grey image of one shape, values 0 to 255, or the terms of either. They
have the constants of their papers, which are tuned to 8-bit images, and compute in single precision, sums in
double.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from napari_tiqa.learning.images.image_terms import ImageTerms, window_mean
from napari_tiqa.learning.images.phase_congruency import length_of

Picture = np.ndarray | ImageTerms
Metric = Callable[[Picture, Picture], float]

_SSIM_C1 = (0.01 * 255) ** 2
_SSIM_C2 = (0.03 * 255) ** 2
_MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def compare(reference: np.ndarray, images: Iterable[np.ndarray], observers: Sequence[str]) -> np.ndarray:
    """Compare n images with one reference, whose share of the work is done once.

    Returns the values of `observers` (names of `OBSERVERS`), float, shape (n, observers).
    """
    reference_terms = ImageTerms(reference)
    values = []
    for image in images:
        terms = ImageTerms(image)
        values.append([OBSERVERS[name](reference_terms, terms) for name in observers])
    return np.array(values, float).reshape(-1, len(observers))


def ssim(reference: Picture, distorted: Picture) -> float:
    """Structural similarity, at most 1; Wang et al. 2004, doi 10.1109/TIP.2003.819861.

    11 x 11 Gaussian window, sigma 1.5 px, K1 0.01, K2 0.03, valid region only, no down-sampling first.
    """
    x, y = ImageTerms.of(reference), ImageTerms.of(distorted)
    return _mean(_structure(x, y) * _luminance(x, y))


def ms_ssim(reference: Picture, distorted: Picture) -> float:
    """Multi-scale SSIM over five scales, at most 1; Wang et al. 2003, doi 10.1109/ACSSC.2003.1292216.

    Raises ValueError if a side is under 176 px, whose fifth scale is smaller than the window.
    """
    x, y = ImageTerms.of(reference), ImageTerms.of(distorted)
    if min(x.pixels.shape) < 176:
        raise ValueError(f"MS-SSIM needs images of at least 176 x 176 px, not {x.pixels.shape}.")
    value = 1.0
    for weight in _MS_SSIM_WEIGHTS[:-1]:
        value *= max(_mean(_structure(x, y)), 0.0) ** weight
        x, y = x.halved, y.halved
    return float(value * max(ssim(x, y), 0.0) ** _MS_SSIM_WEIGHTS[-1])


def fsim(reference: Picture, distorted: Picture) -> float:
    """Feature similarity, at most 1; Zhang et al. 2011, doi 10.1109/TIP.2011.2109730.

    Phase congruency (4 scales, 4 orientations) and Scharr gradient, T1 0.85, T2 160.
    """
    x, y = ImageTerms.of(reference).shrunk, ImageTerms.of(distorted).shrunk
    congruency = 1 - _difference(x.congruency, y.congruency, 0.85)
    gradient = 1 - _difference(x.scharr_length, y.scharr_length, 160)
    weight = np.maximum(x.congruency, y.congruency)
    return _mean(congruency * gradient * weight) / _mean(weight)


def gmsd(reference: Picture, distorted: Picture) -> float:
    """Gradient magnitude similarity deviation, 0 is best; Xue et al. 2014, doi 10.1109/TIP.2013.2293423.

    2 x 2 mean, Prewitt gradient, c 170.
    """
    x, y = ImageTerms.of(reference).halved, ImageTerms.of(distorted).halved
    # A similarity deviates as its difference from 1 does.
    return float(_difference(x.prewitt_length, y.prewitt_length, 170).std(dtype=float))


def mdsi(reference: Picture, distorted: Picture) -> float:
    """Mean deviation similarity index, 0 is best; Nafchi et al. 2016, doi 10.1109/ACCESS.2016.2604042.

    C1 140, C2 55, C3 550, alpha 0.6, exponents 1/4. A grey image stands for three equal channels; for it
    the chromaticity term compares scaled luminances.
    """
    # The order of the pair matters: as in the paper's code the fused image is compared with both.
    first, second = ImageTerms.of(distorted).shrunk, ImageTerms.of(reference).shrunk
    # The paper's colour model for R = G = B = grey: luminance L and chromaticities H, M.
    luminance = 0.2989 + 0.5870 + 0.1140
    chroma = (0.30 + 0.04 - 0.35) ** 2 + (0.34 - 0.60 + 0.17) ** 2
    # The gradient of the mean of both images is the mean of their gradients.
    fused = length_of(*(0.5 * (a + b) for a, b in zip(first.prewitt, second.prewitt, strict=True)))
    # A similarity of scaled values is that of the values with a constant scaled back.
    c1, c2 = 140 / luminance**2, 55 / luminance**2
    gradient = (
        _difference(first.prewitt_length, second.prewitt_length, c1)
        + _difference(first.prewitt_length, fused, c2)
        - _difference(second.prewitt_length, fused, c2)
    )
    # Differences from 1 are small numbers: single precision holds them well, the similarities it would not.
    lost = 0.6 * gradient + 0.4 * _difference(first.pixels, second.pixels, 550 / chroma)
    combined = 1 - lost.astype(float)
    root = np.sqrt(np.sqrt(np.abs(combined)))
    if (combined < 0).any():
        root = np.where(combined < 0, root * np.exp(0.25j * np.pi), root)
    return float(np.abs(root - root.mean()).mean() ** 0.25)


def mse(reference: Picture, distorted: Picture) -> float:
    """Mean squared error, 0 is best."""
    return _mean((ImageTerms.of(distorted).pixels - ImageTerms.of(reference).pixels) ** 2)


def psnr(reference: Picture, distorted: Picture) -> float:
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


def _structure(x: ImageTerms, y: ImageTerms) -> np.ndarray:
    covariance = window_mean(x.centred * y.centred) - x.window_mean * y.window_mean
    return (2 * covariance + _SSIM_C2) / (x.variance + y.variance + _SSIM_C2)


def _luminance(x: ImageTerms, y: ImageTerms) -> np.ndarray:
    return 1 - _difference(x.brightness, y.brightness, _SSIM_C1)


def _difference(x: np.ndarray, y: np.ndarray, constant: float) -> np.ndarray:
    """Return what the similarity (2xy + constant) / (x² + y² + constant) lacks to 1."""
    lacking = x - y
    lacking *= lacking
    lacking /= x * x + y * y + constant
    return lacking


def _mean(values: np.ndarray) -> float:
    return float(values.mean(dtype=float))
