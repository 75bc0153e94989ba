"""How much of a volume is labelled: pixels of each label value, and slices with a label along each axis."""

import threading
from collections import Counter
from dataclasses import dataclass

import numpy as np

from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.slices import map_slices

_MOST_BINS = 2**16
_SPARSE = 3  # times as many slices along the viewer's axis as along another one: painted along the other


@dataclass(frozen=True)
class LabelCount:
    """What labels hold.

    Attributes
    ----------
    pixels : dict of int to int
        Pixels of each label value that there is, 0 too.
    shape : tuple of int
        Of the labels.
    labelled : tuple of int
        For each axis, the slices across it with a pixel that is not 0.
    """

    pixels: dict[int, int]
    shape: tuple[int, ...]
    labelled: tuple[int, ...]

    def learned_axis(self, seen: int, unlabelled: int | None) -> int:
        """Return the axis along which the slices to learn from lie.

        Parameters
        ----------
        seen : int
            The axis of the viewer's slider: where the labels have no direction of their own, it is this one.
        unlabelled : int or None
            The label value that means "not labelled"; None where 0 is a class.
        """
        if len(self.shape) < 3:
            return 0
        # Where all slices are labelled, nobody has chosen some of them.
        chosen = [axis for axis in range(3) if self.labelled[axis] < self.shape[axis]]
        fewest = min(chosen, key=lambda axis: self.labelled[axis], default=seen)
        painted = self.labelled[fewest] * _SPARSE <= self.labelled[seen]
        return fewest if painted and unlabelled is not None else seen

    def learned_slices(self, axis: int, unlabelled: int | None) -> int:
        """Return how many slices across an axis are learned from."""
        if len(self.shape) < 3:
            return 1
        return self.shape[axis] if unlabelled is None else self.labelled[axis]


def count_labels(labels: object, cancel: threading.Event) -> LabelCount:
    """Count what labels hold, slice by slice, so that they may be larger than memory.

    Parameters
    ----------
    labels : array-like
        Shape (z, y, x) or (y, x), integers.
    cancel : threading.Event
        Set it, from another thread, to stop.

    Raises
    ------
    VolumeError
        If a slice cannot be read.
    Cancelled
        `cancel` was set.
    """
    volume = as_volume(labels)
    pixels: Counter[int] = Counter()
    planes = 0
    seen = [np.zeros(side, bool) for side in volume.data.shape[-2:]]
    slices = map_slices(volume, 0, range(volume.slice_count(0)), _count, cancel=cancel)
    for _, (values, rows, columns) in slices:
        pixels.update(values)
        if rows.any():
            planes += 1
            seen[0] |= rows
            seen[1] |= columns
    along = tuple(int(line.sum()) for line in seen)
    labelled = (planes, *along) if volume.data.ndim == 3 else (planes,)
    return LabelCount(dict(sorted(pixels.items())), volume.data.shape, labelled)


def _count(plane: np.ndarray) -> tuple[dict[int, int], np.ndarray, np.ndarray]:
    """Return the pixels of each value, and which rows and columns have one that is not 0."""
    if not plane.any():  # as most slices, where people paint in a few; a hundred times as fast
        return {0: plane.size}, np.zeros(plane.shape[0], bool), np.zeros(plane.shape[1], bool)
    if plane.dtype.kind == "b" or (plane.min() >= 0 and plane.max() < _MOST_BINS):
        counts = np.bincount(plane.ravel())
        values = {int(value): int(counts[value]) for value in np.flatnonzero(counts)}
    else:
        found, counts = np.unique(plane, return_counts=True)
        values = dict(zip(found.tolist(), counts.tolist(), strict=True))
    there = plane != 0
    return values, there.any(1), there.any(0)
