"""What a segmented volume offers: probabilities, segmentation and uncertainty, read when looked at."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import dask.array
import numpy as np
import pandas as pd

from napari_tiqa.errors import SegmentationError
from napari_tiqa.segmentation.classes import NOT_LABELLED, Classes
from napari_tiqa.segmentation.uncertainty import uncertainty_map
from napari_tiqa.volumes.reading import read
from napari_tiqa.volumes.window import IntensityWindow

CERTAIN = 0.75
"""From this probability on a pixel counts for the least share of a class; below 1 - this for none of it."""

SHARES = ("share of {}", "least share of {}", "largest share of {}")
"""Columns of a table for each class."""


@dataclass(frozen=True)
class Segmentation:
    """A volume as a segmenter sees it, slice by slice; slices that it has not seen yet are empty.

    While a run is under way, a slice can be read as soon as it is done. All arrays have chunks of one slice
    along `axis`.

    Attributes
    ----------
    probabilities : dask.array.Array
        Shape (classes, z, y, x), or (classes, y, x) of an image, float16 in [0, 1], adding up to 1 over the
        classes; NaN where not predicted yet, where the image is not finite, and in the padding outside the
        reconstruction circle.
    classes : Classes
        What is told apart, in the order of the probabilities' first axis.
    axis : int
        Along which the slices were cut: 0, 1 or 2 of (z, y, x).
    window : IntensityWindow
        The volume's intensity window that they were seen in.
    record : dict
        What the run was made with, JSON-able.
    """

    probabilities: dask.array.Array
    classes: Classes
    axis: int
    window: IntensityWindow
    record: dict[str, Any]
    _rows: Mapping[int, tuple[float, ...]]  # of each slice that is done: as `row_of` returns it

    @property
    def done(self) -> np.ndarray:
        """Which slices are there: bool, one along `axis`; True once a slice can be read."""
        done = np.zeros(self._count, bool)
        done[list(self._rows)] = True
        return done

    def segmentation(self, threshold: float = 0.5) -> dask.array.Array:
        """Decide for a class at each pixel.

        Parameters
        ----------
        threshold : float
            Of two classes, the second is taken where its probability reaches this, 0 to 1. Of more, the most
            probable is taken whatever the threshold.

        Returns
        -------
        dask.array.Array
            Shape (z, y, x) or (y, x), the classes' label values in the smallest unsigned type that has room;
            0 where there is no probability.

        Raises
        ------
        SegmentationError
            If the threshold is not within 0 to 1.
        """
        check_threshold(threshold)
        decide = partial(decided, classes=self.classes, threshold=threshold)
        dtype = self.classes.label_values(np.zeros(0, np.int8)).dtype
        return self.probabilities.map_blocks(decide, dtype=dtype, drop_axis=0, meta=np.empty(0, dtype))

    def uncertainty(self) -> dask.array.Array:
        """Tell how unsure the network is at each pixel.

        Returns
        -------
        dask.array.Array
            Shape (z, y, x) or (y, x), float32: the entropy H = -sum p log p over the classes, nats, 0 to ln
            of the number of classes; NaN where there is no probability.
        """
        meta = np.empty(0, np.float32)
        return self.probabilities.map_blocks(uncertainty_map, dtype=np.float32, drop_axis=0, meta=meta)

    def table(self) -> pd.DataFrame:
        """Return the slices that are done; nothing is computed for it.

        Returns
        -------
        pandas.DataFrame
            A row for each slice, ascending: ``slice``; ``position``, in the volume's unit; for each class
            ``share of NAME``, the share of the slice's content for which it is the most probable one, 0 to 1,
            with ``least share of NAME`` and ``largest share of NAME``, how far that may be off as the network
            is uncertain: the share of the pixels where the probability of the class reaches `CERTAIN`, and
            1 - `CERTAIN`; and ``uncertainty``, the slice's mean entropy in nats. NaN where the slice has no
            content, and where an earlier version has kept it without. ``attrs`` is the record.
        """
        rows = sorted(dict(self._rows).items())
        names = ["uncertainty", *(column.format(name) for column in SHARES for name in self.classes.names)]
        table = pd.DataFrame([(index, *values) for index, values in rows], columns=["slice", *names])
        size = self.record["voxel_size"][self.axis]
        table.insert(1, "position", (table["slice"] * size).astype(float))
        table.attrs.update(self.record)
        by_class = [column.format(name) for name in self.classes.names for column in SHARES]
        return table[["slice", "position", *by_class, "uncertainty"]]

    def slice(self, index: int) -> np.ndarray:
        """Read the probabilities of one slice, past dask.

        Parameters
        ----------
        index : int
            Along `axis`, from 0.

        Returns
        -------
        numpy.ndarray
            Shape (classes, rows, columns), float16; see `probabilities`.
        """
        box = [slice(0, length, 1) for length in self.probabilities.shape]
        if len(box) == 4:
            box[1 + self.axis] = slice(index, index + 1, 1)
        pixels = read(self.probabilities, tuple(box))
        return pixels.squeeze(1 + self.axis) if len(box) == 4 else pixels

    @property
    def _count(self) -> int:
        return 1 if self.probabilities.ndim == 3 else int(self.probabilities.shape[1 + self.axis])


def row_of(probabilities: np.ndarray, classes: Classes) -> tuple[float, ...]:
    """Return what a table says of a slice: mean uncertainty, then each column of `SHARES` for all classes.

    The probabilities are (classes, rows, columns), float16; those of pixels without any are NaN.
    """
    present = ~np.isnan(probabilities[0])
    count = np.count_nonzero(present)
    if not count:
        return (np.nan,) * row_length(classes)
    uncertainty = np.mean(uncertainty_map(probabilities), dtype=np.float64, where=present)
    most_probable = decided(probabilities, classes)
    shares = [np.count_nonzero(present & (most_probable == value)) / count for value in classes.values]
    # Half floats that are not negative sort as their bits do, and comparing these is ten times as fast.
    bits = probabilities.view(np.uint16)
    bounds = [
        np.count_nonzero(present & (plane >= np.float16(least).view(np.uint16))) / count
        for least in (CERTAIN, 1 - CERTAIN)
        for plane in bits
    ]
    return (float(uncertainty), *shares, *bounds)


def row_length(classes: Classes) -> int:
    """Return how many numbers a table has of each slice."""
    return 1 + len(SHARES) * len(classes)


def check_threshold(threshold: float) -> None:
    """Raise SegmentationError for what is not a probability, 0 to 1."""
    if not 0 <= threshold <= 1:
        raise SegmentationError(f"The threshold {threshold:g} is not a probability: choose one from 0 to 1.")


def decided(probabilities: np.ndarray, classes: Classes, threshold: float = 0.5) -> np.ndarray:
    """Return the label value of each pixel of (classes, ...), float16, as ``Segmentation.segmentation``."""
    if len(classes) == 2:
        # There are but 65536 half floats: each is decided once, then looked up, which a slider can wait for.
        numbers = np.arange(2**16, dtype=np.uint16).view(np.float16)
        indices = np.where(np.isnan(numbers), NOT_LABELLED, numbers >= threshold)
        return classes.label_values(indices)[probabilities[1].view(np.uint16)]
    # Half floats that are not negative sort as their bits do, and NumPy has no quick argmax across planes.
    bits = probabilities.view(np.uint16)
    most, indices = bits[0].copy(), np.zeros(bits.shape[1:], np.int8)
    for number, item in enumerate(bits[1:], start=1):
        np.copyto(indices, number, where=item > most)
        np.maximum(most, item, out=most)
    indices[np.isnan(probabilities[0])] = NOT_LABELLED
    return classes.label_values(indices)
