"""OME-Zarr 0.4 with smaller levels for display, each slice in chunks of its own."""

import json
import math
from typing import Any

import cv2
import numpy as np
import zarr

from napari_tiqa.volumes.applied import KEY, note
from napari_tiqa.volumes.readers.ome_zarr import LABELS
from napari_tiqa.volumes.writing.volume_writer import VolumeLayout, VolumeWriter
from napari_tiqa.volumes.writing.zarr_chunks import COMPRESSOR, store_plane

CHUNK_SIDE = 1024  # px, within a slice
SMALLEST_LEVEL = 512  # px; a volume whose sides are at most as long needs no smaller level

_UNITS = {
    "pm": "picometer",
    "angstrom": "angstrom",
    "nm": "nanometer",
    "µm": "micrometer",
    "mm": "millimeter",
    "cm": "centimeter",
    "m": "meter",
    "inch": "inch",
}


class OmeZarrWriter(VolumeWriter):
    """Writes a Zarr 2 group: level 0 holds the slices, each further level half as many along each axis.

    Chunks are one slice thick, so that a slice is stored as soon as it is there, and are shown one by one
    in napari. A voxel of a smaller level is the mean of those that it stands for.
    """

    _levels: list[zarr.Array]

    @staticmethod
    def check(layout: VolumeLayout) -> None:
        """Refuse nothing: a Zarr array holds every volume that can be opened."""

    @staticmethod
    def nbytes(layout: VolumeLayout) -> int:
        """Return the size of all levels, not compressed."""
        return sum(math.prod(shape) for shape in level_shapes(layout.shape)) * layout.dtype.itemsize

    def begin(self, done: int) -> None:
        """Make the group and its arrays, or open them."""
        layout = self.layout
        if done == 0:
            group = zarr.create_group(self.path, zarr_format=2, attributes=self.attributes())
            for number, shape in enumerate(level_shapes(layout.shape)):
                chunks = [min(side, CHUNK_SIDE) for side in shape]
                if len(shape) == 3:
                    chunks[layout.axis] = 1
                group.create_array(
                    str(number),
                    shape=shape,
                    chunks=tuple(chunks),
                    dtype=layout.dtype,
                    compressors=COMPRESSOR,
                    chunk_key_encoding={"name": "v2", "separator": "/"},
                    fill_value=0,
                )
        group = zarr.open_group(self.path, mode="r+")
        self._levels = [group[str(number)] for number in range(len(level_shapes(layout.shape)))]
        shapes = [level.shape for level in self._levels]
        whole = json.loads(json.dumps(self.attributes())) == group.attrs.asdict()
        if not whole or shapes != level_shapes(layout.shape):
            raise ValueError("its metadata is not what was written")
        self._before: dict[int, np.ndarray] = {}

    def write(self, index: int, plane: np.ndarray) -> None:
        """Write a slice, and those of smaller levels that it completes."""
        self._write(0, index, np.ascontiguousarray(plane, self.layout.dtype))

    def stored(self, index: int) -> np.ndarray:
        """Read a slice of the full level."""
        return np.asarray(self._levels[0][self._place(index)])

    def attributes(self) -> dict[str, Any]:
        """Return the OME metadata of the image and our own note."""
        return _attributes(self.layout)

    def shrunk(self, planes: list[np.ndarray]) -> np.ndarray:
        """Return the slice of the next level that stands for one or two neighbouring slices."""
        return halved(planes)

    def _write(self, level: int, index: int, plane: np.ndarray) -> None:
        array = self._levels[level]
        self._store(level, index, plane)
        if level + 1 == len(self._levels):
            return
        count = 1 if array.ndim == 2 else array.shape[self.layout.axis]
        if index % 2 == 0 and index + 1 < count:
            self._before[level] = plane
            return
        planes = [plane]
        if index % 2:
            # Stored, but no longer in memory, where the export was resumed here.
            before = self._before.pop(level, None)
            planes.insert(0, array[self._place(index - 1)] if before is None else before)
        self._write(level + 1, index // 2, self.shrunk(planes))

    def _store(self, level: int, index: int, plane: np.ndarray) -> None:
        array = self._levels[level]
        where: list[int | None] = [None] * array.ndim
        if array.ndim == 3:
            where[self.layout.axis] = index
        store_plane(self.path / str(level), array, where, plane)

    def _place(self, index: int) -> tuple[Any, ...]:
        if len(self.layout.shape) == 2:
            return (slice(None), slice(None))
        return (*(slice(None),) * self.layout.axis, index)


class OmeZarrLabelsWriter(OmeZarrWriter):
    """Writes label values: a voxel of a smaller level has the value of one of those that it stands for."""

    def attributes(self) -> dict[str, Any]:
        """Say that these are labels."""
        attributes = super().attributes()
        attributes["multiscales"][0]["type"] = "nearest"
        return attributes | {LABELS: {"version": "0.4"}}

    def shrunk(self, planes: list[np.ndarray]) -> np.ndarray:
        """Take every second pixel: a mean of labels is another label."""
        return planes[0][::2, ::2]


def space_axes(names: str, unit: str) -> list[dict[str, Any]]:
    """Return the metadata of the axes `names` ("zyx"); a unit that OME-Zarr does not have is left out."""
    known = {"unit": _UNITS[unit]} if unit in _UNITS else {}
    return [{"name": name, "type": "space", **known} for name in names]


def level_shapes(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return the shapes of the levels, level 0 first."""
    shapes = [shape]
    while max(shapes[-1]) > SMALLEST_LEVEL:
        shapes.append(tuple(-(-side // 2) for side in shapes[-1]))
    return shapes


def halved(planes: list[np.ndarray]) -> np.ndarray:
    """Return the mean of one or two neighbouring slices over squares of 2 x 2 pixels, in their own dtype.

    An odd side's last row or column stands for itself.
    """
    dtype = planes[0].dtype
    exact = np.float32 if dtype.itemsize <= 2 or dtype == np.float32 else np.float64
    mean = _halved_within(planes[0], exact)
    if len(planes) == 2:
        mean += _halved_within(planes[1], exact)
        mean /= 2
    return (mean if dtype.kind == "f" else np.rint(mean, out=mean)).astype(dtype, copy=False)


def _halved_within(plane: np.ndarray, exact: type[np.floating]) -> np.ndarray:
    height, width = plane.shape
    if height % 2 or width % 2:
        plane = np.pad(plane, ((0, height % 2), (0, width % 2)), mode="edge")
    size = (plane.shape[1] // 2, plane.shape[0] // 2)
    return cv2.resize(plane.astype(exact, copy=False), size, interpolation=cv2.INTER_AREA)


def _attributes(layout: VolumeLayout) -> dict[str, Any]:
    """Return the OME metadata of the image and our own note."""
    axes = space_axes(layout.axes, layout.unit)
    datasets = []
    for number in range(len(level_shapes(layout.shape))):
        scale = [size * 2**number for size in layout.voxel_size]
        # The first voxel of a smaller level stands for several: its middle lies further in.
        shift = [size * (2**number - 1) / 2 for size in layout.voxel_size]
        transformations: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
        if number:
            transformations.append({"type": "translation", "translation": shift})
        datasets.append({"path": str(number), "coordinateTransformations": transformations})
    image = {"version": "0.4", "axes": axes, "datasets": datasets, "type": "mean"}
    return {"multiscales": [image], KEY: note(layout.applied)}
