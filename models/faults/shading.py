"""Slow changes of grey level across a slice: cupping of beam hardening, and the rim of a truncated scan."""

import numpy as np

from models.faults import Fault


def cupping(image: np.ndarray, scale: float, rng: np.random.Generator) -> Fault:
    """Draw a bowl, or a dome, about somewhere near the middle; the strength is its depth."""
    bowl = _radius(image, rng) ** np.float32(rng.uniform(1.5, 3))
    dome = rng.random() < 0.2

    def apply(image: np.ndarray, strength: float) -> np.ndarray:
        dark = 1 - np.float32(strength) * (bowl if dome else 1 - np.minimum(bowl, 1))
        return image * dark

    return Fault("cupping", 0.08, 0.85, apply)


def truncation(image: np.ndarray, scale: float, rng: np.random.Generator) -> Fault:
    """Draw the bright rim of a specimen wider than the field of view; the strength is its height."""
    rim = np.minimum(_radius(image, rng), 1.4) ** np.float32(rng.uniform(4, 12))
    return Fault("truncation", 0.08, 1.2, lambda image, strength: image + np.float32(strength) * rim)


def _radius(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the distance from a place near the middle, in half sides; float32."""
    rows, columns = (np.linspace(-1, 1, side, dtype=np.float32) for side in image.shape)
    row, column = rng.uniform(-0.2, 0.2, 2)
    return np.hypot(rows[:, None] - np.float32(row), columns[None] - np.float32(column))
