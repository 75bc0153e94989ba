"""Scans that were spoilt and filtered, and how like their truth they are: what a fidelity is learned from."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.fidelity_faults import spoilt
from models.fidelity_sources import SIDE, sources
from napari_tiqa.filtering.catalogue import FILTERS
from napari_tiqa.filtering.filter import Filter
from napari_tiqa.filtering.parameter import Value
from napari_tiqa.learning.images.groups import make_all
from napari_tiqa.learning.images.observers import compare
from napari_tiqa.scoring.native_tiles import filled_tiles, native_tile
from napari_tiqa.scoring.network_input import TILE_SIZE
from napari_tiqa.scoring.scale import SIMILARITIES
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.simulation.acquisition import inscribed_circle
from napari_tiqa.volumes.window_estimate import estimate_window

_STEP = 12  # px between places of a tile
_FILTERS_EACH = 2
_STRENGTHS = 5
_CENTRE: dict[str, Value] = {"centre_y": 0.0, "centre_x": 0.0}  # finding it would take most of the time
_RINGS_FOR_NOTHING = 0.12  # of the scans without rings whose rings are removed all the same


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
        Shape (n, 2), float32: the full-reference metrics of ``scoring.scale.SIMILARITIES`` to the truth.
    """

    specimen: str
    images: np.ndarray
    similarity: np.ndarray


def filtered_scans(data: Path, advance: Callable[[int, int], None] | None = None) -> list[FilteredScan]:
    """Make all that the fidelity estimate is trained on.

    Parameters
    ----------
    data : pathlib.Path
        Folder with the scans of ``specimens.SCANS``.
    advance : callable, optional
        Called with scans done and scans in all.

    Raises
    ------
    TrainingError
        If `data` lacks one of the scans.
    """
    every = sources(data)

    def make(number: int) -> FilteredScan:
        source = every[number]
        return filtered_scan(source.specimen, source.draw(np.random.default_rng([number, 3])), number)

    return make_all(make, len(every), advance)


def filtered_scan(specimen: str, truth: np.ndarray, seed: int) -> FilteredScan:
    """Spoil a slice and filter it by two filters at up to five strengths each.

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
    scan, ringed = spoilt(truth, rng, seed)
    if not scan[[0, 0, -1, -1], [0, -1, 0, -1]].any():  # nothing outside the circle
        truth = truth * inscribed_circle(SIDE)
    of_rings = ringed or rng.random() < _RINGS_FOR_NOTHING
    sweeps = _some(SWEEPS, _FILTERS_EACH - of_rings, rng) + (_some(RING_SWEEPS, 1, rng) if of_rings else [])
    window = estimate_window(as_volume(scan))
    versions = [truth, scan]
    for sweep in sweeps:
        for value in _values(sweep, rng):
            settings = {sweep.parameter: value} | (_CENTRE if sweep in RING_SWEEPS else {})
            versions.append(FILTERS[sweep.filter](scan, window, **settings))
    row, column = _tile_place(scan, rng)
    tiles = [native_tile(plane, row, column, window) for plane in versions]
    images = np.rint(np.stack(tiles) * 255).astype(np.uint8)
    similarity = compare(images[0], images, SIMILARITIES)
    return FilteredScan(specimen, images, similarity.astype(np.float32))


def _tile_place(scan: np.ndarray, rng: np.random.Generator) -> tuple[int, int]:
    """Draw where the tile of a scan lies: anywhere that tiles are judged, also at the edge of the circle."""
    starts = np.arange(0, SIDE - TILE_SIZE + 1, _STEP)
    places = np.argwhere(filled_tiles(scan, starts, starts))
    row, column = starts[rng.choice(places)]
    return int(row), int(column)


def _some(sweeps: tuple[Sweep, ...], count: int, rng: np.random.Generator) -> list[Sweep]:
    weights = np.array([sweep.weight for sweep in sweeps])
    return [sweeps[i] for i in rng.choice(len(sweeps), count, replace=False, p=weights / weights.sum())]


def _values(sweep: Sweep, rng: np.random.Generator) -> list[float]:
    """Draw values, weak to strong, one from each equal part of the range."""
    places = (np.arange(_STRENGTHS) + rng.random(_STRENGTHS)) / _STRENGTHS
    values = sweep.low * (sweep.high / sweep.low) ** places
    definition: Filter = FILTERS[sweep.filter]
    whole = definition.parameters[sweep.parameter].kind is int
    return sorted({float(round(value)) if whole else float(value) for value in values})
