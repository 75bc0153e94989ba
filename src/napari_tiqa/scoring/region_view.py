"""A region of a slice as the network sees it: its box, in which nothing from outside the region is left."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from napari_tiqa.scoring.inside_fill import mirrored
from napari_tiqa.scoring.network_input import TILE_SIZE, checked_plane
from napari_tiqa.scoring.pyramid import ViewedSlice, finer_tiles, view_slice
from napari_tiqa.scoring.views import PYRAMID
from napari_tiqa.volumes.region import LEAST_PIXELS
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.wording import counted


class RegionCut(NamedTuple):
    """The box around a region of a slice, at least 32 x 32 px of it.

    Attributes
    ----------
    pixels : numpy.ndarray
        Shape (rows, columns), floating: what lies outside is continued from the inside by reflection.
    known : numpy.ndarray
        The same with NaN outside.
    inside : numpy.ndarray
        Bool: what lies inside.
    box : tuple of slice
        Where in the slice.
    """

    pixels: np.ndarray
    known: np.ndarray
    inside: np.ndarray
    box: tuple[slice, slice]


def cut_region(plane: np.ndarray, inside: np.ndarray) -> RegionCut | None:
    """Cut a region out of a slice; None where it has too few pixels.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), any real dtype.
    inside : numpy.ndarray
        Of the same shape, bool: the region.
    """
    if np.count_nonzero(inside) < LEAST_PIXELS:
        return None
    sides = [np.flatnonzero(inside.any(other)) for other in (1, 0)]
    box = (slice(sides[0][0], sides[0][-1] + 1), slice(sides[1][0], sides[1][-1] + 1))
    cut, within = plane[box], np.ascontiguousarray(inside[box])
    pixels = cut.astype(np.result_type(cut.dtype, np.float32))
    known = np.where(within, pixels, np.nan).astype(pixels.dtype, copy=False)
    return RegionCut(mirrored(pixels, within), known, within, box)


def view_region(
    plane: np.ndarray, inside: np.ndarray | None, window: IntensityWindow, view: str = PYRAMID
) -> ViewedSlice:
    """Turn a region of a slice into the network's tiles of a view.

    The box around the region is seen as a slice of its own (``pyramid.view_slice``). What in it lies outside
    is continued from the inside by reflection, as a small slice is; no other pixel has a part in the tiles.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), any real dtype, at least 3 x 3 px.
    inside : numpy.ndarray or None
        Of the same shape, bool: the region. None, or all of the slice, is seen as by ``pyramid.view_slice``.
    window : IntensityWindow
        The intensity window, in the units of `plane`.
    view : str
        One of ``views.VIEWS``.

    Returns
    -------
    ViewedSlice
        Without tiles, and with the reason why, where fewer than 1024 px lie inside.

    Raises
    ------
    VolumeError
        If `plane` is not a 2-D array of real numbers with at least 3 px a side.

    Notes
    -----
    Of four ways to fill the outside (black, the mean, the nearest pixel, reflection) reflection changes the
    score least: `python benchmarks/native_tiles.py --data ../shared/data --regions`.
    """
    return _seen(plane, inside, window, partial(view_slice, view=view))


def finer_region_tiles(plane: np.ndarray, inside: np.ndarray | None, window: IntensityWindow) -> ViewedSlice:
    """Cut the tiles of all levels of a region that are finer than its overview, as `view_region`."""
    return _seen(plane, inside, window, finer_tiles)


def _seen(
    plane: np.ndarray,
    inside: np.ndarray | None,
    window: IntensityWindow,
    view: Callable[..., ViewedSlice],
) -> ViewedSlice:
    plane = checked_plane(plane)
    if inside is None or inside.all():
        return view(plane, window)
    cut = cut_region(plane, inside)
    if cut is None:
        return ViewedSlice(np.empty((0, TILE_SIZE, TILE_SIZE), np.float32), np.empty(0), too_small(inside))
    return view(cut.pixels, window, known=cut.known)


def too_small(inside: np.ndarray) -> str:
    """Return why nothing can be said of a region of a slice."""
    count = int(np.count_nonzero(inside))
    return f"only {counted(count, 'pixel')} of it in the region" if count else "outside the region"
