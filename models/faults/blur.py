"""Blur: Gaussian, defocus disc, long tails of a scintillator, motion; and the fringes of phase contrast."""

from collections.abc import Callable

import cv2
import numpy as np

from models.faults import Fault, log_uniform

_LARGEST = 4.0  # px: a wider kernel is applied to a slice shrunk first, which looks the same


def blur(image: np.ndarray, scale: float, rng: np.random.Generator) -> Fault:
    """Draw a point spread; the strength is its standard deviation in px at 224 px."""
    kind = rng.choice(["gaussian", "gaussian", "disc", "tails"])
    tail = rng.uniform(2, 5), rng.uniform(0.2, 0.6)

    def kernel(image: np.ndarray, sigma: float) -> np.ndarray:
        if kind == "disc":
            return _disc(image, 2 * sigma)
        if kind == "tails":
            wide, share = tail
            core = sigma / np.sqrt(1 - share + share * wide**2)
            return (1 - np.float32(share)) * _gaussian(image, core) + np.float32(share) * _gaussian(
                image, wide * core
            )
        return _gaussian(image, sigma)

    return Fault(
        "blur", 0.35, 33.0, lambda image, strength: _at_a_smaller_size(image, strength * scale, kernel)
    )


def gaussian_blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Blur by a Gaussian of any width, px, in a time that hardly depends on it."""
    return _at_a_smaller_size(image, sigma, _gaussian)


def motion(image: np.ndarray, scale: float, rng: np.random.Generator) -> Fault:
    """Draw a direction in which the slice moved; the strength is by how many px at 224 px."""
    angle = rng.uniform(0, np.pi)

    def kernel(image: np.ndarray, length: float) -> np.ndarray:
        side = 2 * int(np.ceil(length / 2)) + 3
        line = np.zeros((side, side), np.float32)
        for place in np.linspace(-length / 2, length / 2, 4 * side):
            across, down = (side // 2 + place * part for part in (np.cos(angle), np.sin(angle)))
            column, row = int(across), int(down)
            right, below = across - column, down - row
            for r, c, weight in (
                (row, column, (1 - below) * (1 - right)),
                (row, column + 1, (1 - below) * right),
                (row + 1, column, below * (1 - right)),
                (row + 1, column + 1, below * right),
            ):
                line[r, c] += weight
        return cv2.filter2D(image, -1, line / line.sum(), borderType=cv2.BORDER_REFLECT)

    return Fault(
        "motion", 1.0, 40.0, lambda image, strength: _at_a_smaller_size(image, strength * scale, kernel, 3)
    )


def fringes(image: np.ndarray, scale: float, rng: np.random.Generator) -> Fault:
    """Draw the fringes along edges left without phase retrieval; the strength is theirs."""
    sigma = log_uniform(rng, 0.6, 2.5) * scale
    edges = image - gaussian_blur(image, sigma)
    if rng.random() < 0.5:
        edges = edges - gaussian_blur(edges, 1.6 * sigma)
    return Fault("fringes", 0.15, 6.0, lambda image, strength: image + np.float32(strength) * edges)


def _at_a_smaller_size(
    image: np.ndarray,
    sigma: float,
    kernel: Callable[[np.ndarray, float], np.ndarray],
    most: float = 1.0,
) -> np.ndarray:
    """Blur by `sigma` px; where that is much more than `most` times 4 px, an image made smaller first."""
    factor = int(sigma / (_LARGEST * most))
    if factor < 2:
        return kernel(image, sigma)
    sides = tuple(max(8, side // factor) for side in image.shape)
    small = cv2.resize(image, sides[::-1], interpolation=cv2.INTER_AREA)
    blurred = kernel(small, sigma * sides[0] / image.shape[0])
    return cv2.resize(blurred, image.shape[::-1], interpolation=cv2.INTER_CUBIC)


def _gaussian(image: np.ndarray, sigma: float) -> np.ndarray:
    side = 2 * int(np.ceil(4 * sigma)) + 1
    return cv2.GaussianBlur(image, (side, side), sigma, borderType=cv2.BORDER_REPLICATE)


def _disc(image: np.ndarray, radius: float) -> np.ndarray:
    reach = int(np.ceil(radius)) + 1
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(rows, columns), 0, 1).astype(np.float32)
    return cv2.filter2D(image, -1, disc / disc.sum(), borderType=cv2.BORDER_REPLICATE)
