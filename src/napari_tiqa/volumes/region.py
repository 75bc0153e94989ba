"""The part of a volume that counts: a mask, or the circle of its reconstruction."""

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.reading import read_boxes
from napari_tiqa.volumes.slices import map_slices
from napari_tiqa.volumes.stored import Box
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.wording import counted

CIRCLE = "circle"
"""What is given instead of a mask for the circle that a reconstruction lies in."""

LEAST_PIXELS = 1024
"""That a region must have of a slice for anything to be said of it: 32 x 32 px."""

PADDING_FROM = 0.9
"""Of the inscribed circle's radius: reconstructions are often masked inside it (tomopy.circ_mask: 0.95)."""


@dataclass(frozen=True)
class Region:
    """Which pixels of a volume's slices along one axis count; made by `as_region`.

    Attributes
    ----------
    name : str
        For people and records: "reconstruction circle", the name of a layer, the stem of a file.
    axis : int
        The axis along which the slices lie.
    shape : tuple of int
        Of the volume, (z, y, x); a single image is one voxel thick.
    mask : numpy.ndarray or Volume
        Bool, of the shape of each slice, (y, x) of the circle; or a volume of the shape of the one it is of,
        nonzero inside.
    circle : bool
        Whether it is the reconstruction's circle, whose constant padding does not count either.
    """

    name: str
    axis: int
    shape: tuple[int, int, int]
    mask: np.ndarray | Volume
    circle: bool = False

    def inside(self, plane: np.ndarray, index: int) -> np.ndarray:
        """Tell the pixels of a slice that count, bool; those outside have no part in the answer."""
        if isinstance(self.mask, Volume):
            return self.mask.slice(self.axis, index) != 0
        if not self.circle:
            return self.mask
        if self.axis > 0:  # slices that cut the circle
            line = self.mask[index] if self.axis == 1 else self.mask[:, index]
            return np.broadcast_to(line, plane.shape)
        rim = [plane[place] for place in _rim(plane.shape)]
        return self.mask if len(set(rim)) > 1 else self.mask & ~_padding(plane, rim[0])

    @cached_property
    def box(self) -> Box:
        """The least box (z, y, x) around the region; that of a volume is read for it."""
        if isinstance(self.mask, Volume):
            return _box_around(self.mask)
        sides = [_bounds(np.any(self.mask, axis=other)) for other in (1, 0)]
        sides.insert(self._across, slice(0, self.shape[self._across], 1))
        return tuple(sides)

    def in_boxes(self, boxes: list[Box]) -> list[np.ndarray]:
        """Tell the voxels of boxes (z, y, x) that count: bool, of the shape of each but for lengths of 1."""
        if isinstance(self.mask, Volume):
            return [part != 0 for part in read_boxes(self.mask.data, boxes)]
        thick = np.expand_dims(self.mask, self._across)
        return [thick[(*box[: self._across], slice(None), *box[self._across + 1 :])] for box in boxes]

    def rim(self, index: int) -> list[Box]:
        """Return boxes of one voxel in a slice of the circle: they are equal where padding surrounds it."""
        return [
            (slice(index, index + 1, 1), slice(y, y + 1, 1), slice(x, x + 1, 1))
            for y, x in _rim(self.shape[1:])
        ]

    def record(self) -> dict[str, Any]:
        """Return what tells the region from others, JSON-able."""
        if isinstance(self.mask, Volume):
            return {"name": self.name, "source": self.mask.source}
        digest = hashlib.sha256(np.packbits(self.mask).tobytes()).hexdigest()
        return {"name": self.name, "share": round(float(self.mask.mean()), 4), "mask_sha256": digest}

    @property
    def _across(self) -> int:
        """The axis along which a flat mask is the same everywhere."""
        return 0 if self.circle else self.axis


def as_region(region: Any, volume: Volume, axis: int | str = 0, name: str = "") -> Region | None:
    """Turn what a caller has into the region of a volume's slices.

    Parameters
    ----------
    region : None, "circle", path, array-like, Volume or Region
        None for whole slices. "circle" for the circle inscribed in the slices across z, as of the
        reconstruction, without constant padding near its rim. Else a mask or label image, nonzero inside: of
        the shape of the slices, and then the same for each, or of the volume's.
    volume : Volume
        (z, y, x) or (y, x).
    axis : int
        Along which its slices lie.
    name : str
        For people and records, where the region has none of its own.

    Returns
    -------
    Region or None
        None where whole slices count.

    Raises
    ------
    VolumeError
        If the mask cannot be read or has another shape, or the region has fewer than 1024 px of each slice.
    """
    if region is None or isinstance(region, Region):
        return region
    shape = (1, *volume.data.shape)[-3:]
    axis = volume.axis_number(axis)
    if isinstance(region, str) and region == CIRCLE:
        y, x = (np.arange(length) - (length - 1) / 2 for length in shape[1:])
        mask = y[:, None] ** 2 + x**2 <= (min(shape[1:]) / 2) ** 2
        _check_size(mask, "reconstruction circle")
        return Region("reconstruction circle", axis, shape, mask, circle=True)
    if isinstance(region, str | os.PathLike):
        name = name or Path(region).stem
    given = as_volume(region).tomogram()
    flat = volume.slice_shape(axis)
    name = name or ("mask" if given.name == "array" else given.name)
    if given.data.shape == flat:
        mask = given.slice(0, 0) != 0
        _check_size(mask, name)
        return None if mask.all() else Region(name, axis, shape, mask)
    if given.data.shape == volume.data.shape:
        return Region(name, axis, shape, given)
    raise VolumeError(
        f"The region '{name}' has the shape {given.data.shape}, but '{volume.name}' has {volume.data.shape}: "
        f"give a mask of that shape, or of the shape of a slice, {flat}."
    )


def _check_size(mask: np.ndarray, name: str) -> None:
    count = int(np.count_nonzero(mask))
    if count < LEAST_PIXELS:
        raise VolumeError(
            f"The region '{name}' has {counted(count, 'pixel')}, too few to judge: make it "
            "at least 32 x 32 px large."
        )


def _rim(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return the four places where the circle inscribed in a slice touches its sides, or would."""
    (y, x), radius = (length // 2 for length in shape), min(shape) // 2 - 1
    return [(y - radius, x), (y + radius, x), (y, x - radius), (y, x + radius)]


def _padding(plane: np.ndarray, value: Any) -> np.ndarray:
    """Tell the pixels near the rim of the inscribed circle, and outside, that have the padding's value."""
    y, x = (np.arange(length) - (length - 1) / 2 for length in plane.shape)
    near_or_outside = y[:, None] ** 2 + x**2 > (PADDING_FROM * min(plane.shape) / 2) ** 2
    return near_or_outside & (plane == value)


def _bounds(used: np.ndarray) -> slice:
    """Return where the true values of a row begin and end."""
    places = np.flatnonzero(used)
    return slice(int(places[0]), int(places[-1]) + 1, 1) if len(places) else slice(0, len(used), 1)


def _box_around(mask: Volume) -> Box:
    rows, columns = (np.zeros(length, bool) for length in mask.data.shape[1:])
    filled = np.zeros(mask.data.shape[0], bool)
    for index, (down, across) in map_slices(mask, 0, range(len(filled)), _used):
        filled[index] = down.any()
        rows |= down
        columns |= across
    return tuple(_bounds(used) for used in (filled, rows, columns))


def _used(plane: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    used = plane != 0
    return used.any(1), used.any(0)
