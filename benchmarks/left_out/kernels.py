"""Blur as a transfer function: any even kernel, of any width, in one cosine transform."""

from collections.abc import Callable

import numpy as np
from scipy.fft import dctn, idctn

Transfer = Callable[[np.ndarray, np.ndarray, float], np.ndarray]
"""What is left of waves along rows and columns (radians per px), by a width in px."""


def gaussian(rows: np.ndarray, columns: np.ndarray, width: float) -> np.ndarray:
    return np.exp(-0.5 * width**2 * (rows**2 + columns**2))


def box(rows: np.ndarray, columns: np.ndarray, width: float) -> np.ndarray:
    """Square box with the standard deviation `width`: a detector's large pixels."""
    side = width * np.sqrt(12)
    return np.sinc(rows * side / (2 * np.pi)) * np.sinc(columns * side / (2 * np.pi))


def lorentzian(rows: np.ndarray, columns: np.ndarray, width: float) -> np.ndarray:
    """Long tails, as light spreads in a thick scintillator."""
    return np.exp(-0.8 * width * np.hypot(rows, columns))


def butterworth(rows: np.ndarray, columns: np.ndarray, width: float) -> np.ndarray:
    """Low-pass of fourth order, as reconstruction filters have it: flat, then steep."""
    return 1 / (1 + (1.2 * width * np.hypot(rows, columns)) ** 4)


def anisotropic(rows: np.ndarray, columns: np.ndarray, width: float) -> np.ndarray:
    """Sharper along columns than along rows, as in a plane along the rotation axis."""
    return np.exp(-0.5 * ((1.5 * width * columns) ** 2 + (0.4 * width * rows) ** 2))


def blurred(image: np.ndarray, transfer: Transfer, width: float) -> np.ndarray:
    """Blur an image, (rows, columns), continued by reflection."""
    rows, columns = (np.pi * np.arange(side, dtype=np.float32) / side for side in image.shape)
    spectrum = dctn(image.astype(np.float32), norm="ortho")
    spectrum *= transfer(rows[:, None], columns[None], width).astype(np.float32)
    return idctn(spectrum, norm="ortho")
