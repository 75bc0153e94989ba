"""A slice at every scale: tiles of its own pixels, of means of 2 x 2, 4 x 4 ... of them, and the overview.

Shrinking a slice to 224 px averages over many pixels: the noise of a slice of 2048 px vanishes by it, and
thin rings do. Tiles of its own pixels show them, and hide what is only seen from afar (shading, wide rings,
blur of an oversampled scan). So a slice is looked at on the levels of a pyramid, a few tiles each.
"""

import math
from dataclasses import dataclass

import numpy as np

from napari_tiqa.scoring.native_tiles import filled_tiles, native_tile, prepare_native_tiles
from napari_tiqa.scoring.network_input import TILE_SIZE, checked_plane, prepare_slice, tile_starts
from napari_tiqa.scoring.views import NATIVE, OVERVIEW, PYRAMID
from napari_tiqa.volumes.window import IntensityWindow

NATIVE_FACTOR = 1

_LEAST_SIDE = 1.25 * TILE_SIZE  # px; a smaller level shows hardly more than the overview
_MOST_NATIVE = 5
_MOST = 4
# tiles a level. A slice of 720 px has 6 in all and one of 2048 px 12, which bounds what scoring costs.


@dataclass(frozen=True)
class ViewedSlice:
    """What the network sees of one slice.

    Attributes
    ----------
    tiles : numpy.ndarray
        Shape (k, 224, 224), float32 in [0, 1]; k is 0 where nothing can be scored.
    factors : numpy.ndarray
        Shape (k,), float64: how many pixels of the slice, along each side, make one of the tile: 1 for its
        own pixels, 2, 4 ...; the largest is that of the overview, where that was looked at.
    reason : str
        Why there are no tiles, else empty.
    """

    tiles: np.ndarray
    factors: np.ndarray
    reason: str = ""


def view_slice(
    plane: np.ndarray, window: IntensityWindow, view: str = PYRAMID, known: np.ndarray | None = None
) -> ViewedSlice:
    """Turn a slice into the network's tiles of a view.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), any real dtype, at least 3 x 3 px.
    window : IntensityWindow
        The volume's intensity window, in the units of `plane`.
    view : str
        One of ``views.VIEWS``: "overview" is ``prepare_slice``, "native" ``prepare_native_tiles``, "pyramid"
        has `finer_tiles` and then the overview.
    known : numpy.ndarray, optional
        The slice with NaN where `plane` was filled in (``region_view``): no structure is looked for there,
        and tiles of its own pixels lie where three quarters of them are known.

    Returns
    -------
    ViewedSlice

    Raises
    ------
    VolumeError
        If `plane` is not a 2-D array of real numbers with at least 3 px a side.
    """
    if view == NATIVE:
        native = prepare_native_tiles(plane, window, known)
        return ViewedSlice(native.tiles, np.full(len(native.tiles), float(NATIVE_FACTOR)), native.reason)
    overview = prepare_slice(plane, window, known)
    factors = np.full(len(overview.tiles), overview_factor(np.shape(plane)))
    whole = ViewedSlice(overview.tiles, factors, overview.reason)
    if view == OVERVIEW or whole.reason:
        return whole
    finer = finer_tiles(plane, window, known)
    return ViewedSlice(
        np.concatenate([finer.tiles, whole.tiles]), np.concatenate([finer.factors, whole.factors])
    )


def finer_tiles(plane: np.ndarray, window: IntensityWindow, known: np.ndarray | None = None) -> ViewedSlice:
    """Cut the tiles of all levels of a slice that are finer than its overview, see `finer_factors`.

    A level has one tile for every 224 px of its side, at most 4, spread over the places that have content;
    at native size at most 5, one of which is nearest the middle, where rings are strongest. Levels of a small
    slice have fewer, and one without a place for a tile, or only with constant ones, none. `known` is as of
    `view_slice`.
    """
    plane = checked_plane(plane)
    tiles, factors = [np.empty((0, TILE_SIZE, TILE_SIZE), np.float32)], []
    for factor in finer_factors(plane.shape):
        places = _places(plane if known is None else known, factor)
        cut = [native_tile(plane, row, column, window, factor) for row, column in places]
        seen = [tile for tile in cut if np.ptp(tile) > 0]
        tiles += [np.stack(seen)] if seen else []
        factors += [float(factor)] * len(seen)
    return ViewedSlice(np.concatenate(tiles), np.array(factors))


def finer_factors(shape: tuple[int, ...]) -> list[int]:
    """Return the factors, 1, 2, 4 ..., of the levels whose shorter side is longer than 280 px."""
    levels = max(0, math.ceil(math.log2(min(shape) / _LEAST_SIDE)))
    return [2**level for level in range(levels)]


def overview_factor(shape: tuple[int, ...]) -> float:
    """Return how many pixels of a slice, along each side, make one of its overview, at least 1."""
    return max(1.0, min(shape) / TILE_SIZE)


def most_tiles(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return how many tiles a slice of a shape has: of the overview, and at most of the finer levels."""
    scale = min(1.0, TILE_SIZE / min(shape))
    across = [len(tile_starts(max(TILE_SIZE, round(side * scale)))) for side in shape]
    return math.prod(across), sum(_count(shape, factor) for factor in finer_factors(shape))


def _count(shape: tuple[int, ...], factor: int) -> int:
    most = _MOST_NATIVE if factor == NATIVE_FACTOR else _MOST
    return min(most, round(math.sqrt(math.prod(shape)) / factor / TILE_SIZE))


def _places(plane: np.ndarray, factor: int) -> list[tuple[int, int]]:
    """Choose where the tiles of a level begin, row and column in the slice."""
    side = TILE_SIZE * factor
    starts = [_candidates(length, side) for length in plane.shape]
    rows, columns = np.nonzero(filled_tiles(plane, *starts, factor=factor))
    places = np.column_stack([starts[0][rows], starts[1][columns]])
    middle = (np.array(plane.shape) - side) / 2
    chosen = _spread(places - middle, _count(plane.shape, factor), middle_first=factor == NATIVE_FACTOR)
    return [(int(row), int(column)) for row, column in places[chosen]]


def _candidates(length: int, side: int) -> np.ndarray:
    """Return where tiles may begin along a side, half a tile or less apart, one in the very middle."""
    span = length - side
    return np.linspace(0, span, 2 * math.ceil(span / side) + 1).round().astype(int)


def _spread(offsets: np.ndarray, count: int, *, middle_first: bool) -> np.ndarray:
    """Choose `count` of places, offsets (n, 2) from the slice's middle: the indices of the chosen, (m,).

    Each stands in the middle of an equal share of all places, sectors about the middle; where there are three
    or more and `middle_first`, one of them is the place nearest the middle instead.
    """
    distances = np.hypot(*offsets.T)
    chosen = []
    if middle_first and count > 2 and len(offsets):
        chosen.append(int(distances.argmin()))
        count -= 1
    others = np.setdiff1d(np.arange(len(offsets)), chosen)
    if len(others) <= count:
        return np.array([*chosen, *others], int)
    around = others[np.argsort(np.arctan2(*offsets[others].T), kind="stable")]
    for sector in np.array_split(around, count):
        from_its_middle = np.hypot(*(offsets[sector] - offsets[sector].mean(0)).T)
        chosen.append(int(sector[from_its_middle.argmin()]))
    return np.array(chosen, int)
