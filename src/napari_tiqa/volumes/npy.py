"""NumPy files (.npy): the header read with numpy, the pixels as a raw stack."""

from __future__ import annotations

from pathlib import Path

from numpy.lib import format as npy_format

from napari_tiqa.volumes.raw import open_raw
from napari_tiqa.volumes.volume import Volume, check_image, default_axes


def open_npy(path: Path) -> Volume:
    """Open a .npy file of 2 to 5 dimensions, in C or Fortran order; voxels are 1 pixel.

    Raises
    ------
    VolumeError
        The array is no grey tomogram, or the file is truncated.
    """
    with path.open("rb") as file:
        version = npy_format.read_magic(file)
        read_header = (
            npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        )
        shape, fortran_order, dtype = read_header(file)
        offset = file.tell()
    check_image(shape, dtype, path.name)
    axes = default_axes(shape, path.name)
    data = open_raw(path, offset, shape[::-1] if fortran_order else shape, dtype)
    return Volume(
        data=data.T if fortran_order else data,
        axes=axes,
        voxel_size=(1.0,) * len(shape),
        unit="pixel",
        name=path.stem,
        source=str(path),
    )
