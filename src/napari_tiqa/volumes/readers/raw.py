"""Raw stacks: uncompressed pixels one after another in a file, as in .npy, .mrc and TIFFs; and .npy files."""

import math
from pathlib import Path

import dask.array
import numpy as np
from numpy.lib import format as npy_format

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.stored import Box, Stored, lazy
from napari_tiqa.volumes.volume import Volume, check_image, default_axes


class _RawStack(Stored):
    """An array in a file that is mapped for each read only: no handle stays open."""

    def __init__(self, path: Path, offset: int, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.path = path
        self.offset = offset
        self.shape = shape
        self.stored_dtype = dtype
        self.dtype = dtype.newbyteorder("=")

    def read_into(self, box: Box, out: np.ndarray) -> None:
        # Mapped here: a file cut short after it was opened raises an error instead of a bus error.
        out[...] = np.memmap(self.path, self.stored_dtype, "r", self.offset, self.shape)[box]


def open_raw(path: Path, offset: int, shape: tuple[int, ...], dtype: np.dtype) -> dask.array.Array:
    """Return raw pixels as a lazy array, a chunk per slice; raises VolumeError if the file is too short."""
    needed = offset + math.prod(shape) * dtype.itemsize
    size = path.stat().st_size
    if size < needed:
        raise VolumeError(
            f"'{path}' is truncated: it has {size} bytes of the {needed} that its header promises; "
            "copy it again."
        )
    return lazy(_RawStack(path, offset, shape, dtype), (1,) * (len(shape) - 2) + shape[-2:])


def open_npy(path: Path) -> Volume:
    """Open a .npy file of 2 to 5 dimensions, in C or Fortran order; raises VolumeError as ``open_volume``."""
    with path.open("rb") as file:
        version = npy_format.read_magic(file)
        read_header = (
            npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        )
        shape, fortran_order, dtype = read_header(file)
        offset = file.tell()
    check_image(shape, dtype, path.name)
    axes = default_axes(shape, path.name)
    beyond = path.stat().st_size - offset - math.prod(shape) * dtype.itemsize
    warning = f"'{path.name}' has {beyond} bytes more than promised: its first array alone is opened."
    data = open_raw(path, offset, shape[::-1] if fortran_order else shape, dtype)
    return Volume(
        data=data.T if fortran_order else data,
        axes=axes,
        voxel_size=(1.0,) * len(shape),
        unit="pixel",
        name=path.stem,
        source=str(path),
        warnings=(warning,) * (beyond > 0),
    )
