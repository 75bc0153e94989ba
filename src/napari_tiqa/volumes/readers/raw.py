"""Raw stacks: uncompressed pixels one after another in a file, as in .npy, .mrc and TIFFs; and .npy files."""

import math
from io import FileIO
from pathlib import Path

import dask.array
import numpy as np
from numpy.lib import format as npy_format

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.source_file import SourceFile
from napari_tiqa.volumes.stored import Box, Stored, lazy
from napari_tiqa.volumes.volume import Volume, check_image, default_axes


class _RawStack(Stored):
    """An array in a file that is opened for each read only: no handle stays."""

    def __init__(self, path: Path, offset: int, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.file = SourceFile(path)
        self.offset = offset
        self.shape = shape
        self.stored_dtype = dtype
        self.dtype = dtype.newbyteorder("=")

    def read_into(self, box: Box, out: np.ndarray) -> None:
        # Read, not mapped: a mapped file that is cut short meanwhile ends the process with a bus error.
        *leading, rows, columns = box
        lengths = self.shape[:-2]
        with self.file.path.open("rb", buffering=0) as file:
            for place in np.ndindex(out.shape[:-2]):
                page = [side.start + side.step * step for side, step in zip(leading, place, strict=True)]
                number = int(np.ravel_multi_index(page, lengths)) if page else 0
                self._read_page(file, number, rows, columns, out[place])
        self.file.check()

    def _read_page(self, file: FileIO, number: int, rows: slice, columns: slice, out: np.ndarray) -> None:
        """Read rows, whole, since columns lie too near each other to be looked for; keep some columns."""
        height, width = self.shape[-2:]
        wanted = range(rows.start, rows.stop, rows.step)
        whole = self.stored_dtype.isnative and out.shape == (len(wanted), width) and out.flags.c_contiguous
        pixels = out if whole else np.empty((len(wanted), width), self.stored_dtype)
        runs = [(wanted[0], pixels)] if rows.step == 1 else zip(wanted, pixels, strict=True)
        for row, part in runs:
            file.seek(self.offset + (number * height + row) * width * self.stored_dtype.itemsize)
            left = part.reshape(-1).view(np.uint8).data
            while left and (count := file.readinto(left)):
                left = left[count:]
            if left:
                raise EOFError(f"'{self.file.path.name}' ends in the middle of page {number}")
        if not whole:
            out[...] = pixels[:, columns]


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
