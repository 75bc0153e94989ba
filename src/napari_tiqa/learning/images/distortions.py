"""The three distortions of the paper, at their published levels or any other: blur, noise, ring."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.ndimage import gaussian_filter

Distortion = Literal["blur", "noise", "ring"]
DISTORTIONS: tuple[Distortion, ...] = get_args(Distortion)

LEVELS: dict[Distortion, tuple[float, ...]] = {
    "blur": (1.2, 2.5, 6.5, 15.2, 33.2),
    "noise": (0.001, 0.006, 0.022, 0.088, 1.0),
    "ring": (0.10, 0.13, 0.15, 0.18, 0.20),
}
"""Strength of levels 1 to 5: Gaussian sigma in px, additive Gaussian variance, relative ring amplitude."""

_RING_WIDTH = 2.0  # px
_RING_STEP = (3.0, 10.0)  # px, radial distance from one ring to the next
_RING_COUNT = 20


@dataclass(frozen=True)
class Fields:
    """What is random about the distortions of one original; only its strength changes with the level.

    Drawn for each level, it would make quality rise and fall at random along the levels. `noise`, standard
    normal, and `rings`, +1 and -1 inside alternating annuli and 0 elsewhere, have the shape of the image,
    float32; `scale` is pixels of the image to one of the 224 x 224 that the levels are meant for.
    """

    noise: np.ndarray
    rings: np.ndarray
    scale: float = 1.0

    @classmethod
    def draw(
        cls,
        shape: tuple[int, ...],
        seed: int,
        centre: tuple[float, float] | None = None,
        scale: float = 1.0,
    ) -> "Fields":
        """Draw both for an image of a shape (rows, columns).

        The rings' centre is (row, column) in px, the image's centre where omitted; with `scale` they lie
        that many times as far apart and are as many times as wide.
        """
        rng = np.random.default_rng(seed)
        noise = rng.standard_normal(shape, dtype=np.float32)
        return cls(noise, _ring_pattern(shape, centre, scale, rng), scale)


def distort(image: np.ndarray, kind: Distortion, strength: float, fields: Fields) -> np.ndarray:
    """Distort an image, (rows, columns), float32 in [0, 1], at a strength in the units of `LEVELS`."""
    return np.clip(distort_unclipped(image, kind, strength, fields), 0, 1)


def distort_unclipped(image: np.ndarray, kind: Distortion, strength: float, fields: Fields) -> np.ndarray:
    """Distort an image as ``distort`` does, but leave what falls below 0 and above 1; float32."""
    if kind == "blur":
        distorted = gaussian_filter(image, strength * fields.scale, mode="nearest")
    elif kind == "noise":
        distorted = image + np.float32(np.sqrt(strength)) * fields.noise
    else:
        distorted = image * (1 + np.float32(strength) * fields.rings)
    return distorted.astype(np.float32, copy=False)


def distorted_versions(
    original: np.ndarray, seed: int, centre: tuple[float, float] | None = None
) -> np.ndarray:
    """Make the sixteen versions, (16, rows, columns), of an original, (rows, columns), float32 in [0, 1].

    They are the original, then levels 1 to 5, meant for 224 x 224 px, of blur, of noise and of ring; `seed`
    fixes rings and noise, `centre` is (row, column) of the rings in px, the image's centre where omitted.
    Levels: the public configuration of Zhang et al. 2022, doi 10.1038/s41524-022-00870-z.
    """
    fields = Fields.draw(original.shape, seed, centre)
    versions = [
        distort(original, kind, strength, fields) for kind in DISTORTIONS for strength in LEVELS[kind]
    ]
    return np.stack([np.clip(original, 0, 1).astype(np.float32), *versions])


def version_names() -> list[tuple[Distortion | None, int]]:
    """Distortion and level of each of the sixteen versions, in order; (None, 0) is the original."""
    return [(None, 0), *((kind, level) for kind in DISTORTIONS for level in range(1, 6))]


def _ring_pattern(
    shape: tuple[int, ...], centre: tuple[float, float] | None, scale: float, rng: np.random.Generator
) -> np.ndarray:
    """+1 and -1 inside alternating annuli, 0 elsewhere."""
    row, column = centre or ((shape[0] - 1) / 2, (shape[1] - 1) / 2)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    radius = np.hypot(rows - row, columns - column)
    inner = scale * np.cumsum(rng.uniform(*_RING_STEP, _RING_COUNT))
    sign = rng.choice([-1, 1])
    pattern = np.zeros(shape, np.float32)
    for start in inner:
        pattern[(radius >= start) & (radius < start + scale * _RING_WIDTH)] = sign
        sign = -sign
    return pattern
