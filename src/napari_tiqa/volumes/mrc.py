"""MRC files (.mrc, .rec, .map): the header read with mrcfile, the pixels as a raw stack."""

from pathlib import Path

import mrcfile
import mrcfile.utils

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.raw import open_raw
from napari_tiqa.volumes.units import common_unit
from napari_tiqa.volumes.volume import Volume, check_image

HEADER_BYTES = 1024
VOLUME_STACKS = range(401, 631)  # space groups, MRC2014


def open_mrc(path: Path) -> Volume:
    """Open an MRC file; its voxel size in ångström is given in nm. Raises VolumeError as ``open_volume``."""
    with mrcfile.open(path, header_only=True) as mrc:
        header = mrc.header
        columns, rows, sections = int(header.nx), int(header.ny), int(header.nz)
        extended, per_volume = int(header.nsymbt), int(header.mz)
        stack_of_volumes = int(header.ispg) in VOLUME_STACKS
        single = int(header.ispg) == 0 and sections == 1
        size = mrc.voxel_size
        # Stored in single precision; its noise in the last digits is not worth showing.
        angstrom = [float(f"{side:.6g}") for side in (size.z, size.y, size.x)]
        try:
            dtype = mrcfile.utils.dtype_from_mode(header.mode).newbyteorder(header.nx.dtype.byteorder)
        except ValueError as error:
            raise VolumeError(
                f"'{path}' stores its pixels in MRC mode {int(header.mode)}, which cannot be read: "
                "convert it to 8 or 16 bit integers or 32 bit floating point."
            ) from error

    axes: tuple[str, ...] = ("z", "y", "x")
    shape: tuple[int, ...] = (sections, rows, columns)
    if stack_of_volumes:
        axes, shape = ("t", *axes), (sections // per_volume, per_volume, rows, columns)
    elif single:
        axes, shape = axes[1:], shape[1:]
    check_image(shape, dtype, path.name)
    spatial = min(len(shape), 3)
    sizes, unit = common_unit([a / 10 for a in angstrom[-spatial:]], ["nm"] * spatial)
    return Volume(
        data=open_raw(path, HEADER_BYTES + extended, shape, dtype),
        axes=axes,
        voxel_size=(1.0,) * (len(shape) - spatial) + sizes,
        unit=unit,
        name=path.stem,
        source=str(path),
    )
