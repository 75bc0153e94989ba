"""Scans of a slice by scikit-image's Radon transform, and what goes wrong with them.

All faults are made in the line integrals of 400 x 400 px from 500 angles over 180 degrees. What is random is
drawn once for all levels.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d
from skimage.transform import iradon, radon

SIDE, ANGLES = 400, 500
DEPTH = 3.0
"""Line integral through the densest part: e**-3 of the light comes through."""

FIELD = 0.82
"""Width of the detector where the specimen is wider, by the width of the slice."""

LEVELS: dict[str, tuple[float, ...]] = {
    "gain rings": (0.003, 0.008, 0.018, 0.04, 0.08),  # standard deviation of a pixel's gain
    "half rings": (0.003, 0.008, 0.018, 0.04, 0.08),
    "photon noise": (3e4, 6e3, 1.5e3, 400, 100),  # per pixel without specimen
    "few projections": (4, 7, 12, 18, 28),  # every how many of the angles
    "detector blur": (0.8, 1.5, 2.6, 4.2, 7.0),  # sigma, px
    "axis offset": (0.7, 1.5, 3.0, 5.0, 9.0),  # px
    "motion": (0.7, 1.5, 3.0, 5.0, 9.0),  # px
    "cupping": (0.02, 0.045, 0.075, 0.11, 0.15),  # of the square of the line integral
    "metal": (1.0, 1.7, 3.0, 5.0, 8.0),  # line integral of a pin, by that of the slice
    "truncation": (0.5, 1.5, 3.0, 5.5, 9.0),  # density outside of the field, by what it is
    "zingers": (100, 300, 900, 2500, 6000),  # pixels of the sinogram
}
"""Strengths of levels 1 to 5; the families are those of ``learning.images.groups.FAMILIES``."""


@dataclass(frozen=True)
class Sinogram:
    """Line integrals, (400, angles), of one slice, at angles in degrees, and the filter to go back with."""

    integrals: np.ndarray
    angles: np.ndarray
    filter: str

    def slice(self, integrals: np.ndarray | None = None, every: int = 1) -> np.ndarray:
        """Reconstruct, from other line integrals where given: (400, 400), float32."""
        integrals = self.integrals if integrals is None else integrals
        recon = iradon(integrals[:, ::every], self.angles[::every], filter_name=self.filter, circle=True)
        return recon.astype(np.float32)


@dataclass(frozen=True)
class Scanned:
    """One family: the slice as reconstructed without the fault, and at each of its levels."""

    family: str
    reference: np.ndarray
    versions: list[np.ndarray]


def in_circle(image: np.ndarray) -> np.ndarray:
    """Put a slice into the circle that is reconstructed: (400, 400), 0 outside."""
    resized = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    y, x = np.ogrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    return (resized * (np.hypot(y, x) < 0.985)).astype(np.float32)


def scans(
    image: np.ndarray, rng: np.random.Generator, filter_name: str, projections: int = ANGLES
) -> Iterator[Scanned]:
    """Scan a slice, (400, 400), in [0, 1] in its circle, with each fault at each level."""
    angles = np.linspace(0, 180, projections, endpoint=False)
    integrals = radon(image, angles, circle=True).astype(np.float32)
    scan = Sinogram(integrals, angles, filter_name)
    reference = scan.slice()
    gain = rng.standard_normal((SIDE, 1)).astype(np.float32)
    density = DEPTH / integrals.max()
    # What is linear in its strength is reconstructed once.
    for family, pattern in (
        ("gain rings", np.repeat(gain, projections, 1)),
        ("half rings", gain * (np.arange(projections) < projections // 2)),
        ("cupping", -((integrals * density) ** 2)),
    ):
        change = scan.slice(pattern / density)
        yield Scanned(family, reference, [reference + np.float32(c) * change for c in LEVELS[family]])
    every = [int(c) for c in LEVELS["few projections"]]
    yield Scanned("few projections", reference, [scan.slice(every=step) for step in every])
    for family, spoil in _SPOILT.items():
        spoilt = spoil(integrals * density, rng, LEVELS[family])
        yield Scanned(family, reference, [scan.slice(one / density) for one in spoilt])
    yield _metal(scan, image, reference, density, rng)
    yield _truncated(scan, image, reference)


def _photons(p: np.ndarray, rng: np.random.Generator, strengths: tuple[float, ...]) -> Iterator[np.ndarray]:
    drawn = rng.standard_normal(p.shape)
    for photons in strengths:
        expected = photons * np.exp(-p)
        # The same quantile at each level, by Anscombe's square root.
        counted = np.maximum(np.sqrt(expected + 0.375) + drawn / 2, 0) ** 2 - 0.375
        yield -np.log(np.maximum(np.rint(counted), 0.5) / photons)


def _blur(p: np.ndarray, rng: np.random.Generator, strengths: tuple[float, ...]) -> Iterator[np.ndarray]:
    for sigma in strengths:
        yield -np.log(gaussian_filter1d(np.exp(-p), sigma, axis=0, mode="nearest"))


def _offset(p: np.ndarray, rng: np.random.Generator, strengths: tuple[float, ...]) -> Iterator[np.ndarray]:
    for px in strengths:
        yield _shifted(p, np.full(p.shape[1], px))


def _motion(p: np.ndarray, rng: np.random.Generator, strengths: tuple[float, ...]) -> Iterator[np.ndarray]:
    """Let the specimen slip three times, in any direction, and turn a little."""
    slips = np.sort(rng.choice(np.arange(40, p.shape[1] - 40), 3, replace=False))
    stage = np.searchsorted(slips, np.arange(p.shape[1]), side="right")
    moves = np.concatenate([[[0, 0, 0]], np.cumsum(rng.normal(0, [0.7, 0.7, 0.25], (3, 3)), axis=0)])
    x, y, turn = moves[stage].T
    angle = np.deg2rad(np.linspace(0, 180, p.shape[1], endpoint=False))
    for px in strengths:
        turned = np.clip(np.arange(p.shape[1]) + np.rint(turn * px * 1.4).astype(int), 0, p.shape[1] - 1)
        yield _shifted(p[:, turned], px * (x * np.cos(angle) + y * np.sin(angle)))


def _zingers(p: np.ndarray, rng: np.random.Generator, strengths: tuple[float, ...]) -> Iterator[np.ndarray]:
    places = rng.permutation(p.size)[: int(max(strengths))]
    light = rng.uniform(0.5, 3, len(places))
    for count in strengths:
        spoilt = np.exp(-p).ravel()
        spoilt[places[: int(count)]] += light[: int(count)]
        yield -np.log(spoilt).reshape(p.shape)


_SPOILT: dict[str, Callable[..., Iterator[np.ndarray]]] = {
    "photon noise": _photons,
    "detector blur": _blur,
    "axis offset": _offset,
    "motion": _motion,
    "zingers": _zingers,
}


def _shifted(p: np.ndarray, px: np.ndarray) -> np.ndarray:
    """Shift each projection along the detector by its own number of px."""
    rows = np.arange(p.shape[0], dtype=np.float32)[:, None] + np.asarray(px, np.float32)[None]
    columns = np.broadcast_to(np.arange(p.shape[1], dtype=np.float32), rows.shape)
    return cv2.remap(
        p.astype(np.float32), np.ascontiguousarray(columns), rows, cv2.INTER_LINEAR, borderValue=0
    )


def _metal(
    scan: Sinogram, image: np.ndarray, reference: np.ndarray, density: float, rng: np.random.Generator
) -> Scanned:
    """Put in three pins that hardly any light comes through; the pins themselves are in the reference too."""
    y, x = np.ogrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    pins = np.zeros(image.shape, bool)
    for _ in range(3):
        radius, angle = 0.7 * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
        size = rng.uniform(0.012, 0.03)
        pins |= np.hypot(y - radius * np.sin(angle), x - radius * np.cos(angle)) < size
    pin = radon(pins.astype(np.float32), scan.angles, circle=True).astype(np.float32)
    pin *= 3 / pin.max()
    drawn = 1.0 + 0.1 * np.sin(np.arange(pin.size)).reshape(pin.shape)  # scattered light, uneven
    versions = []
    for amount in LEVELS["metal"]:
        light = np.exp(-scan.integrals * density - amount * pin) + 0.002 * drawn
        version = scan.slice(-np.log(light).astype(np.float32) / density)
        versions.append(np.where(pins, 1, version))
    return Scanned("metal", np.where(pins, 1, reference), versions)


def _truncated(scan: Sinogram, image: np.ndarray, reference: np.ndarray) -> Scanned:
    """Scan a specimen wider than the detector; shown is the square inside the field."""
    y, x = np.ogrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    outside = np.where(np.hypot(y, x) > FIELD, np.maximum(image, 0.5) * (np.hypot(y, x) < 0.985), 0)
    beyond = radon(outside, scan.angles, circle=True).astype(np.float32)
    beyond[np.abs(np.linspace(-1, 1, SIDE)) > FIELD] = 0
    inner = scan.integrals - radon(
        np.where(np.hypot(y, x) > FIELD, image, 0), scan.angles, circle=True
    ).astype(np.float32)
    shown = slice(int(SIDE / 2 * (1 - FIELD / np.sqrt(2))), int(SIDE / 2 * (1 + FIELD / np.sqrt(2))))
    clean, change = (scan.slice(one)[shown, shown] for one in (inner, beyond))
    return Scanned("truncation", clean, [clean + np.float32(c) * change for c in LEVELS["truncation"]])
