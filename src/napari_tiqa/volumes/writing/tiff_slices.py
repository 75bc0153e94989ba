"""A folder of TIFF files, one for each slice."""

from io import BytesIO

import numpy as np
import tifffile

from napari_tiqa.volumes.writing.tiff_tags import check_tiff, tiff_tags, write_pixels
from napari_tiqa.volumes.writing.volume_writer import VolumeLayout, VolumeWriter


class TiffSlicesWriter(VolumeWriter):
    """Writes slice_0000.tif and so on, each with the voxel size and the record of the whole volume."""

    @staticmethod
    def check(layout: VolumeLayout) -> None:
        """Refuse what a TIFF cannot hold."""
        check_tiff(layout)

    def begin(self, done: int) -> None:
        """Make the folder."""
        self.path.mkdir(exist_ok=done > 0)
        self._digits = max(4, len(str(self.layout.count - 1)))
        # All files are the same but for their pixels.
        tiff = BytesIO()
        tags = tiff_tags(self.layout, one_slice=True)
        offset, size = tifffile.imwrite(tiff, None, byteorder="=", returnoffset=True, **tags)
        self._before, self._after = tiff.getvalue()[:offset], tiff.getvalue()[offset + size :]

    def write(self, index: int, plane: np.ndarray) -> None:
        """Write the file of a slice."""
        path = self.path / f"slice_{index:0{self._digits}}.tif"
        with path.open("wb", buffering=0) as file:
            file.write(self._before)
            write_pixels(file, plane, self.layout.dtype)
            file.write(self._after)
