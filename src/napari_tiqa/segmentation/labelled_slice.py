"""A slice that a segmenter learns from: its pixels, and the class of those that somebody labelled."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from napari_tiqa.segmentation.classes import NOT_LABELLED


@dataclass(frozen=True)
class LabelledSlice:
    """One slice and what is known of it.

    Attributes
    ----------
    image : numpy.ndarray
        Shape (rows, columns), float32, the intensity window mapped to [0, 1].
    indices : numpy.ndarray
        Shape (rows, columns), int8: class index, -1 where not labelled.
    """

    image: np.ndarray
    indices: np.ndarray

    @cached_property
    def places(self) -> list[np.ndarray]:
        """Row and column of the pixels of each class that there is, each of shape (n, 2)."""
        present = np.unique(self.indices)
        # Of slices that are labelled throughout these are the largest arrays of a training.
        return [
            np.argwhere(self.indices == index).astype(np.int32) for index in present[present != NOT_LABELLED]
        ]
