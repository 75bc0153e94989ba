"""A folder of TIFF files, one for each slice."""

import numpy as np
import tifffile

from napari_tiqa.volumes.writing.tiff_tags import check_tiff, stored_plane, tiff_tags
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
        self._tags = tiff_tags(self.layout, one_slice=True)

    def write(self, index: int, plane: np.ndarray) -> None:
        """Write the file of a slice."""
        path = self.path / f"slice_{index:0{self._digits}}.tif"
        tifffile.imwrite(path, stored_plane(plane, self.layout), byteorder="=", **self._tags)
