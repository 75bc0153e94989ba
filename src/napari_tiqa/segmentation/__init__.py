"""Segmentation of slices into phases by D-LinkNet: training, uncertainty, agreement with a truth.

The public names are imported on first use: ``train_segmenter``, ``predict`` and ``study`` work through the
model process, so that none of them brings Keras into the caller's.
"""

from importlib import import_module
from typing import Any

# Not lazy: a file has the same name, which would take its place in the package as soon as it was imported.
from napari_tiqa.segmentation.iou_map import iou_map

_HOME = {
    "Classes": "segmentation.classes",
    "SegmentationRecipe": "segmentation.recipe",
    "accuracy": "segmentation.agreement",
    "agreement_table": "segmentation.agreement",
    "confusion_matrix": "segmentation.agreement",
    "f1_score": "segmentation.agreement",
    "found_errors": "segmentation.uncertainty",
    "iou_score": "segmentation.agreement",
    "predict": "jobs.segment",
    "study": "jobs.segmentation_study",
    "train_segmenter": "jobs.train_segmenter",
    "two_point_correlation": "segmentation.two_point",
    "uncertainty_map": "segmentation.uncertainty",
}

__all__ = [*_HOME, "iou_map"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"napari_tiqa.{_HOME[name]}"), name)
