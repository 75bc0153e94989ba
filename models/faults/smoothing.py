"""What processing takes away: denoisers, iterative reconstructions ("plastic"), lossy files, few levels."""

import cv2
import numpy as np

from models.faults import Fault, log_uniform

_LARGEST = 512  # px; larger slices are filtered as they are shrunk


def denoised(image: np.ndarray, scale: float, rng: np.random.Generator) -> Fault:
    """Draw a noisy scan and a denoiser; the strength is the denoiser's."""
    kind = rng.choice(["bilateral", "median", "means", "variation"])
    spread = log_uniform(rng, 0.003, 0.03) if rng.random() < 0.5 else 0.0
    field = rng.standard_normal(image.shape, dtype=np.float32)
    radius = max(1.0, scale if len(image) <= _LARGEST else 1.0)

    def apply(image: np.ndarray, strength: float) -> np.ndarray:
        shape = image.shape
        if len(image) > _LARGEST:
            image = cv2.resize(image, (224, 224), interpolation=cv2.INTER_AREA)
            noisy = image + np.float32(spread) * field[:224, :224]
        else:
            noisy = image + np.float32(spread) * field
        smooth = _FILTERS[kind](np.clip(noisy, 0, 1), strength, radius)
        if smooth.shape == shape:
            return smooth
        return cv2.resize(smooth, shape[::-1], interpolation=cv2.INTER_LINEAR)

    return Fault("denoised", 0.1, 1.0, apply)


def compressed(image: np.ndarray, scale: float, rng: np.random.Generator) -> Fault:
    """Save as JPEG; the strength is 100 minus the quality."""

    def apply(image: np.ndarray, strength: float) -> np.ndarray:
        quality = [cv2.IMWRITE_JPEG_QUALITY, round(100 - strength)]
        stored = cv2.imencode(".jpg", _bytes(image), quality)[1]
        return np.asarray(cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE), np.float32) / 255

    return Fault("compressed", 30.0, 98.0, apply)


def posterised(image: np.ndarray, scale: float, rng: np.random.Generator) -> Fault:
    """Keep few grey levels; the strength is their distance."""
    start = np.float32(rng.random())

    def apply(image: np.ndarray, strength: float) -> np.ndarray:
        return (np.floor(image / np.float32(strength) + start) + 0.5 - start) * np.float32(strength)

    return Fault("posterised", 0.04, 0.4, apply)


def _bytes(image: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def _bilateral(image: np.ndarray, strength: float, radius: float) -> np.ndarray:
    smooth = image
    for _ in range(3):
        smooth = cv2.bilateralFilter(smooth, 7, 0.25 * strength, 1.5 * radius)
    return smooth


def _median(image: np.ndarray, strength: float, radius: float) -> np.ndarray:
    side = 2 * max(1, round(6 * strength * radius)) + 1
    return cv2.medianBlur(_bytes(image), min(side, 41)).astype(np.float32) / 255


def _means(image: np.ndarray, strength: float, radius: float) -> np.ndarray:
    return cv2.fastNlMeansDenoising(_bytes(image), None, 60 * strength, 5, 11).astype(np.float32) / 255


def _variation(image: np.ndarray, strength: float, radius: float) -> np.ndarray:
    """Minimise total variation, by Chambolle's iteration (doi 10.1023/B:JMIV.0000011325.36760.1e)."""
    weight = np.float32(0.6 * strength**1.5)
    across, down = np.zeros_like(image), np.zeros_like(image)
    for _ in range(25):
        divergence = across + down
        divergence[:, 1:] -= across[:, :-1]
        divergence[1:] -= down[:-1]
        smooth = image + weight * divergence
        step_x = np.zeros_like(image)
        step_y = np.zeros_like(image)
        step_x[:, :-1] = np.diff(smooth, axis=1)
        step_y[:-1] = np.diff(smooth, axis=0)
        across += np.float32(0.24) / weight * step_x
        down += np.float32(0.24) / weight * step_y
        length = np.maximum(1, np.hypot(across, down))
        across /= length
        down /= length
    return smooth


_FILTERS = {"bilateral": _bilateral, "median": _median, "means": _means, "variation": _variation}
