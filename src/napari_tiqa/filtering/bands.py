"""Filters that look at a neighbourhood, applied to bands of rows on all cores."""

from collections.abc import Callable
from functools import partial

import numpy as np

from napari_tiqa.errors import FilterError
from napari_tiqa.volumes.threads import CORES, share


def in_bands(
    kernel: Callable[[np.ndarray], np.ndarray], plane: np.ndarray, reach: int, rows: int | None = None
) -> np.ndarray:
    """Apply a kernel to bands of `rows` rows, each with the `reach` rows around it that the kernel looks at.

    The result is that of the kernel applied to the whole slice, float32, sooner: the bands, one per core
    where not said otherwise, are shared among threads (the kernel must release the interpreter's lock), and
    what a kernel of many passes works on stays in the processor's cache.
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
    """Raise a FilterError where a slice has fewer rows or columns than `side`, a kernel's, px.

    `what` names the kernel ("The median's window"), `remedy` says what to do ("choose a smaller radius").
    """
    height, width = plane.shape
    if min(height, width) < side:
        raise FilterError(
            f"{what} of {side} x {side} px does not fit into a slice of {height} x {width} px: "
            f"{remedy}, or filter larger slices."
        )
