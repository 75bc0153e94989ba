"""Stored arrays: what the reader of each format offers, and the lazy dask array around it."""

import math
from abc import ABC, abstractmethod
from typing import Any
from weakref import WeakValueDictionary

import dask.array
import numpy as np

from napari_tiqa.errors import VolumeError

Box = tuple[slice, ...]
"""A part of an array: per dimension a start, a stop within the array and a step of at least 1."""

GROUPED_BYTES = 16 * 2**20
MOST_PIECES = 10**6  # dask keeps a number for each


class Stored(ABC):
    """An array of a shape and a dtype (native byte order) that can be read part by part."""

    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @abstractmethod
    def read_into(self, box: Box, out: np.ndarray) -> None:
        """Read a part straight to its place, of its shape and dtype; called from several threads."""

    def __getitem__(self, key: tuple[int | slice, ...]) -> np.ndarray:
        """Read a part as dask asks for it: integers and slices, also backwards."""
        box: list[slice] = []
        within: list[int | slice] = []
        for part, length in zip(key, self.shape, strict=True):
            if isinstance(part, slice):
                places = range(length)[part]
                backwards = places.step < 0
                within.append(slice(None, None, -1 if backwards else 1))
                places = places[::-1] if backwards else places
                box.append(slice(places.start, max(places.stop, places.start), places.step))
            else:
                box.append(slice(part, part + 1, 1))
                within.append(0)
        out = np.empty(box_shape(tuple(box)), self.dtype)
        if out.size:
            self.read_into(tuple(box), out)
        return out[tuple(within)]


class ArrayStack(Stored):
    """Anything with a shape and a dtype that can be sliced: NumPy, Zarr, h5py."""

    def __init__(self, array: Any) -> None:
        self.array = array
        self.shape = tuple(array.shape)
        self.dtype = np.dtype(array.dtype).newbyteorder("=")

    def read_into(self, box: Box, out: np.ndarray) -> None:
        """Slice the array."""
        out[...] = self.array[box]


class _Fixed(Stored):
    """A stored array at one position of its leading axes."""

    def __init__(self, stored: Stored, where: tuple[int, ...]) -> None:
        self.stored = stored
        self.leading = tuple(slice(index, index + 1, 1) for index in where)
        self.shape = stored.shape[len(where) :]
        self.dtype = stored.dtype

    def read_into(self, box: Box, out: np.ndarray) -> None:
        self.stored.read_into(self.leading + box, out[(np.newaxis,) * len(self.leading)])


# What each lazy array wraps, by the array's name, which dask changes in all that is derived from it:
# read straight from there, a slab takes a third of the time that it takes through dask's task graph.
_BEHIND: WeakValueDictionary[str, Stored] = WeakValueDictionary()


def lazy(stored: Stored, chunks: tuple[Any, ...]) -> dask.array.Array:
    """Wrap a stored array for dask, without reading from it.

    `chunks`, as dask takes them, are the pieces that are worth reading at once. Raises VolumeError for more
    of them along an axis than dask can list.
    """
    for length, side in zip(stored.shape, chunks, strict=True):
        if (number := -(-length // side) if isinstance(side, int) else len(side)) > MOST_PIECES:
            raise VolumeError(
                f"An array of {stored.shape} is stored in {number} pieces along one axis, which cannot be "
                "opened: write it in larger chunks."
            )
    array = dask.array.from_array(
        stored,
        chunks=chunks,
        name=False,  # a random name: dask would otherwise hash, and so read, all the data
        # A slice's index is passed on, so that reading it does not hold the whole pieces that it cuts
        # in memory; a list of indices is not.
        inline_array=True,
        fancy=False,
        meta=np.empty((0,) * stored.ndim, stored.dtype),
    )
    _BEHIND[array.name] = stored
    return array


def behind(array: dask.array.Array) -> Stored | None:
    """Return what a lazy array wraps; None where it is one of dask's own making."""
    return _BEHIND.get(array.name)


def fixed(array: dask.array.Array, where: tuple[int, ...]) -> dask.array.Array:
    """Fix the leading axes of a lazy array, which is then read straight from its file as before."""
    stored = behind(array)
    return array[where] if stored is None else lazy(_Fixed(stored, where), array.chunks[len(where) :])


def packed(array: dask.array.Array) -> Any:
    """Return what is sent to another process for a lazy array: what it wraps, and its pieces.

    An array of dask's own making is sent as it is.
    """
    stored = behind(array)
    return array if stored is None else (stored, array.chunks)


def unpacked(sent: Any) -> dask.array.Array:
    """Make the lazy array again."""
    return lazy(*sent) if isinstance(sent, tuple) else sent


def box_shape(box: Box) -> tuple[int, ...]:
    """Return the shape of a part."""
    return tuple(len(range(side.start, side.stop, side.step)) for side in box)


def grouped_chunks(shape: tuple[int, ...], stored: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Group neighbouring small chunks of a slice, since each read has a cost of its own.

    Returns the chunks as stored, with the last two sides multiplied until a piece has about 16 MiB, so that a
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
