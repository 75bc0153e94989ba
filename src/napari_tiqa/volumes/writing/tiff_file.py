"""One TIFF file for a volume: its pages lie one after another, not compressed, BigTIFF where it is large."""

from io import FileIO
from pathlib import Path

import numpy as np
import tifffile

from napari_tiqa.volumes.writing.tiff_tags import check_tiff, tiff_tags, write_pixels
from napari_tiqa.volumes.writing.volume_writer import VolumeLayout, VolumeWriter

BIG = 2**32 - 2**25
"""Bytes of pixels beyond which only a BigTIFF has room for them and the tags of all pages."""


class TiffFileWriter(VolumeWriter):
    """Writes an ImageJ TIFF; an OME-TIFF if it is large, of another type, or named .ome.tif.

    The file has all its pages from the start, so that a slice has its place before the others are there.
    """

    _file: FileIO
    _offset: int

    @staticmethod
    def check(layout: VolumeLayout) -> None:
        """Refuse what a TIFF cannot hold."""
        check_tiff(layout)

    def begin(self, done: int) -> None:
        """Make the file without pixels, or find where they lie."""
        if done == 0:
            _make(self.path, self.layout)
        with tifffile.TiffFile(self.path) as tiff:
            offset = tiff.series[0].dataoffset
        assert offset is not None
        self._offset = offset
        self._file = open(self.path, "r+b", buffering=0)  # noqa: SIM115 - closed by `close`

    def write(self, index: int, plane: np.ndarray) -> None:
        """Write a slice to its place."""
        self._file.seek(self._offset + index * self.layout.nbytes // self.layout.count)
        write_pixels(self._file, plane, self.layout.dtype)

    def close(self) -> None:
        """Close the file."""
        if hasattr(self, "_file"):
            self._file.close()


def _make(path: Path, layout: VolumeLayout) -> None:
    big = layout.nbytes > BIG
    ome = big or path.name.lower().endswith((".ome.tif", ".ome.tiff"))
    tags = tiff_tags(layout, one_slice=False, ome=ome)
    tifffile.imwrite(path, None, bigtiff=big, byteorder="=", **tags)
