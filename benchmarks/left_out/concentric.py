"""Content that is concentric about the rotation axis and has no ring artefact: drawn here, independently."""

import numpy as np

KINDS = ("winding", "tubes", "growth rings")


def concentric_slice(kind: str, side: int, seed: int) -> np.ndarray:
    """Draw a slice, (side, side), float32 in [0, 1], of one of `KINDS`, four samples a pixel."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    fine = 2 * side
    y, x = np.mgrid[-1 : 1 : fine * 1j, -1 : 1 : fine * 1j]
    # Nothing real is quite round.
    lobes = sum(rng.normal(0, 0.004) * np.cos(k * np.arctan2(y, x) + rng.uniform(0, 6)) for k in range(2, 7))
    radius, angle = np.hypot(y, x) * (1 + lobes), np.arctan2(y, x)
    image = {"winding": _winding, "tubes": _tubes, "growth rings": _growth}[kind](radius, angle, rng)
    pixels = image.reshape(side, 2, side, 2).mean((1, 3)) + rng.normal(0, 0.008, (side, side))
    return np.clip(0.05 + 0.9 * pixels, 0, 1).astype(np.float32)


def _winding(radius: np.ndarray, angle: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two coated foils in a spiral, in a can."""
    pitch, core = rng.uniform(0.035, 0.07), rng.uniform(0.12, 0.2)
    phase = (radius / pitch - angle / (2 * np.pi)) % 1
    layers = np.select(
        [phase < 0.08, phase < 0.45, phase < 0.52, phase < 0.6, phase < 0.93], [0.9, 0.6, 0.1, 0.7, 0.35]
    )
    can = (radius > 0.88) & (radius < 0.92)
    return np.where(can, 1.0, np.where((radius > core) & (radius < 0.84), layers, 0.0))


def _tubes(radius: np.ndarray, angle: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Three tubes in one another, the innermost filled with grains."""
    image = np.zeros_like(radius)
    for outer in (0.93, 0.7, 0.42):
        wall = rng.uniform(0.02, 0.05)
        image[(radius < outer) & (radius > outer - wall)] = rng.uniform(0.5, 1)
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    for _ in range(60):
        r, a, size = 0.34 * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi), rng.uniform(0.015, 0.04)
        image[np.hypot(x - r * np.cos(a), y - r * np.sin(a)) < size] = rng.uniform(0.4, 0.8)
    return image


def _growth(radius: np.ndarray, angle: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Early and late wood by turns, of uneven years, with rays."""
    borders = np.concatenate([[0], np.cumsum(rng.uniform(0.04, 0.11, 30))])
    wavy = radius * (1 + 0.015 * np.sin(5 * angle + 9 * radius))
    year = np.clip(np.searchsorted(borders, wavy) - 1, 0, 29)
    season = (wavy - borders[year]) / (borders[year + 1] - borders[year])
    rays = np.abs(np.sin(angle * 40 + 3 * np.sin(4 * radius))) < 0.06
    return np.where(radius < 0.9, 0.3 + 0.5 * season**3 + 0.15 * rays, 0.0)
