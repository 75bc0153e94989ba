"""Rings of any width, sharp or soft, additive or multiplicative, whole or partial, few or many."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from models.faults import Fault, log_uniform

_FARTHEST = 5.0  # sides of the image


def rings(
    image: np.ndarray,
    scale: float,
    rng: np.random.Generator,
    centre: tuple[float, float] | None = None,
) -> Fault:
    """Draw rings; the strength is the amplitude of the strongest, relative to the slice's range.

    `centre`, (row, column) in px, is drawn where it is omitted: near the middle, anywhere about it, or as
    far off as it is from a tile at the rim of a large slice, where rings are nearly straight.
    """
    side = len(image)
    if centre is None:
        centre = _centre(side, rng)
    down, across = np.ogrid[:side, :side]
    radius = np.hypot(down - centre[0], across - centre[1]).astype(np.float32)
    pattern = _profile(float(radius.min()), float(radius.max()), scale, rng)
    oversampled = radius * 4
    places = np.minimum(oversampled.astype(int), len(pattern) - 2)
    weight = oversampled - places
    field = pattern[places] * (1 - weight) + pattern[places + 1] * weight
    if rng.random() < 0.4:
        field = field * _arc(down - centre[0], across - centre[1], rng)
    multiplied = rng.random() < 0.5
    field = field.astype(np.float32)

    def apply(image: np.ndarray, strength: float) -> np.ndarray:
        ring = np.float32(strength) * field
        return image * (1 + ring) if multiplied else image + np.float32(0.6) * ring

    return Fault("ring", 0.02, 0.45, apply)


def _centre(side: int, rng: np.random.Generator) -> tuple[float, float]:
    kind = rng.random()
    if kind < 0.65:
        row, column = (side - 1) / 2 + side * rng.uniform(-1, 1, 2) * (0.9 if kind < 0.3 else 0.02)
        return float(row), float(column)
    distance, angle = side * log_uniform(rng, 0.6, _FARTHEST), rng.uniform(0, 2 * np.pi)
    return side / 2 + distance * np.sin(angle), side / 2 + distance * np.cos(angle)


def _profile(near: float, reach: float, scale: float, rng: np.random.Generator) -> np.ndarray:
    """Draw what the rings add at each quarter of a pixel of radius, at most 1 either way.

    The image lies between the radii `near` and `reach`, px.
    """
    profile = np.zeros(int(4 * reach) + 8, np.float32)
    kind = rng.choice(["annuli", "detector", "sparse"])
    # As thin as a detector element, or as visible as the published ones at 224 px.
    width = scale * log_uniform(rng, 1.0, 6.0) if rng.random() < 0.7 else log_uniform(rng, 1.0, 3.0)
    if kind == "detector":  # each element is a little off, a few are far off
        quarters = max(1, round(4 * width))
        count = len(profile) // quarters + 1
        values = 0.3 * rng.standard_normal(count)
        values += (rng.random(count) < rng.uniform(0.03, 0.2)) * rng.standard_normal(count)
        profile[:] = np.repeat(values, quarters)[: len(profile)]
    else:
        spacing = 3 * scale, 10 * scale
        at, sign = near + scale * rng.uniform(1, 10), rng.choice([-1.0, 1.0])
        many = kind == "annuli"
        left = int(rng.integers(12, 60)) if many else int(rng.integers(1, 8))
        while left and at < reach:
            own = width * rng.uniform(0.7, 1.4)
            height = sign if many and rng.random() < 0.7 else sign * rng.uniform(0.3, 1)
            profile[int(4 * at) : int(4 * (at + own)) + 1] = height
            at += own + (rng.uniform(*spacing) if many else rng.uniform(0.02, 0.4) * (reach - near))
            sign, left = -sign, left - 1
    soft = width * rng.choice([0.05, 0.2, 0.5]) * 4
    profile = gaussian_filter1d(profile, soft, mode="nearest")
    return profile / max(float(np.abs(profile[int(4 * near) :]).max()), 1e-6)


def _arc(down: np.ndarray, across: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw over which angles the rings go: half of those that the image sees, or less, with soft ends."""
    place = down[rng.integers(len(down)), 0], across[0, rng.integers(across.shape[1])]
    away = np.abs((np.arctan2(down, across) - np.arctan2(*place) + np.pi) % (2 * np.pi) - np.pi)
    seen = float(away.max()) / np.pi
    half = seen * rng.choice([np.pi / 2, rng.uniform(0.3, np.pi)])
    return np.clip((half - away) / (0.1 * seen) + 0.5, 0, 1).astype(np.float32)
