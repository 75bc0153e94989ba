"""Segmentation of slices into phases by D-LinkNet: its training, uncertainty, agreement with labels.

Here are the measures, which take NumPy arrays of any origin. ``segment``, ``train_segmenter`` and
``study_segmentation``, which work through the model process, are names of ``napari_tiqa`` itself.
"""

from napari_tiqa.segmentation.agreement import (
    accuracy,
    agreement_table,
    confusion_matrix,
    f1_score,
    iou_map,
    iou_score,
)
from napari_tiqa.segmentation.classes import Classes
from napari_tiqa.segmentation.two_point import two_point_correlation
from napari_tiqa.segmentation.uncertainty import found_errors, uncertainty_map

__all__ = [
    "Classes",
    "accuracy",
    "agreement_table",
    "confusion_matrix",
    "f1_score",
    "found_errors",
    "iou_map",
    "iou_score",
    "two_point_correlation",
    "uncertainty_map",
]
