"""Faults of an acquisition, made in its sinogram: a slice is projected once, reconstructed often."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from models.faults import log_uniform
from napari_tiqa.volumes.simulation.acquisition import (
    MOST_CHANNELS,
    Acquisition,
    detect,
    filtered_back_projection,
    project,
)

_STEPS = (2, 3, 4, 6, 8, 12)  # of few projections: every so many is kept

Sinogram = np.ndarray
"""Line integrals, (projections, n), float32."""


@dataclass(frozen=True)
class Scanner:
    """One scan of a slice of n x n px: what is the same for all its faults and strengths."""

    acquisition: Acquisition
    n: int
    seed: int

    @classmethod
    def draw(cls, n: int, rng: np.random.Generator) -> "Scanner":
        """Draw a scan without faults."""
        enough = 24 * round(1.25 * n / 24)
        acquisition = Acquisition(
            projections=enough,
            arc=int(rng.choice([180, 180, 360])),
            optical_depth=log_uniform(rng, 0.7, 5.0),
        )
        return cls(acquisition, n, int(rng.integers(2**31)))

    def sinogram(self, image: np.ndarray) -> Sinogram:
        """Project a slice, (n, n), float32."""
        return project(image, self.acquisition)

    def detected(self, sinogram: Sinogram, **faults: float) -> Sinogram:
        """Return what the detector makes of a sinogram; the faults are of ``Acquisition``."""
        return detect(sinogram, replace(self.acquisition, **faults), self.seed)  # type: ignore[arg-type]

    def slices(self, sinograms: list[Sinogram]) -> list[np.ndarray]:
        """Reconstruct; as many at once as go through as the channels of one image."""
        made: list[np.ndarray] = []
        for start in range(0, len(sinograms), MOST_CHANNELS):
            some = sinograms[start : start + MOST_CHANNELS]
            stacked = np.ascontiguousarray(np.stack(some, axis=-1))
            back = filtered_back_projection(stacked, self.acquisition.arc)
            made += [np.ascontiguousarray(back[..., i]) for i in range(len(some))]
        return made


Fault = Callable[[Scanner, Sinogram, float], Sinogram]
"""Makes the faulty sinogram of a strength, of a scan's fault-free line integrals."""


def _shifted(sinogram: Sinogram, shifts: np.ndarray) -> Sinogram:
    """Move each projection along the detector by so many elements."""
    places = np.arange(sinogram.shape[1], dtype=float)
    rows = [np.interp(places - shift, places, row) for row, shift in zip(sinogram, shifts, strict=True)]
    return np.array(rows, np.float32)


def _motion(scanner: Scanner, sinogram: Sinogram, strength: float) -> Sinogram:
    rng = np.random.default_rng(scanner.seed)
    angles = np.linspace(0, 1, len(sinogram))
    drift = np.interp(angles, np.linspace(0, 1, 6), rng.standard_normal(6))
    jump = rng.standard_normal() * (angles > rng.uniform(0.2, 0.8))
    return scanner.detected(_shifted(sinogram, strength * scanner.n / 224 * (drift + jump)))


def _axis_offset(scanner: Scanner, sinogram: Sinogram, strength: float) -> Sinogram:
    offset = strength * scanner.n / 224
    return scanner.detected(_shifted(sinogram, np.full(len(sinogram), offset)))


def _hardened(scanner: Scanner, sinogram: Sinogram, strength: float) -> Sinogram:
    """Beam hardening: dense paths absorb ever less of what is left."""
    greatest = max(float(sinogram.max()), 1e-6)
    hardness = np.float32(strength / greatest)
    return scanner.detected(-np.expm1(-hardness * sinogram) / hardness)


def _limited(scanner: Scanner, sinogram: Sinogram, strength: float) -> Sinogram:
    """Leave out a wedge of so many degrees."""
    missing = round(strength / scanner.acquisition.arc * len(sinogram))
    limited = scanner.detected(sinogram).copy()
    start = scanner.seed % len(limited)
    limited[np.arange(start, start + missing) % len(limited)] = 0
    return limited


def _few(scanner: Scanner, sinogram: Sinogram, strength: float) -> Sinogram:
    """Keep every so many projections, each of that weight in the reconstruction."""
    step = min(_STEPS, key=lambda step: abs(step - strength))
    kept = np.zeros_like(sinogram)
    kept[::step] = step * scanner.detected(sinogram)[::step]
    return kept


FAULTS: dict[str, tuple[float, float, Fault]] = {
    "gain rings": (0.002, 0.1, lambda scan, s, strength: scan.detected(s, gain_error=strength)),
    "half rings": (0.003, 0.15, lambda scan, s, strength: scan.detected(s, gain_drift=strength)),
    "photon noise": (1 / 60_000, 1 / 80, lambda scan, s, strength: scan.detected(s, photons=1 / strength)),
    "few projections": (2, 12, _few),
    "limited angle": (8, 90, _limited),
    "detector blur": (0.4, 9.0, lambda scan, s, strength: scan.detected(s, blur=strength * scan.n / 224)),
    "axis offset": (0.3, 9.0, _axis_offset),
    "motion": (0.3, 6.0, _motion),
    "cupping": (0.15, 4.0, _hardened),
}
"""Each fault's strengths, hardly visible and as bad as it gets, and what it makes of a sinogram."""


def with_metal(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Put a few pieces of metal into a slice, (n, n), float32: several times as dense as the rest."""
    side = len(image)
    rows, columns = np.ogrid[:side, :side]
    metal = image.copy()
    for _ in range(int(rng.integers(1, 4))):
        row, column = side / 2 + side * rng.uniform(-0.3, 0.3, 2)
        radius = side * log_uniform(rng, 0.008, 0.04)
        inside = (rows - row) ** 2 + (columns - column) ** 2 * rng.uniform(0.4, 1) < radius**2
        metal[inside] = np.float32(rng.uniform(2.5, 6))
    return metal


def metal(scanner: Scanner, sinogram: Sinogram, strength: float) -> Sinogram:
    """Harden the beam and starve the detector of photons behind metal, as the strength grows."""
    greatest = max(float(sinogram.max()), 1e-6)
    hardness = np.float32(strength / greatest)
    hardened = -np.expm1(-hardness * sinogram) / hardness
    return scanner.detected(hardened, photons=30_000 / max(strength, 0.3) ** 2)


METAL_STRENGTHS = 0.15, 4.0
