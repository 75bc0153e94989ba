"""Classes of a segmentation: from label values, as people paint them, to class indices, and back."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from napari_tiqa.errors import SegmentationError

NOT_LABELLED = -1
"""Class index of a pixel without a label."""

MOST_CLASSES = 32
"""A labelling of particles, each with its own number, has hundreds."""

_COUNTED_AT_ONCE = 2**16  # label values below it are counted without sorting


@dataclass(frozen=True)
class Classes:
    """What a segmenter tells apart.

    Attributes
    ----------
    values : tuple of int
        The label value of each class, ascending; a segmentation holds these values.
    names : tuple of str
        One for each, for people.
    unlabelled : int or None
        The label value that means "not labelled"; None where every pixel is labelled.
    """

    values: tuple[int, ...]
    names: tuple[str, ...]
    unlabelled: int | None = 0

    def __len__(self) -> int:
        """Count the classes."""
        return len(self.values)

    @classmethod
    def of(
        cls, labels: np.ndarray, unlabelled: int | None = 0, names: Sequence[str] | None = None
    ) -> "Classes":
        """Find the classes of labels.

        Parameters
        ----------
        labels : numpy.ndarray
            Any shape, integers.
        unlabelled : int or None
            The value that means "not labelled"; None where 0 is a class like any other.
        names : sequence of str, optional
            One for each class; "class 1" and so on where omitted.

        Raises
        ------
        SegmentationError
            If the labels are not integers, hold fewer than two classes or more than 32, or the names are not
            as many.
        """
        values = tuple(int(value) for value in np.unique(checked_labels(labels)) if value != unlabelled)
        if len(values) < 2:
            found = "only one class" if values else "no labelled pixel"
            wanted = "another class" if values else "at least two classes"
            remedy = f"label pixels of {wanted}" if unlabelled is not None else "give at least two values"
            raise SegmentationError(f"The labels hold {found}: {remedy}.")
        if len(values) > MOST_CLASSES:
            raise SegmentationError(
                f"The labels hold {len(values)} different values, more than {MOST_CLASSES}: label classes, "
                "such as phases, not single particles."
            )
        if names is None:
            names = [f"class {value}" for value in values]
        if len(names) != len(values):
            raise SegmentationError(
                f"{len(names)} names were given for {len(values)} classes: give one for each."
            )
        return cls(values, tuple(names), unlabelled)

    def indices(self, labels: np.ndarray) -> np.ndarray:
        """Turn label values into class indices.

        Parameters
        ----------
        labels : numpy.ndarray
            Any shape, integers.

        Returns
        -------
        numpy.ndarray
            Shape of `labels`, int8: 0 to ``len(self) - 1``, -1 where not labelled.

        Raises
        ------
        SegmentationError
            If the labels are not integers, or hold a value that is not one of the classes.
        """
        labels = checked_labels(labels)
        indices = np.full(labels.shape, NOT_LABELLED, np.int8)
        for index, value in enumerate(self.values):
            indices[labels == value] = index
        unknown = indices == NOT_LABELLED
        if self.unlabelled is not None:
            unknown &= labels != self.unlabelled
        if unknown.any():
            known = ", ".join(map(str, self.values))
            raise SegmentationError(
                f"The labels hold the value {labels[unknown][0]}, which is not one of the classes {known}: "
                "label with these values."
            )
        return indices

    def label_values(self, indices: np.ndarray) -> np.ndarray:
        """Turn class indices (-1: 0) back into label values, in the smallest unsigned type that has room."""
        table = np.array([*self.values, 0])
        return table.astype(np.min_scalar_type(int(table.max())))[indices]


def checked_labels(labels: np.ndarray) -> np.ndarray:
    """Return labels as an array; SegmentationError unless they are integers or booleans, none below zero."""
    labels = np.asarray(labels)
    if labels.dtype.kind not in "bui":
        raise SegmentationError(
            f"Labels are whole numbers, these are of type {labels.dtype}: use a Labels layer, or convert "
            "them to integers."
        )
    if labels.size and labels.min() < 0:
        raise SegmentationError("Labels cannot be below 0: number the classes from 0 or 1.")
    return labels


def pixel_counts(labels: np.ndarray) -> Counter[int]:
    """Count the pixels of each label value, integers or booleans; there is at least one pixel."""
    if labels.dtype.kind == "b" or (labels.min() >= 0 and labels.max() < _COUNTED_AT_ONCE):
        counts = np.bincount(labels.ravel().astype(np.int64, copy=False))
        values = np.flatnonzero(counts)
        counts = counts[values]
    else:
        values, counts = np.unique(labels, return_counts=True)
    return Counter(dict(zip(values.tolist(), counts.tolist(), strict=True)))


@dataclass(frozen=True)
class LabelledSlice:
    """A slice that a segmenter learns from: its pixels, and the class of those that are labelled.

    Both of shape (rows, columns): the image float32, the intensity window mapped to [0, 1]; the class indices
    int8, -1 where not labelled.
    """

    image: np.ndarray
    indices: np.ndarray

    @cached_property
    def places(self) -> list[np.ndarray]:
        """Row and column of the pixels of each class present, each of shape (n, 2)."""
        present = np.unique(self.indices)
        # int32: where every pixel is labelled, these are the largest arrays of a training.
        return [
            np.argwhere(self.indices == index).astype(np.int32) for index in present[present != NOT_LABELLED]
        ]
