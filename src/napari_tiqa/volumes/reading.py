"""Reading: the pieces of a lazy array into memory, and the sentence when one cannot be read."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import dask
import dask.array
import numpy as np

from napari_tiqa.errors import VolumeError

if TYPE_CHECKING:
    from napari_tiqa.volumes.volume import Volume

GROUPED_BYTES = 16 * 2**20

# One pool for all reading: left to itself, dask starts one per calling thread and keeps it.
_POOL = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="napari-tiqa-read")


def read(array: dask.array.Array, before_each_piece: Callable[[], None] | None = None) -> np.ndarray:
    """Compute a dask array into memory, in native byte order.

    Parameters
    ----------
    array : dask.array.Array
        Any shape.
    before_each_piece : callable, optional
        Called before each stored piece is read; what it raises ends the reading.

    Returns
    -------
    numpy.ndarray
        The array's shape and dtype.
    """
    pixels = np.empty(array.shape, array.dtype.newbyteorder("="))
    # Each piece goes straight to its place; dask's own way would copy them together axis by axis.
    dask.array.store(array, pixels, lock=False, **_scheduling(before_each_piece))
    return pixels


def read_together(arrays: list[dask.array.Array]) -> list[np.ndarray]:
    """Compute several small dask arrays at once: a stored piece that they share is read once.

    Parameters
    ----------
    arrays : list of dask.array.Array
        Any shapes.

    Returns
    -------
    list of numpy.ndarray
        In native byte order.
    """
    values = dask.compute(*arrays, **_scheduling())
    return [np.asarray(v).astype(v.dtype.newbyteorder("="), copy=False) for v in values]


def _scheduling(before_each_piece: Callable[[], None] | None = None) -> dict[str, Any]:
    """Return how dask is to run: in our threads, and apart from what else goes on in the process."""

    def pretask(key: object, graph: object, state: object) -> None:
        if before_each_piece is not None:
            before_each_piece()

    return {
        # Said outright, so that a cluster set as dask's default is not sent local files.
        "scheduler": "threads",
        "pool": _POOL,
        # Callbacks given here keep dask off its global ones: napari registers its chunk cache there
        # from the GUI thread, and swapping that set from another thread corrupts it.
        "callbacks": [(None, None, pretask, None, None)],
    }


def unreadable(what: str, volume: Volume, error: Exception) -> VolumeError:
    """Return the error that says which part of which file cannot be read, and why.

    Parameters
    ----------
    what : str
        "slice 3 along axis 0".
    volume : Volume
        Where it should have been.
    error : Exception
        What the file's library raised.
    """
    reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return VolumeError(
        f"Cannot read {what} of '{volume.source or volume.name}', "
        f"which may be damaged or incomplete: {reason}."
    )


def lazy(stored: Any, chunks: tuple[Any, ...]) -> dask.array.Array:
    """Wrap anything that has a shape and a dtype and can be sliced, without reading from it.

    Parameters
    ----------
    stored : array-like
        Sliced once per chunk, from several threads at a time.
    chunks : tuple
        As dask takes them: the pieces that are worth reading at once.

    Returns
    -------
    dask.array.Array
    """
    return dask.array.from_array(
        stored,
        chunks=chunks,
        name=False,  # a random name: dask would otherwise hash, and so read, all the data
        # Inlined, and fancy=True by default: a slice's index is passed on, so that reading it does
        # not hold the whole pieces that it cuts in memory.
        inline_array=True,
        meta=np.empty((0,) * len(stored.shape), stored.dtype),
    )


def grouped_chunks(shape: tuple[int, ...], stored: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Group neighbouring small chunks of a slice, since each read has a price of its own.

    Parameters
    ----------
    shape : tuple of int
        The array's.
    stored : tuple of int
        Its chunks as the file has them.
    itemsize : int
        Bytes per pixel.

    Returns
    -------
    tuple of int
        `stored`, with the last two sides multiplied until a piece has about 16 MiB, so that a
        slice of any size still comes in moderate pieces.
    """
    chunks = [min(chunk, length) for chunk, length in zip(stored, shape, strict=True)]
    while math.prod(chunks) * itemsize < GROUPED_BYTES:
        growing = [axis for axis in (-1, -2) if chunks[axis] < shape[axis]]
        if not growing:
            break
        axis = min(growing, key=lambda axis: chunks[axis])
        chunks[axis] = min(chunks[axis] * 2, shape[axis])
    return tuple(chunks)
