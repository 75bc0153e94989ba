"""Filters that look at a neighbourhood, applied to bands of rows on all cores."""

from collections.abc import Callable
from functools import partial

import numpy as np

from napari_tiqa.errors import FilterError
from napari_tiqa.volumes.threads import CORES, share


def in_bands(
    kernel: Callable[[np.ndarray], np.ndarray], plane: np.ndarray, reach: int, rows: int | None = None
) -> np.ndarray:
    """Apply a kernel to bands of rows, each with the rows around it that the kernel looks at.

    The result is that of the kernel applied to the whole slice, sooner: the bands are shared among threads,
    and what a kernel of many passes works on stays in the processor's cache.

    Parameters
    ----------
    kernel : callable
        Takes pixels of shape (some rows, columns) and returns as many; releases the interpreter's lock.
    plane : numpy.ndarray
        Shape (rows, columns), float32.
    reach : int
        Rows above and below that a pixel's result depends on.
    rows : int, optional
        Rows of a band; one band per core where omitted.

    Returns
    -------
    numpy.ndarray
        Shape and dtype of `plane`.
    """
    height = len(plane)
    rows = rows or -(-height // CORES)
    result = np.empty_like(plane)

    def filter_band(top: int) -> None:
        bottom = min(top + rows, height)
        first = max(top - reach, 0)
        result[top:bottom] = kernel(plane[first : bottom + reach])[top - first : bottom - first]

    share([partial(filter_band, top) for top in range(0, height, rows)])
    return result


def require_side(plane: np.ndarray, side: int, what: str, remedy: str) -> None:
    """Refuse a slice that is smaller than a kernel.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns).
    side : int
        Length of the kernel's side, px.
    what : str
        Names the kernel in the error's sentence: "The median's window".
    remedy : str
        What to do: "choose a smaller radius".

    Raises
    ------
    FilterError
        If the slice has fewer rows or columns.
    """
    height, width = plane.shape
    if min(height, width) < side:
        raise FilterError(
            f"{what} of {side} x {side} px does not fit into a slice of {height} x {width} px: "
            f"{remedy}, or filter larger slices."
        )
