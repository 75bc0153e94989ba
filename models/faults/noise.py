"""Noise: white, smooth, as a ramp filter leaves it, dependent on the signal; clipped or not; zingers."""

import cv2
import numpy as np
import scipy.fft

from models.faults import Fault, log_uniform
from napari_tiqa.scoring.network_input import area_mean


def noise(image: np.ndarray, scale: float, rng: np.random.Generator) -> Fault:
    """Draw noise; its strength is the variance that is left at 224 px."""
    field = rng.standard_normal(image.shape, dtype=np.float32)
    kind = rng.choice(["white", "white", "smooth", "ramp"])
    if kind == "smooth":
        grains = log_uniform(rng, 0.4, 2.5) * rng.choice([1.0, scale])
        field = cv2.GaussianBlur(field, (0, 0), grains)
    elif kind == "ramp":
        field = _ramp_filtered(field, rng)
    if rng.random() < 0.3:  # more photons are missing where more is absorbed, or less
        slope = rng.uniform(-0.8, 0.8)
        field = field * (1 + np.float32(slope) * (2 * image - 1))
    field -= field.mean()
    field /= max(float(area_mean(field).std()), 1e-6)
    clipped = rng.random() < 0.6

    def apply(image: np.ndarray, strength: float) -> np.ndarray:
        noisy = image + np.float32(np.sqrt(strength)) * field
        return np.clip(noisy, 0, 1) if clipped else noisy

    return Fault("noise", 0.0003, 1.0, apply)


def zingers(image: np.ndarray, scale: float, rng: np.random.Generator) -> Fault:
    """Draw hot and dead pixels, in blots of a few; the strength is their share of the area at 224 px."""
    places = rng.random(image.shape, dtype=np.float32)
    size = int(np.clip(round(scale * rng.uniform(0.5, 2.0)), 1, 15))
    value = np.float32(rng.choice([1.2, 1.0, 0.0], p=[0.5, 0.3, 0.2]))

    def apply(image: np.ndarray, strength: float) -> np.ndarray:
        hit = (places < strength / size**2).astype(np.uint8)
        if size > 1:
            hit = cv2.dilate(hit, np.ones((size, size), np.uint8))
        return np.where(hit > 0, value, image)

    return Fault("zingers", 0.0005, 0.15, apply)


def _ramp_filtered(field: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give noise the spectrum of a reconstruction: a ramp, rolled off at high frequencies."""
    rows = scipy.fft.fftfreq(field.shape[0])[:, None]
    columns = scipy.fft.rfftfreq(field.shape[1])[None]
    frequency = np.hypot(rows, columns).astype(np.float32)
    power = np.sqrt(frequency) * np.exp(-((frequency / rng.uniform(0.2, 0.6)) ** 2))
    spectrum = scipy.fft.rfft2(field) * power
    return scipy.fft.irfft2(spectrum, field.shape).astype(np.float32)
