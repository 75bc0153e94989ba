"""BRISQUE, the stock no-reference metric: natural scene statistics and the regressor its authors trained.

A. Mittal, A. K. Moorthy, A. C. Bovik, IEEE Trans. Image Process. 21 (2012), doi 10.1109/TIP.2012.2214050.
Written after the paper, with the choices of its authors' release, which the regressor was trained with: zeros
beyond the border, neighbours across it, a bicubic half size. No package offers it on NumPy 2 without PyTorch
or a download (docs/evaluation.md).
"""

from functools import lru_cache

import numpy as np
from scipy.ndimage import correlate1d
from scipy.special import gamma

from napari_tiqa.weights import WEIGHTS_FOLDER

TRAINED = WEIGHTS_FOLDER / "brisque_live.npz"
"""Support vectors trained on the photographs of LIVE release 2; tools/convert_brisque.py says from where."""

_WINDOW = np.exp(-0.5 * (np.arange(-3, 4) / (7 / 6)) ** 2)
_WINDOW /= _WINDOW.sum()
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (-1, 1))
_SHAPES = np.arange(0.2, 10.001, 0.001)
# For each shape of a generalised Gaussian, (mean |x|)^2 / mean x^2: rises with the shape.
_RATIOS = gamma(2 / _SHAPES) ** 2 / (gamma(1 / _SHAPES) * gamma(3 / _SHAPES))
_TINY = 1e-12  # keeps a black image from dividing 0 by 0


def brisque(image: np.ndarray) -> float:
    """Rate an image of grey values 0 to 255: about 0 (best) to about 100 (worst).

    Best about as large as the photographs it was made for, at least 16 px a side.
    """
    trained = _trained()
    features = brisque_features(image)
    scaled = 2 * (features - trained["low"]) / (trained["high"] - trained["low"]) - 1
    distance = ((trained["vectors"] - scaled) ** 2).sum(1)
    return float(trained["coefficients"] @ np.exp(-trained["gamma"] * distance) - trained["rho"])


def brisque_features(image: np.ndarray) -> np.ndarray:
    """Return the 36 statistics of BRISQUE, shape (36,), of an image as in ``brisque``.

    At full and half size: shape and variance of the generalised Gaussian of the normalised luminance (eq.
    4), then shape, mean, left and right variance of the asymmetric one (eq. 11) of the products of its
    horizontal, vertical and two diagonal neighbours.
    """
    image = np.asarray(image, float)
    features = [*_scene_statistics(image), *_scene_statistics(half_size(image))]
    return np.array(features)


def half_size(image: np.ndarray) -> np.ndarray:
    """Shrink to half by the bicubic kernel (a = -0.5), stretched over twice the width against aliasing."""
    distance = np.abs(np.arange(-3.5, 4)) / 2
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    kernel = np.where(distance < 1, near, far)
    kernel /= kernel.sum()
    for axis in (0, 1):
        # An even kernel lies between two pixels: with this origin between 0 and 1, 2 and 3, ...
        image = correlate1d(image, kernel, axis, mode="reflect", origin=-1)
    return image[::2, ::2]


@lru_cache(maxsize=1)
def _trained() -> dict[str, np.ndarray]:
    with np.load(TRAINED, allow_pickle=False) as stored:
        return {name: stored[name].astype(float) for name in stored.files}


def _scene_statistics(image: np.ndarray) -> list[float]:
    mean = _local_mean(image)
    deviation = np.sqrt(np.abs(_local_mean(image * image) - mean * mean))
    luminance = (image - mean) / (deviation + 1)
    square = np.mean(luminance**2) + _TINY
    statistics = [_shape(np.mean(np.abs(luminance)) ** 2 / square), square]
    for shift in _NEIGHBOURS:
        statistics += _asymmetric_gaussian(luminance * np.roll(luminance, shift, (0, 1)))
    return statistics


def _local_mean(image: np.ndarray) -> np.ndarray:
    rows = correlate1d(image, _WINDOW, 0, mode="constant")
    return correlate1d(rows, _WINDOW, 1, mode="constant")


def _asymmetric_gaussian(product: np.ndarray) -> list[float]:
    """Fit an asymmetric generalised Gaussian by its moments (eqs. 11 to 15; Lasmar et al. 2009)."""
    left, right = (
        (product[side] ** 2).sum() / max(side.sum(), 1) + _TINY for side in (product < 0, product > 0)
    )
    skew = np.sqrt(left / right)
    ratio = np.mean(np.abs(product)) ** 2 / (np.mean(product**2) + _TINY)
    shape = _shape(ratio * (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2)
    scale = gamma(2 / shape) / np.sqrt(gamma(1 / shape) * gamma(3 / shape))
    return [shape, (np.sqrt(right) - np.sqrt(left)) * scale, left, right]


def _shape(ratio: float) -> float:
    return float(np.interp(ratio, _RATIOS, _SHAPES))
