"""Raw stacks: uncompressed pixels one after another in a file, as in .npy, .mrc and many TIFFs."""

from __future__ import annotations

import math
from pathlib import Path

import dask.array
import numpy as np

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.stored import Box, Stored, lazy


class RawStack(Stored):
    """An array in a file that is mapped into memory for each read only.

    No handle stays open, so the file can be moved or deleted, and a file cut short after it was
    opened raises an error rather than ending the process with a bus error.
    """

    def __init__(self, path: Path, offset: int, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.path = path
        self.offset = offset
        self.shape = shape
        self.stored_dtype = dtype
        self.dtype = dtype.newbyteorder("=")

    def read_into(self, box: Box, out: np.ndarray) -> None:
        """Copy a part from the mapped file."""
        out[...] = np.memmap(self.path, self.stored_dtype, "r", self.offset, self.shape)[box]


def open_raw(path: Path, offset: int, shape: tuple[int, ...], dtype: np.dtype) -> dask.array.Array:
    """Return raw pixels as a lazy array, a chunk per slice.

    Raises
    ------
    VolumeError
        The file is shorter than its header says.
    """
    needed = offset + math.prod(shape) * dtype.itemsize
    size = path.stat().st_size
    if size < needed:
        raise VolumeError(
            f"'{path}' is truncated: it has {size} bytes of the {needed} that its header promises; "
            "copy it again."
        )
    return lazy(RawStack(path, offset, shape, dtype), (1,) * (len(shape) - 2) + shape[-2:])
