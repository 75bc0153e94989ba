"""A segmented volume against a truth: refused where they do not fit, else compared slice by slice."""

import threading
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from napari_tiqa.errors import SegmentationError
from napari_tiqa.jobs.quality.score import chosen_slices
from napari_tiqa.jobs.segmentation.result import Segmentation, decided
from napari_tiqa.segmentation.agreement import confusion_matrix
from napari_tiqa.segmentation.classes import Classes, checked_labels
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.slice_grammar import Slices
from napari_tiqa.volumes.slices import map_slices
from napari_tiqa.volumes.volume import Volume


def fitting_truth(
    labels: Any,
    volume: Volume,
    classes: Classes,
    slices: Slices = None,
    axis: int = 0,
    cancel: threading.Event | None = None,
) -> Volume:
    """Open labels that a segmentation is to be compared with, and refuse what does not fit before any work.

    Parameters
    ----------
    labels : Volume, array-like or path
        Integers; they may be sparse.
    volume : Volume
        What is to be segmented.
    classes : Classes
        The model's.
    slices, axis
        As ``jobs.segmentation.predict.predict``; only these slices of the labels are looked at.
    cancel : threading.Event, optional
        Ends the look.

    Raises
    ------
    SegmentationError
        The labels are no integers, have another shape than the volume, or hold a value that the model does
        not know.
    VolumeError
        The labels cannot be read, or there is no such slice.
    """
    truth, volume = as_volume(labels).tomogram(), volume.tomogram()
    checked_labels(np.empty(0, truth.data.dtype))
    if truth.data.shape != volume.data.shape:
        raise SegmentationError(
            f"The truth has the shape {truth.data.shape}, the image {volume.data.shape}: give labels of this "
            "image."
        )
    indices = chosen_slices(slices, truth.slice_count(axis), axis, truth.name)
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


def confusions(
    segmentation: Segmentation,
    truth: Volume,
    slices: Slices = None,
    threshold: float = 0.5,
    cancel: threading.Event | None = None,
) -> dict[int, pd.DataFrame]:
    """Compare slices that are segmented with a truth.

    Parameters
    ----------
    segmentation : Segmentation
        What ``predict`` returned.
    truth : Volume
        One of ``fitting_truth``, for the same slices.
    slices : slice or iterable of int, optional
        As ``jobs.segmentation.predict.predict``; those of them that are not segmented are left out.
    threshold : float
        As ``Segmentation.segmentation``.
    cancel : threading.Event, optional
        Ends the comparison.

    Returns
    -------
    dict of int to pandas.DataFrame
        The confusion matrix of each slice by its index, ``segmentation.agreement.confusion_matrix``; those of
        several add up, and ``agreement_of`` makes IoU and F1 of them.

    Raises
    ------
    VolumeError
        The truth cannot be read, or there is no such slice.
    Cancelled
        `cancel` was set.
    """
    classes = segmentation.classes
    chosen = chosen_slices(slices, len(segmentation.done), segmentation.axis, truth.name)
    done = [index for index in chosen if segmentation.done[index]]
    copy = partial(np.array, copy=True)  # the memory of a slice is used again
    return {
        index: confusion_matrix(decided(segmentation.slice(index), classes, threshold), known, classes)
        for index, known in map_slices(truth, segmentation.axis, done, copy, cancel=cancel)
    }
