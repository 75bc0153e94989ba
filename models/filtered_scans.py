"""Scans that were spoilt and filtered, and how like their truth they are: what a fidelity is learned from."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.faults import log_uniform
from models.originals import TEXTURES, texture
from models.specimens import FIRST as SCANS
from models.specimens import random_slice, read_scan
from napari_tiqa.filtering.catalogue import FILTERS
from napari_tiqa.filtering.filter import Filter
from napari_tiqa.learning.images.groups import make_all
from napari_tiqa.learning.images.observers import compare
from napari_tiqa.scoring.network_input import TILE_SIZE
from napari_tiqa.scoring.scale import SIMILARITIES
from napari_tiqa.volumes.simulation.acquisition import Acquisition, acquire
from napari_tiqa.volumes.simulation.microstructures import KINDS, microstructure
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.volumes.window_estimate import MARGIN, PERCENTILES

SIDE = 320
"""Side of a scan, px: the square inside its reconstruction circle is a tile."""

PER_SCAN, PER_KIND, PER_TEXTURE = 30, 60, 14
"""Filtered scans made of each real scan, kind of microstructure and texture."""

_CUT = slice((SIDE - TILE_SIZE) // 2, (SIDE + TILE_SIZE) // 2)  # of rows and columns: the tile of a scan
_FILTERS_EACH = 2
_STRENGTHS = 4


@dataclass(frozen=True)
class Sweep:
    """One parameter of one filter, and the values that are tried.

    Attributes
    ----------
    filter, parameter : str
        By name.
    low, high : float
        Ends of the range, which is gone through by equal factors.
    weight : float
        How often, relative to the others.
    """

    filter: str
    parameter: str
    low: float
    high: float
    weight: float = 1.0


SWEEPS = (
    Sweep("gaussian", "sigma", 0.3, 6, 3),
    Sweep("median", "radius", 1, 4, 2),
    Sweep("bilateral", "contrast", 1, 80, 2),
    Sweep("total_variation", "weight", 0.5, 50, 3),
    Sweep("wavelet", "sigma", 0.7, 40),
    Sweep("non_local_means", "sigma", 0.7, 40),
    Sweep("anisotropic_diffusion", "contrast", 0.7, 60),
    Sweep("anisotropic_diffusion", "passes", 1, 50),
    Sweep("unsharp_mask", "amount", 10, 500, 2),
    Sweep("unsharp_mask", "sigma", 0.4, 6),
    Sweep("richardson_lucy", "passes", 1, 50),
    Sweep("wiener", "noise", 0.001, 10),
)
RING_SWEEPS = (Sweep("ring_removal", "strength", 5, 100, 2), Sweep("ring_removal", "ring_width", 1, 50))


@dataclass(frozen=True)
class FilteredScan:
    """Versions of one slice: its truth, its spoilt scan, and what filters make of that.

    Attributes
    ----------
    specimen : str
        What was scanned. Never split between training and test.
    images : numpy.ndarray
        Shape (n, 224, 224), uint8: the intensity window of the spoilt scan times 255. The first image is the
        truth, the second the scan.
    similarity : numpy.ndarray
        Shape (n, 2), float32: the full-reference metrics of ``scoring.fidelity.SIMILARITIES`` to the truth.
    """

    specimen: str
    images: np.ndarray
    similarity: np.ndarray


def filtered_scans(data: Path, advance: Callable[[int, int], None] | None = None) -> list[FilteredScan]:
    """Make all that the fidelity estimate is trained on.

    Parameters
    ----------
    data : pathlib.Path
        Folder with the scans of ``specimens.SCANS``; those with faults of their own are not a
        truth and are left out.
    advance : callable, optional
        Called with scans done and scans in all.

    Raises
    ------
    TrainingError
        If `data` lacks one of the scans.
    """
    sources = [
        *(_real(data, scan.path, scan.specimen) for scan in SCANS if scan.clean for _ in range(PER_SCAN)),
        *(_simulated(kind) for kind in KINDS for _ in range(PER_KIND)),
        *(_textured(name) for name in TEXTURES for _ in range(PER_TEXTURE)),
    ]

    def make(number: int) -> FilteredScan:
        specimen, draw = sources[number]
        rng = np.random.default_rng([number, 3])
        return filtered_scan(specimen, _varied(draw(rng), rng), number)

    return make_all(make, len(sources), advance)


def filtered_scan(specimen: str, truth: np.ndarray, seed: int) -> FilteredScan:
    """Spoil a slice and filter it by two filters at four strengths each.

    Parameters
    ----------
    specimen : str
        What was scanned.
    truth : numpy.ndarray
        Shape (320, 320), float32 in [0, 1].
    seed : int
        Fixes everything.
    """
    rng = np.random.default_rng([seed, 4])
    scan, ringed = _spoilt(truth, rng, seed)
    sweeps = _some(SWEEPS, _FILTERS_EACH - ringed, rng) + (_some(RING_SWEEPS, 1, rng) if ringed else [])
    window = _window(scan)
    span = np.float32(window.high - window.low)
    pixels = (scan - np.float32(window.low)) / span
    versions = [(truth - np.float32(window.low)) / span, pixels]
    inside = np.ones_like(pixels, bool)
    for sweep in sweeps:
        for value in _values(sweep, rng):
            versions.append(FILTERS[sweep.filter].kernel({sweep.parameter: value})(pixels, inside))
    images = np.stack(
        [np.rint(np.clip(plane[_CUT, _CUT], 0, 1) * 255).astype(np.uint8) for plane in versions]
    )
    similarity = compare(images[0], images, SIMILARITIES)
    return FilteredScan(specimen, images, similarity.astype(np.float32))


def _spoilt(truth: np.ndarray, rng: np.random.Generator, seed: int) -> tuple[np.ndarray, bool]:
    """Scan a slice badly; also tell whether it has rings."""
    if rng.random() < 0.3:  # noise of any fineness, as other reconstructions have it
        blurred = rng.random() < 0.5
        image = cv2.GaussianBlur(truth, (0, 0), log_uniform(rng, 0.4, 3)) if blurred else truth
        noise = rng.normal(size=truth.shape).astype(np.float32)
        if rng.random() < 0.5:
            noise = cv2.GaussianBlur(noise, (0, 0), log_uniform(rng, 0.4, 1.5))
            noise /= noise.std()
        return image + np.float32(log_uniform(rng, 0.005, 0.3)) * noise, False
    ringed = rng.random() < 0.35
    acquisition = Acquisition(
        projections=int(SIDE * rng.choice([1.57, 1.57, 0.8, 0.4])),
        arc=int(rng.choice([180, 360])) if ringed else 360,
        photons=log_uniform(rng, 300, 200_000) if rng.random() < 0.85 else np.inf,
        blur=log_uniform(rng, 0.4, 3) if rng.random() < 0.45 else 0.0,
        gain_error=log_uniform(rng, 0.003, 0.06) if ringed else 0.0,
        optical_depth=float(rng.choice([1, 2, 2, 3])),
    )
    return acquire(truth, acquisition, seed), ringed


def _some(sweeps: tuple[Sweep, ...], count: int, rng: np.random.Generator) -> list[Sweep]:
    weights = np.array([sweep.weight for sweep in sweeps])
    return [sweeps[i] for i in rng.choice(len(sweeps), count, replace=False, p=weights / weights.sum())]


def _values(sweep: Sweep, rng: np.random.Generator) -> list[float]:
    """Draw values, weak to strong, one from each equal part of the range."""
    places = (np.arange(_STRENGTHS) + rng.random(_STRENGTHS)) / _STRENGTHS
    values = sweep.low * (sweep.high / sweep.low) ** places
    definition: Filter = FILTERS[sweep.filter]
    whole = definition.parameters[sweep.parameter].kind is int
    return [float(round(value)) if whole else float(value) for value in values]


def _window(scan: np.ndarray) -> IntensityWindow:
    """Estimate the window as ``estimate_window`` does, of the tile alone."""
    low, high = np.percentile(scan[_CUT, _CUT], PERCENTILES)
    margin = MARGIN * (high - low)
    return IntensityWindow(float(low - margin), float(high + margin + 1e-6), "of a training tile")


def _varied(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Vary what does not change fidelity: the grey scale."""
    truth = truth ** np.float32(np.exp(rng.uniform(-0.4, 0.4)))
    return 1 - truth if rng.random() < 0.15 else truth


Source = tuple[str, Callable[[np.random.Generator], np.ndarray]]
"""A specimen, and what draws another piece of it, shape (320, 320), float32 in [0, 1]."""


def _real(data: Path, path: str, specimen: str) -> Source:
    volume, window = read_scan(data, path)

    def draw(rng: np.random.Generator) -> np.ndarray:
        plane = random_slice(volume, rng)
        pixels = (np.nan_to_num(plane.astype(np.float32)) - window.low) / (window.high - window.low)
        return _piece(np.clip(pixels, 0, 1, dtype=np.float32), rng)

    return specimen, draw


def _simulated(kind: str) -> Source:
    def draw(rng: np.random.Generator) -> np.ndarray:
        # A larger one is shrunk, as real slices are: finer features, sharper edges.
        side = int(SIDE * rng.choice([1, 1, 1.5, 2]))
        # Seeds apart from those of the default recipe and the benchmarks.
        return _piece(microstructure(kind, (side, side), int(rng.integers(10_000, 2**31))), rng)

    return f"simulated {kind}", draw


def _textured(name: str) -> Source:
    return f"texture {name}", lambda rng: _piece(texture(name), rng)


def _piece(plane: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cut a square with something in it, of up to three times a scan's side, and shrink it to that.

    Shrinking averages most of a real scan's own noise away, which would be taken for truth.
    """
    shorter = min(plane.shape)
    side = int(rng.uniform(min(shorter, SIDE), min(shorter, 3 * SIDE) + 1))
    best, most = plane[:side, :side], -1.0
    for _ in range(6):
        row, column = (int(rng.uniform(0, length - side + 1)) for length in plane.shape)
        piece = plane[row : row + side, column : column + side]
        if piece.std() > most:
            best, most = piece, float(piece.std())
    if side > SIDE:
        return cv2.resize(best, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    missing = SIDE - side
    return np.pad(best, [(missing // 2, missing - missing // 2)] * 2, mode="symmetric")
