"""TIFF: one file for a volume or one for each slice, with its voxel size, unit and record.

They are written as ImageJ does where that can be, else as OME does.
"""

import os
import uuid
from io import BytesIO, FileIO
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from napari_tiqa.errors import ExportError
from napari_tiqa.volumes.applied import KEY, note_text
from napari_tiqa.volumes.writing.volume_writer import VolumeLayout, VolumeWriter

_IMAGEJ_TYPES = ("uint8", "uint16", "float32")
_OME_TYPES = ("int8", "int16", "int32", "uint32", "float64")
# ImageJ keeps pixels per unit as a fraction of two 32-bit numbers.
_IMAGEJ_SIZES = (1e-6, 1e6)
_OME_UNITS = {"angstrom": "Å", "inch": "in"}
_BIG = 2**32 - 2**25
"""Bytes of pixels beyond which only a BigTIFF has room for them and the tags of all pages."""


class _TiffWriter(VolumeWriter):
    """What both ways to write TIFF have in common."""

    @staticmethod
    def check(layout: VolumeLayout) -> None:
        """Refuse what a TIFF cannot hold, or could be written only pixel by pixel."""
        if layout.dtype.name not in _IMAGEJ_TYPES + _OME_TYPES:
            raise ExportError(
                f"A TIFF that other programs open cannot hold {layout.dtype}: export to OME-Zarr (.zarr)."
            )
        if layout.axis != 0:
            raise ExportError(
                f"A TIFF holds slices across axis 0, not across axis {layout.axis}: "
                "export to OME-Zarr (.zarr)."
            )


class TiffFileWriter(_TiffWriter):
    """Writes an ImageJ TIFF; an OME-TIFF if it is large, of another type, or named .ome.tif.

    The file has all its pages from the start, so that a slice has its place before the others are there.
    """

    _file: FileIO
    _offset: int

    def begin(self, done: int) -> None:
        """Make the file without pixels, or find where they lie."""
        if done == 0:
            self._offset = _make_empty(self.path, self.layout)
        else:
            empty = self.path.with_name(f".{self.path.name}")  # takes no room: pages without pixels
            try:
                self._offset = _make_empty(empty, self.layout)
                if self._around(empty) != self._around(self.path):
                    raise ValueError("its pages are not what was written")
            finally:
                empty.unlink(missing_ok=True)
        self._file = open(self.path, "r+b", buffering=0)  # noqa: SIM115 - closed by `close`

    def write(self, index: int, plane: np.ndarray) -> None:
        """Write a slice to its place."""
        self._file.seek(self._offset + index * self.layout.nbytes // self.layout.count)
        _write_pixels(self._file, plane, self.layout.dtype)

    def stored(self, index: int) -> np.ndarray:
        """Read a slice from its place."""
        self._file.seek(self._offset + index * self.layout.nbytes // self.layout.count)
        pixels = self._file.read(self.layout.nbytes // self.layout.count)
        return np.frombuffer(pixels, self.layout.dtype).reshape(self.layout.shape[-2:])

    def _around(self, path: Path) -> tuple[bytes, bytes]:
        """Read all but the pixels."""
        with path.open("rb") as file:
            before = file.read(self._offset)
            file.seek(self.layout.nbytes, os.SEEK_CUR)
            return before, file.read()

    def close(self) -> None:
        """Close the file."""
        if hasattr(self, "_file"):
            self._file.close()


class TiffSlicesWriter(_TiffWriter):
    """Writes slice_0000.tif and so on, each with the voxel size and the record of the whole volume."""

    def begin(self, done: int) -> None:
        """Make the folder."""
        self.path.mkdir(exist_ok=done > 0)
        self._digits = max(4, len(str(self.layout.count - 1)))
        # All files are the same but for their pixels.
        tiff = BytesIO()
        tags = _tags(self.layout, one_slice=True)
        offset, size = tifffile.imwrite(tiff, None, byteorder="=", returnoffset=True, **tags)
        self._before, self._after = tiff.getvalue()[:offset], tiff.getvalue()[offset + size :]

    def write(self, index: int, plane: np.ndarray) -> None:
        """Write the file of a slice."""
        with self._file_of(index).open("wb", buffering=0) as file:
            file.write(self._before)
            _write_pixels(file, plane, self.layout.dtype)
            file.write(self._after)

    def stored(self, index: int) -> np.ndarray:
        """Read the file of a slice."""
        return tifffile.imread(self._file_of(index))

    def _file_of(self, index: int) -> Path:
        return self.path / f"slice_{index:0{self._digits}}.tif"


def _tags(layout: VolumeLayout, *, one_slice: bool, ome: bool = False) -> dict[str, Any]:
    """Return the keywords of ``tifffile.imwrite`` for a file of the volume, or of one of its slices."""
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
    identity = uuid.uuid5(uuid.NAMESPACE_OID, f"{shape} {text}")  # the same each time it is made
    metadata = {"axes": axes, **sizes, **units, "UUID": str(identity), "MapAnnotation": {KEY: text}}
    return {**common, "ome": True, "metadata": metadata}


def _make_empty(path: Path, layout: VolumeLayout) -> int:
    """Write a file without pixels; return where they lie, one page after the other."""
    big = layout.nbytes > _BIG
    ome = big or path.name.lower().endswith((".ome.tif", ".ome.tiff"))
    tags = _tags(layout, one_slice=False, ome=ome)
    offset, _ = tifffile.imwrite(path, None, bigtiff=big, byteorder="=", returnoffset=True, **tags)
    return int(offset)


def _write_pixels(file: FileIO, plane: np.ndarray, dtype: np.dtype) -> None:
    """Write a slice as it lies in memory; all of it, which one call of ``write`` does not promise."""
    left = np.ascontiguousarray(plane, dtype).reshape(-1).view(np.uint8).data
    while len(left):
        left = left[file.write(left) :]


def _imagej_size(size: float) -> bool:
    return _IMAGEJ_SIZES[0] <= size <= _IMAGEJ_SIZES[1]
