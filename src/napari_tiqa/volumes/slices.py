"""Slices in a row: read a volume slab by slab, and do something with each slice."""

import math
import operator
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import groupby, pairwise
from typing import TypeVar

import numpy as np

from napari_tiqa.errors import Cancelled, VolumeError
from napari_tiqa.volumes.reading import read
from napari_tiqa.volumes.slice_grammar import Slices, slices_of
from napari_tiqa.volumes.threads import CORES, share
from napari_tiqa.volumes.volume import Volume

# Thin pieces (pages of a TIFF) are gathered up to this size, and to one per core, so that the cost of
# starting a read is shared by many slices while the first ones still come at once.
GATHERED_BYTES = 16 * 2**20
# A thick piece (a Zarr chunk) is read and decompressed whole even for one of its slices, so all its
# slices are taken together. 64 slices of 2048 x 2048 float32 are this large, the most that is held.
MAX_BYTES = 2**30

_T = TypeVar("_T")


def evenly(count: int, length: int) -> list[int]:
    """Return indices of `count` slices of `length`, evenly spaced, the ends left out."""
    return [int((place + 0.5) * length / count) for place in range(count)]


def chosen_slices(volume: Volume, slices: Slices, axis: int | str) -> list[int]:
    """Resolve the slices asked for to indices from 0, each once, in the order asked for; None is all.

    Negative indices count from the end; a text is read by ``volumes.slice_grammar``. Raises VolumeError if
    there is no such axis or slice, none was chosen, or they are not integers.
    """
    axis = volume.axis_number(axis)
    count = volume.slice_count(axis)
    present = f"{volume.name} has slices 0 to {count - 1} along axis {axis}"
    try:
        if slices is None or isinstance(slices, slice):
            indices = list(range(count)[slices or slice(None)])
        elif isinstance(slices, str):
            indices = slices_of(slices, count)
        else:
            indices = [operator.index(index) for index in slices]
    except (TypeError, ValueError) as error:
        raise VolumeError(f"Slice indices must be integers ({error}): {present}.") from error
    for index in indices:
        if not -count <= index < count:
            raise VolumeError(f"There is no slice {index}: {present}.")
    if not indices:
        raise VolumeError(f"No slice was chosen: {present}.")
    return list(dict.fromkeys(index % count for index in indices))


def map_slices(
    volume: Volume,
    axis: int,
    indices: Iterable[int],
    function: Callable[[np.ndarray], _T],
    *,
    cancel: threading.Event | None = None,
) -> Iterator[tuple[int, _T]]:
    """Read slices and apply a function to each, in the order asked and in bounded memory.

    Each stored piece is read once, where the slices that cut it are asked for one after another and
    fit into a slab of 1 GiB. Slabs are read in the background: one while the function works on another
    where both fit into 1 GiB, else while the caller works on the results.

    Parameters
    ----------
    volume : Volume
        2-D or 3-D; one position of its time and channel axes (`Volume.tomogram`).
    axis : int
        0, 1 or 2: across z, y or x; 0 for a 2-D volume.
    indices : iterable of int
        The slices wanted, in any order.
    function : callable
        Called with each slice, from several threads at a time: 2-D, the volume's dtype in native byte
        order. The slice's memory is used again, so a result may not refer to it.
    cancel : threading.Event, optional
        Set from another thread, it ends the reading at the next stored piece.

    Returns
    -------
    iterator of (int, result)
        Index of the slice, and what the function returned.

    Raises
    ------
    VolumeError
        At once: no such axis or slice. While iterating: a slice that cannot be read, named together
        with its file; the slices before it have been given.
    Cancelled
        `cancel` was set.
    """
    return map_numbered(volume, axis, indices, lambda _, plane: function(plane), cancel=cancel)


def map_numbered(
    volume: Volume,
    axis: int,
    indices: Iterable[int],
    function: Callable[[int, np.ndarray], _T],
    *,
    cancel: threading.Event | None = None,
) -> Iterator[tuple[int, _T]]:
    """Read slices, as `map_slices`, and apply a function to the index and the pixels of each."""
    count = volume.slice_count(axis)
    wanted = [int(index) for index in indices]
    for index in wanted:
        if not 0 <= index < count:
            raise VolumeError(
                f"'{volume.name}' has no slice {index} along axis {axis}: slices run from 0 to {count - 1}."
            )
    return _map(volume.tomogram(), axis, wanted, function, cancel or threading.Event())


def plan_slabs(volume: Volume, axis: int, indices: list[int]) -> list[list[int]]:
    """Part the slices asked for, in order, into slabs that follow the pieces a 3-D volume is stored in."""
    plane_bytes = volume.data.nbytes // volume.data.shape[axis]
    gathered = max(GATHERED_BYTES // plane_bytes, CORES)
    slabs: list[list[int]] = []
    for run in _by_piece(volume, axis, indices):
        if slabs and len(slabs[-1]) + len(run) <= gathered:
            slabs[-1].extend(run)
        else:
            parts = -(-len(run) * plane_bytes // MAX_BYTES)
            slabs.extend(part.tolist() for part in np.array_split(run, min(parts, len(run))))
    return slabs


def _by_piece(volume: Volume, axis: int, indices: list[int]) -> list[list[int]]:
    """Part indices where another stored piece begins."""
    ends = np.cumsum(volume.data.chunks[axis])
    runs = groupby(indices, key=lambda index: int(np.searchsorted(ends, index, "right")))
    return [list(run) for _, run in runs]


def _map(
    volume: Volume,
    axis: int,
    indices: list[int],
    function: Callable[[int, np.ndarray], _T],
    cancel: threading.Event,
) -> Iterator[tuple[int, _T]]:
    if volume.data.ndim == 2:
        for index in indices:
            yield index, function(index, volume.slice(axis, index))
        return

    closed = threading.Event()

    def check() -> None:
        if closed.is_set() or cancel.is_set():
            raise Cancelled("The reading of slices was cancelled.")

    slabs = plan_slabs(volume, axis, indices)
    plane_size = volume.data.size // volume.data.shape[axis]
    size = plane_size * max(map(len, slabs), default=0)
    dtype = volume.data.dtype.newbyteorder("=")
    ahead = 2 * size * dtype.itemsize <= MAX_BYTES
    # The same memory for all slabs: the system clears new memory first, which takes as long as reading.
    try:
        memories = [np.empty(size, dtype) for _ in range(2 if ahead else 1)]
    except MemoryError as error:
        raise VolumeError(
            f"A slice of '{volume.name}' along axis {axis} has {volume.slice_shape(axis)} pixels, more "
            "than fit into memory: choose another axis, or a smaller volume."
        ) from error

    with ThreadPoolExecutor(1, thread_name_prefix="napari-tiqa-slabs") as reader:

        def begin(number: int) -> Future[np.ndarray | None] | None:
            if number >= len(slabs):
                return None
            return reader.submit(
                _read_slab, volume, axis, slabs[number], memories[number % len(memories)], check
            )

        try:
            reading = begin(0)
            for number, slab in enumerate(slabs):
                assert reading is not None
                planes = reading.result()
                if ahead:
                    reading = begin(number + 1)
                if planes is not None:
                    rows = sorted(set(slab))
                    results = dict(zip(rows, _apply(function, rows, planes, check), strict=True))
                if not ahead:
                    reading = begin(number + 1)
                for index in slab:
                    if planes is None:
                        # One of the slices is unreadable: give those before it, then name it.
                        check()
                        yield index, function(index, volume.slice(axis, index))
                    else:
                        yield index, results[index]
        finally:
            closed.set()


def _read_slab(
    volume: Volume, axis: int, slab: list[int], memory: np.ndarray, check: Callable[[], None]
) -> np.ndarray | None:
    """Read the slices of a slab in ascending order, slices first; None where it cannot be read as a whole."""
    rows = sorted(set(slab))
    shape = list(volume.data.shape)
    shape[axis] = len(rows)
    pixels = memory[: math.prod(shape)].reshape(shape)
    try:
        _read_rows(volume, axis, rows, pixels, check)
    except Cancelled:
        raise
    except Exception:  # any codec, file system or graph may fail in its own way
        return None
    return np.moveaxis(pixels, axis, 0)


def _apply(
    function: Callable[[int, np.ndarray], _T],
    rows: list[int],
    planes: np.ndarray,
    check: Callable[[], None],
) -> list[_T]:
    """Apply a function to each slice of a slab and its index, in several threads."""
    results: dict[int, _T] = {}

    def put(number: int) -> None:
        check()
        results[number] = function(rows[number], planes[number])

    share([partial(put, number) for number in range(len(planes))])
    return [results[number] for number in range(len(planes))]


def _read_rows(
    volume: Volume, axis: int, rows: list[int], out: np.ndarray, check: Callable[[], None]
) -> None:
    """Read the slices of a slab, in ascending order, each stored piece once."""
    steps = {b - a for a, b in pairwise(rows)}
    before, after = ((slice(None),) * axis, (slice(None),) * (2 - axis))
    whole = [slice(0, length, 1) for length in volume.data.shape]
    if len(steps) < 2:
        whole[axis] = slice(rows[0], rows[-1] + 1, steps.pop() if steps else 1)
        read(volume.data, tuple(whole), out, check)
        return
    done = 0
    for run in _by_piece(volume, axis, rows):
        whole[axis] = slice(run[0], run[-1] + 1, 1)
        between = read(volume.data, tuple(whole), before_each_piece=check)
        out[(*before, slice(done, done + len(run)), *after)] = between.take(np.subtract(run, run[0]), axis)
        done += len(run)
