"""Slices in a row: read a volume slab by slab, the next slab while the caller works on this one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby, pairwise

import dask.array
import numpy as np

from napari_tiqa.errors import Cancelled, VolumeError
from napari_tiqa.volumes.reading import read
from napari_tiqa.volumes.volume import Volume

# Thin pieces (pages of a TIFF) are gathered up to this size, so that the cost of starting a read is
# shared by many slices while the first ones still come at once.
GATHERED_BYTES = 32 * 2**20
# A thick piece (a Zarr chunk) is read and decompressed whole even for one of its slices, so all its
# slices are taken together. 64 slices of 2048 x 2048 float32 are this large; two slabs are held.
MAX_BYTES = 2**30


def iter_slices(
    volume: Volume, axis: int, indices: Iterable[int], *, cancel: threading.Event | None = None
) -> Iterator[tuple[int, np.ndarray]]:
    """Read slices in the order asked, ahead of the caller, in bounded memory.

    Each stored piece is read once, where the slices that cut it are asked for one after another and
    fit into a slab of 1 GiB. At most two slabs are held, however many slices there are.

    Parameters
    ----------
    volume : Volume
        2-D or 3-D; one position of its time and channel axes (`Volume.tomogram`).
    axis : int
        0, 1 or 2: across z, y or x; 0 for a 2-D volume.
    indices : iterable of int
        The slices wanted, in any order.
    cancel : threading.Event, optional
        Set from another thread, it ends a wait for slices that are still being read.

    Returns
    -------
    iterator of (int, numpy.ndarray)
        Index and slice: 2-D, C-contiguous, the volume's dtype in native byte order. Closing the
        iterator ends the reading thread after the piece it is at.

    Raises
    ------
    VolumeError
        At once: no such axis or slice. While iterating: a slice that cannot be read, named together
        with its file; the slices before it have been given.
    Cancelled
        `cancel` was set.
    """
    count = volume.slice_count(axis)
    wanted = [int(index) for index in indices]
    for index in wanted:
        if not 0 <= index < count:
            raise VolumeError(
                f"'{volume.name}' has no slice {index} along axis {axis}: slices run from 0 to {count - 1}."
            )
    return _read_ahead(volume.tomogram(), axis, wanted, cancel or threading.Event())


def plan_slabs(volume: Volume, axis: int, indices: list[int]) -> list[list[int]]:
    """Part the slices asked for into slabs that follow the pieces the volume is stored in.

    Parameters
    ----------
    volume : Volume
        3-D.
    axis : int
        0, 1 or 2.
    indices : list of int
        The slices wanted, in order.

    Returns
    -------
    list of list of int
        The same slices in the same order.
    """
    plane_bytes = volume.data.nbytes // volume.data.shape[axis]
    ends = np.cumsum(volume.data.chunks[axis])
    slabs: list[list[int]] = []
    for _, same_piece in groupby(indices, key=lambda index: np.searchsorted(ends, index, "right")):
        run = list(same_piece)
        if slabs and (len(slabs[-1]) + len(run)) * plane_bytes <= GATHERED_BYTES:
            slabs[-1].extend(run)
        else:
            parts = -(-len(run) * plane_bytes // MAX_BYTES)
            slabs.extend(part.tolist() for part in np.array_split(run, min(parts, len(run))))
    return slabs


def _read_ahead(
    volume: Volume, axis: int, indices: list[int], cancel: threading.Event
) -> Iterator[tuple[int, np.ndarray]]:
    if volume.data.ndim == 2:
        for index in indices:
            yield index, volume.slice(axis, index)
        return

    closed = threading.Event()

    def check() -> None:
        if closed.is_set() or cancel.is_set():
            raise Cancelled("The reading of slices was cancelled.")

    slabs = plan_slabs(volume, axis, indices)
    with ThreadPoolExecutor(1, thread_name_prefix="napari-tiqa-slices") as reader:
        try:
            reading = [reader.submit(_read_slab, volume, axis, slab, check) for slab in slabs[:1]]
            for k, slab in enumerate(slabs):
                planes = reading.pop().result()
                if k + 1 < len(slabs):
                    reading.append(reader.submit(_read_slab, volume, axis, slabs[k + 1], check))
                for position, index in enumerate(slab):
                    if planes is None:
                        # One of them is unreadable: give those before it, then name it.
                        yield index, volume.slice(axis, index)
                    else:
                        yield index, np.ascontiguousarray(planes[position])
                del planes  # before the wait for the next slab: two are held, never three
        finally:
            closed.set()


def _read_slab(volume: Volume, axis: int, slab: list[int], check: Callable[[], None]) -> np.ndarray | None:
    """Read a slab, its slices first; None where it cannot be read as a whole."""
    step = slab[1] - slab[0] if len(slab) > 1 else 1
    before = (slice(None),) * axis
    if step > 0 and all(b - a == step for a, b in pairwise(slab)):
        array = volume.data[(*before, slice(slab[0], slab[-1] + 1, step))]
    else:
        array = dask.array.stack([volume.data[(*before, index)] for index in slab], axis=axis)
    try:
        return np.moveaxis(read(array, check), axis, 0)
    except Cancelled:
        raise
    except Exception:  # any codec, file system or graph may fail in its own way
        return None
