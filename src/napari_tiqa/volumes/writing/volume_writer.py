"""What is known of a volume before its first slice is written, and what every format's writer does."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from napari_tiqa.volumes.applied import Applied
from napari_tiqa.volumes.volume import Volume


@dataclass(frozen=True)
class VolumeLayout:
    """What is known of a volume apart from its pixels.

    Attributes
    ----------
    shape : tuple of int
        (z, y, x) or (y, x).
    dtype : numpy.dtype
        In native byte order.
    voxel_size : tuple of float
        One size per axis, in `unit`.
    unit : str
        "pixel", "nm", "µm", ...
    axis : int
        Along which the slices come; 0 for a 2-D volume.
    applied : tuple of mapping
        A record per filter pipeline that the pixels come from.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    voxel_size: tuple[float, ...]
    unit: str
    axis: int
    applied: Applied

    @classmethod
    def of(cls, volume: Volume, axis: int, applied: Applied) -> Self:
        """Return the layout of a volume like another one."""
        dtype = volume.data.dtype.newbyteorder("=")
        return cls(volume.data.shape, dtype, volume.voxel_size, volume.unit, axis, applied)

    @property
    def axes(self) -> str:
        """The names of the axes: "zyx" or "yx"."""
        return "zyx"[-len(self.shape) :]

    @property
    def count(self) -> int:
        """How many slices there are."""
        return 1 if len(self.shape) == 2 else self.shape[self.axis]

    @property
    def nbytes(self) -> int:
        """The size of the pixels, not compressed."""
        return math.prod(self.shape) * self.dtype.itemsize


class VolumeWriter(ABC):
    """Writes a volume slice by slice.

    What was written stays, also when the process is killed: another writer of the same path and layout
    resumes with ``begin(done)``. Slices are written in ascending order, one at a time.

    Parameters
    ----------
    path : pathlib.Path
        The file or folder, in a folder that exists.
    layout : VolumeLayout
    """

    def __init__(self, path: Path, layout: VolumeLayout) -> None:
        self.path = path
        self.layout = layout

    @staticmethod
    @abstractmethod
    def check(layout: VolumeLayout) -> None:
        """Refuse what the format cannot hold: ExportError with what to do instead."""

    @staticmethod
    def nbytes(layout: VolumeLayout) -> int:
        """Return how large the volume will be at most."""
        return layout.nbytes

    @abstractmethod
    def begin(self, done: int) -> None:
        """Get ready for slice number `done`; 0 starts from nothing.

        May raise any error where what is there is damaged.
        """

    @abstractmethod
    def write(self, index: int, plane: np.ndarray) -> None:
        """Write a slice of the layout's dtype, which is in its file when this returns; may raise OSError."""

    @abstractmethod
    def stored(self, index: int) -> np.ndarray:
        """Read a slice back as `write` has stored it; where it is damaged, it may raise any error."""

    def close(self) -> None:  # noqa: B027 - most writers hold nothing open
        """Let go of the file."""
