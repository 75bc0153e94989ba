"""How well a segmentation agrees with a truth, where that is labelled: IoU, F1, accuracy, confusion."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from napari_tiqa.errors import SegmentationError
from napari_tiqa.segmentation.classes import NOT_LABELLED, Classes, checked_labels


def iou_score(
    segmentation: np.ndarray, truth: np.ndarray, value: int | None = None, unlabelled: int | None = 0
) -> float:
    """Return the intersection over union of a class, or the mean over the classes of the truth.

    Parameters
    ----------
    segmentation, truth : numpy.ndarray
        Label values, integers, of the same shape, which may be any.
    value : int, optional
        The class; where omitted, the mean over the classes that the truth has.
    unlabelled : int or None
        The value of pixels that are left out, be it in the truth (not labelled) or in the segmentation (not
        segmented); None where there are none.

    Returns
    -------
    float
        TP / (TP + FP + FN), 0 to 1 (Jaccard index); NaN where the class is in neither, or nothing is left.

    Raises
    ------
    SegmentationError
        If the shapes differ or one of the two does not hold labels.
    """
    return _of_class_or_mean(_iou, segmentation, truth, value, unlabelled)


def f1_score(
    segmentation: np.ndarray, truth: np.ndarray, value: int | None = None, unlabelled: int | None = 0
) -> float:
    """Return the F1 score of a class, or the mean over the classes of the truth.

    Parameters
    ----------
    segmentation, truth, value, unlabelled
        As `iou_score`.

    Returns
    -------
    float
        2 TP / (2 TP + FP + FN), 0 to 1 (Dice coefficient); NaN where the class is in neither, or nothing is
        left.

    Raises
    ------
    SegmentationError
        If the shapes differ or one of the two does not hold labels.
    """
    return _of_class_or_mean(_f1, segmentation, truth, value, unlabelled)


def accuracy(segmentation: np.ndarray, truth: np.ndarray, unlabelled: int | None = 0) -> float:
    """Return the share of the labelled pixels that have their class.

    Parameters
    ----------
    segmentation, truth, unlabelled
        As `iou_score`.

    Returns
    -------
    float
        0 to 1; NaN where no pixel is both labelled and segmented.

    Raises
    ------
    SegmentationError
        If the shapes differ or one of the two does not hold labels.
    """
    said, known = _judged(segmentation, truth, unlabelled)
    return float(np.mean(said == known)) if known.size else math.nan


def confusion_matrix(segmentation: np.ndarray, truth: np.ndarray, classes: Classes) -> pd.DataFrame:
    """Count the pixels of each class that were taken for each class.

    Parameters
    ----------
    segmentation, truth : numpy.ndarray
        Label values, integers, of the same shape, which may be any.
    classes : Classes
        What the truth tells apart. Pixels that it calls unlabelled are left out, and so are those whose
        segmentation is none of the classes (not segmented).

    Returns
    -------
    pandas.DataFrame
        Pixels: a row for each class of the truth, a column for each class of the segmentation, both by name.

    Raises
    ------
    SegmentationError
        If the shapes differ, one of the two does not hold labels, or the truth holds a value that is none of
        the classes.
    """
    names = pd.Index(classes.names)
    counts = _confusion(segmentation, truth, classes)
    return pd.DataFrame(counts, names.rename("truth"), names.rename("segmentation"))


def agreement_table(segmentation: np.ndarray, truth: np.ndarray, classes: Classes) -> pd.DataFrame:
    """Tell how well each class agrees with the truth.

    Parameters
    ----------
    segmentation, truth, classes
        As `confusion_matrix`; a truth of a few strokes will do.

    Returns
    -------
    pandas.DataFrame
        A row for each class, by name, and a last one, "mean": ``iou``, ``f1``, ``precision``, ``recall``, 0
        to 1, NaN where undefined, and ``pixels``, those of the truth that were judged. The mean is over the
        classes that the truth has here; its pixels are those of all classes.

    Raises
    ------
    SegmentationError
        As `confusion_matrix`.
    """
    return agreement_of(confusion_matrix(segmentation, truth, classes))


def agreement_of(confusion: pd.DataFrame) -> pd.DataFrame:
    """Tell how well each class agrees with the truth, from the pixels that were counted.

    Parameters
    ----------
    confusion : pandas.DataFrame
        One of ``confusion_matrix``, or the sum of those of several slices.

    Returns
    -------
    pandas.DataFrame
        As ``agreement_table``.
    """
    counts = confusion.to_numpy()
    right, pixels, taken = counts.diagonal(), counts.sum(1), counts.sum(0)
    rows = {
        "iou": [_iou(*line) for line in zip(right, pixels, taken, strict=True)],
        "f1": [_f1(*line) for line in zip(right, pixels, taken, strict=True)],
        "precision": [_ratio(*line) for line in zip(right, taken, strict=True)],
        "recall": [_ratio(*line) for line in zip(right, pixels, strict=True)],
    }
    table = pd.DataFrame(rows, pd.Index(confusion.index, name="class"))
    table.loc["mean"] = table[pixels > 0].mean()
    table["pixels"] = [*pixels, pixels.sum()]
    return table


def _confusion(segmentation: np.ndarray, truth: np.ndarray, classes: Classes) -> np.ndarray:
    """Return shape (classes, classes): truth by segmentation, pixels."""
    said, known = _judged(segmentation, truth, classes.unlabelled)
    row = classes.indices(known)
    column = np.full(said.shape, NOT_LABELLED, np.int8)
    for index, value in enumerate(classes.values):
        column[said == value] = index
    segmented = column != NOT_LABELLED
    cell = row[segmented].astype(np.intp) * len(classes) + column[segmented]
    return np.bincount(cell, minlength=len(classes) ** 2).reshape(len(classes), len(classes))


def _judged(
    segmentation: np.ndarray, truth: np.ndarray, unlabelled: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the label values, as lines, of the pixels that are both segmented and labelled."""
    segmentation, truth = checked_labels(segmentation), checked_labels(truth)
    if segmentation.shape != truth.shape:
        raise SegmentationError(
            f"The segmentation has the shape {segmentation.shape}, the truth {truth.shape}: compare the same "
            "slices."
        )
    if unlabelled is None:
        return segmentation.ravel(), truth.ravel()
    judged = (truth != unlabelled) & (segmentation != unlabelled)
    return segmentation[judged], truth[judged]


def _of_class_or_mean(
    ratio: Callable[[int, int, int], float],
    segmentation: np.ndarray,
    truth: np.ndarray,
    value: int | None,
    unlabelled: int | None,
) -> float:
    said, known = _judged(segmentation, truth, unlabelled)
    values = np.unique(known) if value is None else [value]
    ratios = []
    for one in values:
        of_truth, taken = known == one, said == one
        right = int(np.count_nonzero(of_truth & taken))
        ratios.append(ratio(right, int(of_truth.sum()), int(taken.sum())))
    return float(np.mean(ratios)) if ratios else math.nan


def _iou(right: int, pixels: int, taken: int) -> float:
    return _ratio(right, pixels + taken - right)


def _f1(right: int, pixels: int, taken: int) -> float:
    return _ratio(2 * right, pixels + taken)


def _ratio(part: int, whole: int) -> float:
    return float(part / whole) if whole else math.nan
