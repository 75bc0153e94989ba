"""Where a segmentation is right and wrong: the outcome of a class at each pixel, and its colour."""

import numpy as np

from napari_tiqa.errors import SegmentationError
from napari_tiqa.segmentation.classes import checked_labels

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


def iou_map(
    segmentation: np.ndarray, truth: np.ndarray, value: int, unlabelled: int | None = 0
) -> np.ndarray:
    """Tell what became of each pixel when a class was looked for.

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
    segmentation, truth = checked_labels(segmentation), checked_labels(truth)
    if segmentation.shape != truth.shape:
        raise SegmentationError(
            f"The segmentation has the shape {segmentation.shape}, the truth {truth.shape}: compare the same "
            "slices."
        )
    codes = np.array([[TRUE_NEGATIVE, FALSE_POSITIVE], [FALSE_NEGATIVE, TRUE_POSITIVE]], np.uint8)
    outcome = codes[(truth == value).astype(np.uint8), (segmentation == value).astype(np.uint8)]
    if unlabelled is not None:
        outcome[(truth == unlabelled) | (segmentation == unlabelled)] = NOT_JUDGED
    return outcome
