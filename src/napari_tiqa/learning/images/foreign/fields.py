"""What the generators of foreign images share."""

import cv2
import numpy as np


def smooth_field(side: int, scale: float, rng: np.random.Generator) -> np.ndarray:
    """Return a smooth random field, standard deviation 1, shape (side, side), float32."""
    coarse = max(4, min(side, round(4 * side / max(scale, 1))))
    field = rng.standard_normal((coarse, coarse)).astype(np.float32)
    field = cv2.GaussianBlur(field, (0, 0), max(0.5, scale * coarse / side), borderType=cv2.BORDER_REFLECT)
    field = cv2.resize(field, (side, side), interpolation=cv2.INTER_CUBIC)
    return (field - field.mean()) / (field.std() + 1e-6)


def fractal_field(side: int, slope: float, rng: np.random.Generator) -> np.ndarray:
    """Return a field whose amplitude falls with frequency to the power of `slope`, as ``smooth_field``."""
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side))
    frequency[0, 0] = 1
    noise = np.fft.rfft2(rng.standard_normal((side, side)))
    field = np.fft.irfft2(noise / frequency**slope, (side, side)).astype(np.float32)
    return (field - field.mean()) / field.std()


def scaled(image: np.ndarray) -> np.ndarray:
    """Map an image from its least and greatest value to [0, 1], float32."""
    low, high = float(image.min()), float(image.max())
    return ((image - low) / (high - low or 1)).astype(np.float32)
