"""Phase congruency: where an image has features, whatever their contrast; what FSIM compares."""

from functools import lru_cache

import cv2
import numpy as np
from scipy import fft

_SCALES = 4
_ORIENTATIONS = 4
_EPSILON = float(np.finfo(float).eps)


def phase_congruency(image: np.ndarray) -> np.ndarray:
    """Phase congruency PC_2 with noise compensation, k 2; Kovesi 1999, Videre 1(3).

    `image` is float32 of shape (rows, columns), of mean 0 for the sake of its precision; the result, 0 to 1,
    is alike. Four scales and four orientations.
    """
    rows, columns = image.shape
    filters, finest_energy, noise_gain = _log_gabor_filters(image.shape)
    spectrum = cv2.dft(image, flags=cv2.DFT_COMPLEX_OUTPUT).reshape(rows, 2 * columns)
    energy = np.zeros_like(image)
    amplitude = np.zeros_like(image)
    for orientation in range(_ORIENTATIONS):
        # OpenCV's transform takes a third of the time of SciPy's, and leaves Python to other threads.
        parts = [
            cv2.split(cv2.idft((spectrum * one).reshape(rows, columns, 2), flags=cv2.DFT_SCALE))
            for one in filters[orientation]
        ]
        amplitudes = [length_of(real, imaginary) for real, imaginary in parts]
        amplitude += sum(amplitudes)
        real, imaginary = (sum(part) for part in zip(*parts, strict=True))
        length = length_of(real, imaginary)
        # Of each response, the part along the mean phase less that across it; the former add up to `length`.
        cosine, sine = real / (length + _EPSILON), imaginary / (length + _EPSILON)
        aligned = length - sum(np.abs(one[1] * cosine - one[0] * sine) for one in parts)
        noise_power = _median(amplitudes[0]) ** 2 / np.log(2)
        tau = np.sqrt(noise_power / finest_energy[orientation] * noise_gain[orientation] / 2)
        # 1.7: the estimate is valid for PC_1 and too high by about this factor for PC_2 (Kovesi's code).
        threshold = tau * (np.sqrt(np.pi / 2) + 2 * np.sqrt(2 - np.pi / 2)) / 1.7
        energy += np.maximum(aligned - np.float32(threshold), 0)
    return (energy + _EPSILON) / (amplitude + _EPSILON)


def length_of(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Length of the vectors (x, y). The last digit of cv2.magnitude depends on where arrays lie in memory."""
    squares = x * x
    squares += y * y
    return np.sqrt(squares, out=squares)


def _median(values: np.ndarray) -> float:
    """Return the upper median: np.median takes ten times as long to be half a value nearer."""
    middle = values.size // 2
    return float(np.partition(values, middle, axis=None)[middle])


@lru_cache(maxsize=4)
def _log_gabor_filters(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the filters and, float of shape (orientations,), two terms of the noise estimate.

    The filters are float32 of shape (orientations, scales, rows, 2 columns): each value stands twice, for the
    real and the imaginary part of a spectrum.
    """
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
    return np.repeat(filters.astype(np.float32), 2, axis=-1), finest_energy, 2 * squares + 2 * products
