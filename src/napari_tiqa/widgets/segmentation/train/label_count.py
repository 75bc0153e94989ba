"""What is labelled in a volume: pixels of each value, slices along each axis, what may spoil a training."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from napari_tiqa.segmentation.classes import Classes, pixel_counts
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.slices import map_slices
from napari_tiqa.wording import counted

_SPARSE = 3  # times as many slices along the viewer's axis as along another one: painted along the other
_FEW = 50  # labelled pixels of a class


@dataclass(frozen=True)
class LabelCount:
    """Pixels of each label value, 0 too, and along each axis the slices with a pixel that is not 0."""

    pixels: dict[int, int]
    shape: tuple[int, ...]
    labelled: tuple[int, ...]

    def learned_axis(self, seen: int, unlabelled: int | None) -> int:
        """Return the axis to learn along: the seen one, unless labels lie in few slices of another."""
        if len(self.shape) < 3:
            return 0
        # An axis along which every slice is labelled tells nothing.
        chosen = [axis for axis in range(3) if self.labelled[axis] < self.shape[axis]]
        fewest = min(chosen, key=lambda axis: self.labelled[axis], default=seen)
        painted = self.labelled[fewest] * _SPARSE <= self.labelled[seen]
        return fewest if painted and unlabelled is not None else seen

    def summary(self, axis: int, axis_name: str, unlabelled: int | None) -> str:
        """Return a sentence on the slices to learn from, which lie along an axis."""
        if len(self.shape) < 3:
            return "Learns from the image."
        slices = self.shape[axis] if unlabelled is None else self.labelled[axis]
        return f"Learns from {counted(slices, 'slice')} along {axis_name}."

    def warnings(self, classes: Classes, axis: int) -> list[str]:
        """Return sentences on what may spoil a training."""
        warnings = [
            f"Only {counted(self.pixels[value], 'pixel', ('is', 'are'))} labelled as '{name}': paint some "
            "more of it."
            for value, name in zip(classes.values, classes.names, strict=True)
            if self.pixels[value] < _FEW
        ]
        if classes.unlabelled is None and len(self.shape) > 2:
            slices = self.shape[axis]
            empty = slices - self.labelled[axis]
            if empty:
                warnings.append(
                    f"{empty} of {slices} slices contain only 0, which is learned as a class: if they are "
                    "not labelled, choose 'unlabelled' for label 0."
                )
        return warnings


def count_labels(labels: object, cancel: threading.Event) -> LabelCount:
    """Count labels, shape (z, y, x) or (y, x), slice by slice, so that they may be larger than memory.

    Raises VolumeError if a slice cannot be read, Cancelled once `cancel` is set.
    """
    volume = as_volume(labels)
    pixels: Counter[int] = Counter()
    planes = 0
    rows_seen, columns_seen = (np.zeros(side, bool) for side in volume.data.shape[-2:])
    slices = map_slices(volume, 0, range(volume.slice_count(0)), _count, cancel=cancel)
    for _, (values, rows, columns) in slices:
        pixels.update(values)
        if rows.any():
            planes += 1
            rows_seen |= rows
            columns_seen |= columns
    labelled = (planes, int(rows_seen.sum()), int(columns_seen.sum())) if volume.data.ndim == 3 else (planes,)
    return LabelCount(dict(sorted(pixels.items())), volume.data.shape, labelled)


def _count(plane: np.ndarray) -> tuple[Mapping[int, int], np.ndarray, np.ndarray]:
    """Return the pixels of each value, and which rows and columns have one that is not 0."""
    if not plane.any():  # as most slices; a hundred times as fast
        return {0: plane.size}, np.zeros(plane.shape[0], bool), np.zeros(plane.shape[1], bool)
    labelled = plane != 0
    return pixel_counts(plane), labelled.any(1), labelled.any(0)
