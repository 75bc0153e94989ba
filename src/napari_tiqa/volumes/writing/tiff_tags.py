"""How a TIFF says its voxel size, unit and record: as ImageJ does where that can be, else as OME does."""

from io import FileIO
from typing import Any

import numpy as np

from napari_tiqa.errors import ExportError
from napari_tiqa.volumes.applied import KEY, note_text
from napari_tiqa.volumes.writing.volume_writer import VolumeLayout

_IMAGEJ_TYPES = ("uint8", "uint16", "float32")
_OME_TYPES = ("int8", "int16", "int32", "uint32", "float64")
# ImageJ keeps pixels per unit as a fraction of two 32-bit numbers.
_IMAGEJ_SIZES = (1e-6, 1e6)
_OME_UNITS = {"angstrom": "Å", "inch": "in"}


def check_tiff(layout: VolumeLayout) -> None:
    """Refuse what a TIFF cannot hold, or could be written only pixel by pixel.

    Raises
    ------
    ExportError
        A type of number that neither ImageJ nor OME knows, or slices across y or x.
    """
    if layout.dtype.name not in _IMAGEJ_TYPES + _OME_TYPES:
        raise ExportError(
            f"A TIFF that other programs open cannot hold {layout.dtype}: export to OME-Zarr (.zarr)."
        )
    if layout.axis != 0:
        raise ExportError(
            f"A TIFF holds slices across axis 0, not across axis {layout.axis}: export to OME-Zarr (.zarr)."
        )


def tiff_tags(layout: VolumeLayout, *, one_slice: bool, ome: bool = False) -> dict[str, Any]:
    """Return the keywords of ``tifffile.imwrite`` that say what a volume is.

    Parameters
    ----------
    layout : VolumeLayout
    one_slice : bool
        Whether the file is to hold one slice of the volume, not all.
    ome : bool
        Whether OME is wanted where ImageJ could be too.
    """
    y, x = layout.voxel_size[-2:]
    z = layout.voxel_size[0] if len(layout.shape) == 3 else x
    axes = "YX" if one_slice else layout.axes.upper()
    text = note_text(layout.applied, slice_distance=z)
    shape = layout.shape[-2:] if one_slice else layout.shape
    common = {"shape": shape, "dtype": layout.dtype, "photometric": "minisblack"}
    if not ome and layout.dtype.name in _IMAGEJ_TYPES and all(map(_imagej_size, layout.voxel_size)):
        unit = layout.unit.replace("µ", "u")  # ImageJ's description is ASCII
        metadata = {"axes": axes, "unit": unit, "spacing": z, "Info": text}
        return {**common, "imagej": True, "resolution": (1 / x, 1 / y), "metadata": metadata}
    unit = _OME_UNITS.get(layout.unit, layout.unit)
    sizes = {f"PhysicalSize{axis}": size for axis, size in zip("ZYX", (z, y, x), strict=True)}
    units = {f"{name}Unit": unit for name in sizes}
    metadata = {"axes": axes, **sizes, **units, "MapAnnotation": {KEY: text}}
    return {**common, "ome": True, "metadata": metadata}


def write_pixels(file: FileIO, plane: np.ndarray, dtype: np.dtype) -> None:
    """Write a slice as it lies in memory.

    Raises
    ------
    OSError
        If not all of it can be written.
    """
    left = np.ascontiguousarray(plane, dtype).reshape(-1).view(np.uint8).data
    while len(left):
        left = left[file.write(left) :]


def _imagej_size(size: float) -> bool:
    return _IMAGEJ_SIZES[0] <= size <= _IMAGEJ_SIZES[1]
