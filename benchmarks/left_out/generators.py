"""Faults of a slice at its own size: the paper's, implemented again, and others that no training has seen.

A generator takes a slice, (n, n), float32 in [0, 1], and its strengths, mild to strong. They are those at 224
px: faults are so many times as large as make them as visible when the slice is shrunk to that. What is random
is drawn once for all levels.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.ndimage import gaussian_filter1d, map_coordinates
from scipy.signal import lfilter

from benchmarks.left_out import kernels

Spoil = Callable[[np.ndarray, np.random.Generator, tuple[float, ...], float], list[np.ndarray]]
"""A slice, what to draw from, the strengths, and how many px one at 224 px is: the slice at each strength."""


@dataclass(frozen=True)
class Generator:
    """One way to spoil a slice; `family` is that of ``learning.images.groups.FAMILIES`` it belongs to."""

    name: str
    family: str
    strengths: tuple[float, ...]
    spoil: Spoil
    at_native_size: bool = False

    def versions(self, image: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
        """Spoil a slice at each strength."""
        scale = 1.0 if self.at_native_size else min(image.shape) / 224
        return self.spoil(image, rng, self.strengths, scale)


def _blur(
    transfer: kernels.Transfer,
    image: np.ndarray,
    rng: np.random.Generator,
    widths: tuple[float, ...],
    scale: float,
) -> list[np.ndarray]:
    return [kernels.blurred(image, transfer, width * scale) for width in widths]


def _added(image: np.ndarray, field: np.ndarray, amounts: list[float]) -> list[np.ndarray]:
    return [image + np.float32(amount) * field for amount in amounts]


def _deviations(variances: tuple[float, ...], scale: float) -> list[float]:
    """Shrinking averages over as many pixels as its square: that much more noise."""
    return [float(np.sqrt(variance)) * scale for variance in variances]


def _white(
    image: np.ndarray, rng: np.random.Generator, variances: tuple[float, ...], scale: float
) -> list[np.ndarray]:
    field = rng.standard_normal(image.shape).astype(np.float32)
    return _added(image, field, _deviations(variances, scale))


def _counts(
    image: np.ndarray, rng: np.random.Generator, variances: tuple[float, ...], scale: float
) -> list[np.ndarray]:
    """Photons counted behind an absorber, and the logarithm: more noise where it is dense."""
    transmitted = np.exp(-1.5 * image)
    drawn = rng.standard_normal(image.shape)
    versions = []
    for deviation in _deviations(variances, scale):
        photons = np.exp(0.75) / (1.5 * deviation) ** 2
        # The same quantile at each level, as Anscombe's square root gives it: levels differ in nothing else.
        counted = np.rint(
            np.maximum((2 * np.sqrt(photons * transmitted + 0.375) + drawn) / 2, 0) ** 2 - 0.375
        )
        versions.append((-np.log((counted + 0.5) / photons) / 1.5).astype(np.float32))
    return versions


def _speckle(
    image: np.ndarray, rng: np.random.Generator, variances: tuple[float, ...], scale: float
) -> list[np.ndarray]:
    """Noise in proportion to the grey value, with long tails."""
    field = (rng.gamma(2.0, 1.0, image.shape) - 2) / np.sqrt(2)
    return _added(image, (1.8 * image * field).astype(np.float32), _deviations(variances, scale))


def _correlated(
    image: np.ndarray, rng: np.random.Generator, variances: tuple[float, ...], scale: float
) -> list[np.ndarray]:
    """Autoregressive along rows and columns: grains, not single pixels, as large as they are at 224 px."""
    kept = 0.5 ** (1 / scale)
    margin = int(16 * scale)
    field = rng.standard_normal(tuple(side + margin for side in image.shape))
    for axis in (0, 1):
        field = lfilter([1], [1, -kept], field, axis=axis)
    field = field[margin:, margin:]
    amounts = [0.6 * float(np.sqrt(variance)) for variance in variances]
    return _added(image, (field / field.std()).astype(np.float32), amounts)


def _lines(
    image: np.ndarray, rng: np.random.Generator, variances: tuple[float, ...], scale: float
) -> list[np.ndarray]:
    """White noise and an offset of each row: a readout that drifts from line to line."""
    # An offset is averaged away among fewer.
    field = 0.6 * scale * rng.standard_normal(image.shape)
    field += 0.4 * np.sqrt(scale) * rng.standard_normal((len(image), 1))
    return _added(image, field.astype(np.float32), [float(np.sqrt(variance)) for variance in variances])


def _radius_and_angle(image: np.ndarray, rng: np.random.Generator, off: float) -> tuple[np.ndarray, ...]:
    centre = [(side - 1) / 2 + off * side * rng.uniform(-1, 1) for side in image.shape]
    y, x = (np.arange(side) - middle for side, middle in zip(image.shape, centre, strict=True))
    return np.hypot(y[:, None], x[None]), np.arctan2(y[:, None], x[None])


def _annuli(
    image: np.ndarray, rng: np.random.Generator, count: int, steps: tuple[float, float], width: float
) -> np.ndarray:
    """+1 and -1 inside alternating annuli, 0 elsewhere, `width` px wide; steps in px."""
    inner = np.cumsum(rng.uniform(*steps, count))
    radius, _ = _radius_and_angle(image, rng, 0.0)
    ring = np.searchsorted(inner, radius, side="right") - 1
    inside = (ring >= 0) & (radius < inner[ring] + width)
    return np.where(inside, 1.0 - 2.0 * (ring % 2), 0).astype(np.float32)


def _paper_rings(
    image: np.ndarray, rng: np.random.Generator, amounts: tuple[float, ...], scale: float
) -> list[np.ndarray]:
    field = _annuli(image, rng, 20, (3 * scale, 10 * scale), 2 * scale)
    return _added(image, image * field, list(amounts))


def _thin_rings(
    image: np.ndarray, rng: np.random.Generator, amounts: tuple[float, ...], scale: float
) -> list[np.ndarray]:
    """Two px wide at any size, over the whole slice."""
    field = _annuli(image, rng, len(image) // 30, (6 * scale, 40 * scale), 2 * scale)
    return _added(image, image * field, list(amounts))


def _walking_rings(
    image: np.ndarray, rng: np.random.Generator, amounts: tuple[float, ...], scale: float
) -> list[np.ndarray]:
    """Drawn in polar coordinates: each ring has a width of its own and a strength that walks at random."""
    radii, angles = int(0.75 * len(image)), 180
    polar = np.zeros((radii, angles))
    place = rng.uniform(4, 12) * scale
    while place < radii:
        walk = np.cumsum(rng.standard_normal(angles))
        walk -= np.linspace(0, walk[-1], angles)  # closed
        strength = rng.normal(0, 1) + 0.6 * walk / (walk.std() + 1e-6)
        width = scale * rng.uniform(0.6, 3.5)
        profile = np.exp(-0.5 * ((np.arange(radii) - place) / (width / 2.35)) ** 2)
        polar += profile[:, None] * strength
        place += scale * rng.uniform(3, 12)
    return _added(image, _from_polar(image, polar, rng), list(amounts))


def _from_polar(image: np.ndarray, polar: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    radius, angle = _radius_and_angle(image, rng, 0.0)
    places = np.stack([radius, (angle / (2 * np.pi) % 1) * polar.shape[1]]).astype(np.float32)
    wrapped = np.concatenate([polar, polar[:, :1]], axis=1).astype(np.float32)
    return map_coordinates(wrapped, places, order=1, mode="nearest", output=np.float32)


def _bands(
    image: np.ndarray, rng: np.random.Generator, amounts: tuple[float, ...], scale: float
) -> list[np.ndarray]:
    """Broad and soft, brighter and darker by turns, strongest near the centre."""
    radius, _ = _radius_and_angle(image, rng, 0.0)
    profile = gaussian_filter1d(rng.standard_normal(len(image)), 2.5 * scale)
    profile /= profile.std() * (1 + np.arange(len(image)) / (0.6 * len(image)))
    return _added(image, np.interp(radius, np.arange(len(image)), profile).astype(np.float32), list(amounts))


def _arcs(
    image: np.ndarray, rng: np.random.Generator, amounts: tuple[float, ...], scale: float
) -> list[np.ndarray]:
    """Parts of rings about a centre that lies beside the middle."""
    radius, angle = _radius_and_angle(image, rng, 0.12)
    field = np.zeros(image.shape, np.float32)
    for place in np.cumsum(scale * rng.uniform(4, 14, 18)):
        start, extent = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 4.5)
        within = ((angle - start) % (2 * np.pi)) < extent
        near = np.abs(radius - place) < scale * rng.uniform(0.5, 1.6)
        field += np.float32(rng.normal(0, 1.5)) * (within & near)
    return _added(image, field, list(amounts))


_VARIANCES = (0.001, 0.004, 0.015, 0.05, 0.2)
_WIDTHS = (0.6, 1.2, 2.0, 3.5, 6.5)
_AMOUNTS = (0.015, 0.03, 0.05, 0.08, 0.13)

PAPER = (
    Generator("paper blur", "blur", (1.2, 2.5, 6.5, 15.2, 33.2), partial(_blur, kernels.gaussian)),
    Generator("paper noise", "noise", (0.001, 0.006, 0.022, 0.088, 1.0), _white),
    Generator("paper ring", "ring", (0.10, 0.13, 0.15, 0.18, 0.20), _paper_rings),
)
"""The paper's three at its levels, by code of their own."""

OTHERS = (
    Generator("counts", "noise", (0.0005, 0.002, 0.006, 0.015, 0.04), _counts),
    Generator("speckle", "noise", _VARIANCES, _speckle),
    Generator("correlated", "noise", _VARIANCES, _correlated),
    Generator("lines", "noise", _VARIANCES, _lines),
    Generator("box", "blur", _WIDTHS, partial(_blur, kernels.box)),
    Generator("lorentzian", "blur", _WIDTHS, partial(_blur, kernels.lorentzian)),
    Generator("butterworth", "blur", _WIDTHS, partial(_blur, kernels.butterworth)),
    Generator("anisotropic", "blur", _WIDTHS, partial(_blur, kernels.anisotropic)),
    Generator("walking rings", "ring", _AMOUNTS, _walking_rings),
    Generator("bands", "ring", _AMOUNTS, _bands),
    Generator("arcs", "ring", _AMOUNTS, _arcs),
)
"""Left out of all training."""

AT_NATIVE_SIZE = (
    Generator("native blur", "blur", (0.8, 1.3, 2.2, 3.6, 6.0), partial(_blur, kernels.gaussian), True),
    Generator("native noise", "noise", (0.002, 0.006, 0.018, 0.05, 0.15), _white, True),
    Generator("native ring", "ring", (0.04, 0.07, 0.10, 0.15, 0.22), _thin_rings, True),
)
"""Small faults of large slices: strengths are those at native size."""
