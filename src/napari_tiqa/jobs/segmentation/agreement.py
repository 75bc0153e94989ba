"""A segmented volume against a truth: refused where they do not fit, else compared slice by slice."""

import threading
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from napari_tiqa.errors import SegmentationError
from napari_tiqa.jobs.segmentation.result import Segmentation, decided
from napari_tiqa.segmentation.agreement import confusion_matrix
from napari_tiqa.segmentation.classes import Classes, checked_labels
from napari_tiqa.segmentation.trained_on import TrainedSlices
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.slice_grammar import Slices
from napari_tiqa.volumes.slices import chosen_slices, map_slices
from napari_tiqa.volumes.volume import Volume


def fitting_truth(
    labels: Any,
    volume: Volume,
    classes: Classes,
    slices: Slices = None,
    axis: int | str = 0,
    cancel: threading.Event | None = None,
) -> Volume:
    """Open labels that a segmentation is to be compared with, and refuse what does not fit before any work.

    The labels may be sparse; only the slices asked for are looked at, as in ``segment``. Raises
    SegmentationError if they are no integers, have another shape than the volume, or hold a value that the
    model does not know; VolumeError if they cannot be read, or there is no such slice.
    """
    truth, volume = as_volume(labels).tomogram(), volume.tomogram()
    checked_labels(np.empty(0, truth.data.dtype))
    if truth.data.shape != volume.data.shape:
        raise SegmentationError(
            f"The truth has the shape {truth.data.shape}, the image {volume.data.shape}: give labels of this "
            "image."
        )
    axis = truth.axis_number(axis)
    indices = chosen_slices(truth, slices, axis)
    found = {
        value for _, values in map_slices(truth, axis, indices, np.unique, cancel=cancel) for value in values
    }
    unknown = found - {*classes.values, classes.unlabelled}
    if unknown:
        known = ", ".join(map(str, classes.values))
        raise SegmentationError(
            f"The truth holds the value {min(unknown)}, and the model tells apart {len(classes)} classes, "
            f"{known}: choose a model that was trained with such labels, or other labels."
        )
    return truth


def trained_slices(
    truth: Volume,
    volume: Volume,
    card: Mapping[str, Any],
    indices: Iterable[int],
    axis: int = 0,
    cancel: threading.Event | None = None,
) -> list[int]:
    """Return which slices of a volume, compared with a truth, the segmenter with this card was trained on.

    See ``segmentation.trained_on``. Raises VolumeError if a slice cannot be read, and Cancelled.
    """
    known = TrainedSlices(card, volume.tomogram(), axis)
    copy = partial(np.array, copy=True)
    planes = map_slices(truth, axis, list(indices), copy, cancel=cancel)
    return [index for index, labels in planes if known.holds(index, labels)]


def confusions(
    segmentation: Segmentation,
    truth: Volume,
    slices: Slices = None,
    threshold: float = 0.5,
    cancel: threading.Event | None = None,
) -> dict[int, pd.DataFrame]:
    """Compare slices that are segmented with a truth: a confusion matrix for each, by its index.

    The truth is one of ``fitting_truth``; slices that are not segmented are left out. Matrices
    (``segmentation.agreement.confusion_matrix``) of several slices add up, and ``agreement_of`` makes IoU and
    F1 of them. Raises VolumeError if the truth cannot be read or there is no such slice, and Cancelled.
    """
    classes = segmentation.classes
    chosen = chosen_slices(truth, slices, segmentation.axis)
    done = [index for index in chosen if segmentation.done[index]]
    copy = partial(np.array, copy=True)  # the memory of a slice is used again
    return {
        index: confusion_matrix(decided(segmentation.slice(index), classes, threshold), known, classes)
        for index, known in map_slices(truth, segmentation.axis, done, copy, cancel=cancel)
    }
