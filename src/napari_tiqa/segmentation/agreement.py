"""How well a segmentation agrees with a truth, where that is labelled: scores, confusion, IoU map."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from napari_tiqa.errors import SegmentationError
from napari_tiqa.segmentation.classes import NOT_LABELLED, Classes, checked_labels

NOT_JUDGED, TRUE_NEGATIVE, TRUE_POSITIVE, FALSE_NEGATIVE, FALSE_POSITIVE = range(5)
"""The codes of an IoU map."""

IOU_NAMES = {
    TRUE_POSITIVE: "true positive",
    TRUE_NEGATIVE: "true negative",
    FALSE_NEGATIVE: "false negative (missed)",
    FALSE_POSITIVE: "false positive (too much)",
}
"""What each code means, in the order of a legend; pixels that are not judged stay transparent."""

IOU_COLOURS = {
    TRUE_POSITIVE: "#d40000",
    TRUE_NEGATIVE: "#000000",
    FALSE_NEGATIVE: "#50dc50",
    FALSE_POSITIVE: "#3264ff",
}
"""Red, black and green as in Zhang et al. 2022; the fourth, blue, is ours.

People without red or green cones tell this red from this green since one is dark and one light; yellow as the
fourth would look like green to them. To protanopes, deuteranopes and tritanopes any two of the four differ by
22 and more (CIEDE2000).
"""


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
        TP / (TP + FP + FN), 0 to 1 (Jaccard, New Phytologist 11, 1912); NaN where the class is in neither, or
        nothing is left.

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
        As `iou_score`, and so are the errors.

    Returns
    -------
    float
        2 TP / (2 TP + FP + FN), 0 to 1 (Dice, Ecology 26, 1945); NaN where the class is in neither, or
        nothing is left.
    """
    return _of_class_or_mean(_f1, segmentation, truth, value, unlabelled)


def accuracy(segmentation: np.ndarray, truth: np.ndarray, unlabelled: int | None = 0) -> float:
    """Return the share of the labelled pixels that have their class.

    Parameters
    ----------
    segmentation, truth, unlabelled
        As `iou_score`, and so are the errors.

    Returns
    -------
    float
        0 to 1; NaN where no pixel is both labelled and segmented.
    """
    found, known = _judged(segmentation, truth, unlabelled)
    return float(np.mean(found == known)) if known.size else math.nan


def confusion_matrix(segmentation: np.ndarray, truth: np.ndarray, classes: Classes) -> pd.DataFrame:
    """Count the pixels of each class that were taken for each class.

    Parameters
    ----------
    segmentation, truth : numpy.ndarray
        Label values, integers, of the same shape, which may be any.
    classes : Classes
        What the truth tells apart. Pixels that it calls unlabelled are left out, and so are those whose
        segmentation is not one of the classes (not segmented).

    Returns
    -------
    pandas.DataFrame
        Pixels: a row for each class of the truth, a column for each class of the segmentation, both by name.

    Raises
    ------
    SegmentationError
        If the shapes differ, one of the two does not hold labels, or the truth holds a value that is not one
        of the classes.
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
        classes that occur in the truth; its pixels are those of all classes.

    Raises
    ------
    SegmentationError
        As `confusion_matrix`.
    """
    return agreement_of(confusion_matrix(segmentation, truth, classes))


def agreement_of(confusion: pd.DataFrame) -> pd.DataFrame:
    """Return the ``agreement_table`` of a ``confusion_matrix``, or of the sum of those of several slices."""
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


def iou_map(
    segmentation: np.ndarray, truth: np.ndarray, value: int, unlabelled: int | None = 0
) -> np.ndarray:
    """Tell for each pixel whether a class was found, missed or wrongly assigned (Zhang et al. 2022, Fig. 6).

    Parameters
    ----------
    segmentation, truth : numpy.ndarray
        Label values, integers, of the same shape, which may be any.
    value : int
        The class.
    unlabelled : int or None
        The value of pixels that are not judged, be it in the truth (not labelled) or in the segmentation (not
        segmented); None where there are none.

    Returns
    -------
    numpy.ndarray
        Shape of `truth`, uint8: `NOT_JUDGED` 0, `TRUE_NEGATIVE` 1, `TRUE_POSITIVE` 2, `FALSE_NEGATIVE` 3,
        `FALSE_POSITIVE` 4.

    Raises
    ------
    SegmentationError
        If the shapes differ or one of the two does not hold labels.
    """
    segmentation, truth = _same_shape(segmentation, truth)
    codes = np.array([[TRUE_NEGATIVE, FALSE_POSITIVE], [FALSE_NEGATIVE, TRUE_POSITIVE]], np.uint8)
    outcome = codes[(truth == value).astype(np.uint8), (segmentation == value).astype(np.uint8)]
    if unlabelled is not None:
        outcome[(truth == unlabelled) | (segmentation == unlabelled)] = NOT_JUDGED
    return outcome


def _confusion(segmentation: np.ndarray, truth: np.ndarray, classes: Classes) -> np.ndarray:
    """Return shape (classes, classes): truth by segmentation, pixels."""
    found, known = _judged(segmentation, truth, classes.unlabelled)
    row = classes.indices(known)
    column = np.full(found.shape, NOT_LABELLED, np.int8)
    for index, value in enumerate(classes.values):
        column[found == value] = index
    segmented = column != NOT_LABELLED
    cell = row[segmented].astype(np.intp) * len(classes) + column[segmented]
    return np.bincount(cell, minlength=len(classes) ** 2).reshape(len(classes), len(classes))


def _judged(
    segmentation: np.ndarray, truth: np.ndarray, unlabelled: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the label values, as lines, of the pixels that are both segmented and labelled."""
    segmentation, truth = _same_shape(segmentation, truth)
    if unlabelled is None:
        return segmentation.ravel(), truth.ravel()
    judged = (truth != unlabelled) & (segmentation != unlabelled)
    return segmentation[judged], truth[judged]


def _same_shape(segmentation: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    segmentation, truth = checked_labels(segmentation), checked_labels(truth)
    if segmentation.shape != truth.shape:
        raise SegmentationError(
            f"The segmentation has the shape {segmentation.shape}, the truth {truth.shape}: compare the same "
            "slices."
        )
    return segmentation, truth


def _of_class_or_mean(
    ratio: Callable[[int, int, int], float],
    segmentation: np.ndarray,
    truth: np.ndarray,
    value: int | None,
    unlabelled: int | None,
) -> float:
    found, known = _judged(segmentation, truth, unlabelled)
    values = np.unique(known) if value is None else [value]
    ratios = []
    for value in values:
        in_truth, taken = known == value, found == value
        right = int(np.count_nonzero(in_truth & taken))
        ratios.append(ratio(right, int(in_truth.sum()), int(taken.sum())))
    return float(np.mean(ratios)) if ratios else math.nan


def _iou(right: int, pixels: int, taken: int) -> float:
    return _ratio(right, pixels + taken - right)


def _f1(right: int, pixels: int, taken: int) -> float:
    return _ratio(2 * right, pixels + taken)


def _ratio(part: int, whole: int) -> float:
    return float(part / whole) if whole else math.nan
