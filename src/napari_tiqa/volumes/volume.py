"""Volume: one tomogram as the rest of the project sees it, lazy, with axes and voxel size."""

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dask.array
import numpy as np

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.applied import Applied
from napari_tiqa.volumes.reading import read
from napari_tiqa.volumes.stored import fixed, packed, unpacked
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.wording import cause, counted, some

SPATIAL_AXES = ("z", "y", "x")
MIN_SIDE = 3  # px; a slice with a shorter side holds no texture to judge


@dataclass(frozen=True)
class Volume:
    """A tomogram or a single slice; nothing is read before a slice is asked for.

    Attributes
    ----------
    data : dask.array.Array
        Shape ([t, c, ...], z, y, x) or ([t, c, ...], y, x); bool, integer or floating dtype.
        Its chunks follow the pieces in which the data are stored.
    axes : tuple of str
        One name per dimension: "t", "c", "z", "y", "x".
    voxel_size : tuple of float
        One size per dimension, in `unit` for the spatial axes, 1.0 for the others.
    unit : str
        "pixel", "nm", "µm", "mm", ...: a name that pint understands.
    name : str
        For people: the file's stem or the layer's name.
    pyramid : tuple of dask.array.Array
        Display levels of a multiscale file, level 0 first; empty where there is only one level.
    window : IntensityWindow or None
        The window to score with; None: estimated when needed.
    source : str
        Path (and dataset) that the data come from; empty for data in memory.
    applied : tuple of mapping
        A record per filter pipeline that was applied to get these data, the first one first.
    warnings : tuple of str
        A sentence for each thing that the file leaves open or contradicts, with what was taken instead.

    Raises
    ------
    VolumeError
        Complex, object or structured data; fewer than two dimensions; no plane with 3 pixels a
        side; axes or voxel sizes that do not fit the data.
    """

    data: dask.array.Array
    axes: tuple[str, ...]
    voxel_size: tuple[float, ...]
    unit: str
    name: str
    pyramid: tuple[dask.array.Array, ...] = ()
    window: IntensityWindow | None = None
    source: str = ""
    applied: Applied = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be scored, before anything is read."""
        check_image(self.data.shape, self.data.dtype, self.name)
        if len(self.axes) != self.data.ndim or len(self.voxel_size) != self.data.ndim:
            raise VolumeError(
                f"'{self.name}' has {self.data.ndim} dimensions but {len(self.axes)} axis names and "
                f"{len(self.voxel_size)} voxel sizes: give one of each per dimension."
            )
        spatial = self.spatial_axes
        if len(set(self.axes)) != len(self.axes) or spatial not in (("z", "y", "x"), ("y", "x")):
            raise VolumeError(
                f"'{self.name}' has the axes {', '.join(self.axes)}: name them (z, y, x) or (y, x), "
                "after any time or channel axis."
            )
        if not all(math.isfinite(size) and size > 0 for size in self.voxel_size):
            raise VolumeError(
                f"'{self.name}' has the voxel size {self.voxel_size}: every size must be positive."
            )
        if sum(length >= MIN_SIDE for length in self.data.shape[-len(spatial) :]) < 2:
            raise VolumeError(
                f"'{self.name}' has the shape {self.data.shape}: a slice needs at least "
                f"{MIN_SIDE} pixels a side."
            )

    def __getstate__(self) -> dict[str, Any]:
        """Pass on where the data are stored, not dask's graph: the other process reads past it too."""
        return {**self.__dict__, "data": packed(self.data), "pyramid": tuple(map(packed, self.pyramid))}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the lazy arrays anew."""
        data, pyramid = unpacked(state["data"]), tuple(map(unpacked, state["pyramid"]))
        self.__dict__.update(state, data=data, pyramid=pyramid)

    @property
    def spatial_axes(self) -> tuple[str, ...]:
        """The names of the trailing axes that lie in space: (z, y, x) or (y, x)."""
        return tuple(axis for axis in self.axes if axis in SPATIAL_AXES)

    def tomogram(self, **at: int) -> "Volume":
        """Fix the leading axes, to get the 3-D (or 2-D) volume that can be scored.

        Parameters
        ----------
        **at : int
            Index per leading axis, e.g. ``t=3, c=0``; an axis of length 1 may be left out.

        Returns
        -------
        Volume
            Axes (z, y, x) or (y, x), the rest unchanged.

        Raises
        ------
        VolumeError
            An unknown axis, an index out of range, or a longer axis that was left out.
        """
        leading = self.axes[: len(self.axes) - len(self.spatial_axes)]
        lengths = dict(zip(self.axes, self.data.shape, strict=True))
        for axis, index in at.items():
            if axis not in leading:
                raise VolumeError(
                    f"'{self.name}' has no leading axis '{axis}': its axes are {', '.join(self.axes)}."
                )
            if not _is_whole(index) or not 0 <= index < lengths[axis]:
                raise VolumeError(
                    f"'{self.name}' has no {axis}={index!s:.40}: {axis} runs from 0 to {lengths[axis] - 1}."
                )
        for axis in leading:
            if axis not in at and lengths[axis] > 1:
                raise VolumeError(
                    f"'{self.name}' has {lengths[axis]} positions along '{axis}': "
                    f"choose one of them with --at {axis}=0 (in Python: tomogram({axis}=0))."
                )
        if not leading:
            return self
        where = tuple(at.get(axis, 0) for axis in leading)
        return replace(
            self,
            data=fixed(self.data, where),
            axes=self.axes[len(leading) :],
            voxel_size=self.voxel_size[len(leading) :],
            pyramid=tuple(fixed(level, where) for level in self.pyramid),
        )

    def axis_number(self, axis: Any) -> int:
        """Return the number of an axis to slice along, given as 0, 1, 2 or "z", "y", "x"; 0 of a 2-D volume.

        Raises VolumeError where there is no such axis.
        """
        spatial = self.spatial_axes
        names = SPATIAL_AXES if len(spatial) == 3 else ("z",)
        if isinstance(axis, str) and axis.lower() in names:
            return names.index(axis.lower())
        try:
            number = operator.index(axis)
        except TypeError:
            number = -1
        if isinstance(axis, bool) or not 0 <= number < len(names):
            shown = " ".join(repr(axis).split())
            raise VolumeError(
                f"'{self.name}' has no axis {shown:.40} to slice along: choose "
                + ("0, 1 or 2 (z, y or x)." if len(names) > 1 else "0, since it is a single slice.")
            )
        return number

    def slice_count(self, axis: int | str) -> int:
        """Return how many slices there are along an axis; a 2-D volume has one, along axis 0.

        Raises VolumeError where a leading axis is not fixed yet, there is no such axis, or the slices across
        it have fewer than 3 pixels a side.
        """
        if self.axes != self.spatial_axes:
            return self.tomogram().slice_count(axis)
        axis = self.axis_number(axis)
        if self.data.ndim == 2:
            return 1
        plane = self.slice_shape(axis)
        if min(plane) < MIN_SIDE:
            raise VolumeError(
                f"The slices of '{self.name}' along axis {axis} have {plane[0]} x {plane[1]} pixels: "
                f"choose an axis whose slices have at least {MIN_SIDE} pixels a side."
            )
        return self.data.shape[axis]

    def slice_shape(self, axis: int) -> tuple[int, ...]:
        """Return rows and columns of the slices along an axis of a tomogram."""
        shape: tuple[int, ...] = self.data.shape
        return shape if len(shape) == 2 else shape[:axis] + shape[axis + 1 :]

    def slice(self, axis: int | str, index: int) -> np.ndarray:
        """Read one slice.

        Parameters
        ----------
        axis : int or str
            0, 1, 2 or "z", "y", "x": across which axis of the 3-D volume; 0 for a 2-D volume.
        index : int
            Position along the axis, from 0.

        Returns
        -------
        numpy.ndarray
            2-D, the volume's dtype in native byte order.

        Raises
        ------
        VolumeError
            No such axis or slice, or the slice cannot be read; names the slice and the file.
        """
        axis, count = self.axis_number(axis), self.slice_count(axis)
        if not _is_whole(index) or not 0 <= index < count:
            raise VolumeError(
                f"'{self.name}' has no slice {index!s:.40} along axis {axis}: slices run from 0 to "
                f"{count - 1}."
            )
        data = self.tomogram().data
        box = [slice(0, length, 1) for length in data.shape]
        if data.ndim == 3:
            box[axis] = slice(index, index + 1, 1)
        try:
            pixels = read(data, tuple(box))
        except VolumeError:  # says what is wrong, and what to do
            raise
        except Exception as error:  # any codec, file system or graph may fail in its own way
            raise unreadable(f"slice {index} along axis {axis}", self, error) from error
        return pixels if data.ndim == 2 else pixels.squeeze(axis)


def _is_whole(number: Any) -> bool:
    return hasattr(number, "__index__") and not isinstance(number, bool)


def check_image(shape: tuple[int, ...], dtype: np.dtype, name: str) -> None:
    """Raise VolumeError for what cannot be a grey tomogram: under 2 dimensions, empty, no real numbers."""
    if len(shape) < 2:
        raise VolumeError(
            f"'{name}' has {counted(len(shape), 'dimension')}: give a slice (2-D) or a tomogram (3-D)."
        )
    if min(shape) < 1:
        raise VolumeError(f"'{name}' is empty: its shape is {shape}.")
    if np.dtype(dtype).kind not in "buif":
        kind = {"c": "complex", "O": "object", "V": "structured"}.get(np.dtype(dtype).kind, "other")
        raise VolumeError(
            f"'{name}' holds {kind} values ({dtype}): "
            "convert it to integer or floating point grey values first."
        )


def default_axes(shape: tuple[int, ...], name: str) -> tuple[str, ...]:
    """Name the axes of an array without names: (y, x), (z, y, x), (t, z, y, x) or (t, c, z, y, x).

    Raises VolumeError for more than five dimensions, and for what looks like a colour image: its last
    axis 3 or 4 long after two long ones.
    """
    if len(shape) > 5:
        raise VolumeError(
            f"'{name}' has {len(shape)} dimensions: give a slice (2-D), a tomogram (3-D) or a series "
            "of tomograms (t, z, y, x)."
        )
    if len(shape) >= 3 and shape[-1] in (3, 4) and min(shape[-3:-1]) >= 16:
        raise VolumeError(
            f"'{name}' has the shape {shape} and looks like a colour image (RGB): "
            "convert it to grey values first."
        )
    return {2: ("y", "x"), 3: ("z", "y", "x"), 4: ("t", "z", "y", "x")}.get(
        len(shape), ("t", "c", "z", "y", "x")
    )


def only_volume(arrays: Sequence[Any], path: Path) -> Any:
    """Return the only 3-D array of grey values in an HDF5 or Zarr file; else VolumeError lists them."""
    volumes = [array for array in arrays if array.ndim == 3 and np.dtype(array.dtype).kind in "buif"]
    if len(volumes) == 1:
        return volumes[0]
    found = f"{len(volumes)} volumes, {listed(volumes)}" if volumes else f"no volume; it has {listed(arrays)}"
    raise VolumeError(f"'{path}' holds {found}: choose one with --dataset (in Python: dataset=...).")


def listed(arrays: Sequence[Any]) -> str:
    """Return names, shapes and types of arrays for a message, ten at most."""
    return some([f"{array.name} {array.shape} {array.dtype}" for array in arrays], 10) or "no arrays"


def unreadable(what: str, volume: Volume, error: Exception) -> VolumeError:
    """Return the error for a part ("slice 3 along axis 0") of a volume that cannot be read, and why."""
    return VolumeError(
        f"Cannot read {what} of '{volume.source or volume.name}', which may be damaged or incomplete "
        f"({cause(error)}): copy it again, or leave out what cannot be read."
    )
