"""Reading: the pieces of a lazy array into memory, and the sentence when one cannot be read."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import dask.array
import numpy as np

from napari_tiqa.errors import VolumeError

if TYPE_CHECKING:
    from napari_tiqa.volumes.volume import Volume

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

    def pretask(key: object, graph: object, state: object) -> None:
        if before_each_piece is not None:
            before_each_piece()

    # Callbacks given here keep dask off its global ones: napari registers its chunk cache there from
    # the GUI thread, and swapping that set from another thread corrupts it. Nor may a cluster that
    # the user set as dask's default be sent the local files.
    values = np.asarray(
        array.compute(scheduler="threads", pool=_POOL, callbacks=[(None, None, pretask, None, None)])
    )
    return values.astype(values.dtype.newbyteorder("="), copy=False)


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
