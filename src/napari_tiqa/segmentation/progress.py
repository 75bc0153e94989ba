"""How far the training of a segmenter is: what it reports while it runs, and the curve of its epochs."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from napari_tiqa.learning.training.progress import EpochProgress, read_epochs

EPOCH_COLUMNS = ("epoch", "epochs", "loss", "iou", "best")


@dataclass(frozen=True)
class SegmentProgress(EpochProgress):
    """How far the training of a segmenter is.

    Its stages: "prepare" (slices of the labels are looked through), "train" (patches), "judge" (the best
    network is judged, image by image). Warnings: a class that is missing in validation, nothing left out.
    Beside `loss`: the mean IoU over the classes that are there in what was left out, and that of each class
    by its label value; NaN where nothing of it was left out.
    """

    iou: float | None = None
    class_ious: Mapping[int, float] | None = None


def class_column(value: int) -> str:
    """Name the column of ``progress.csv`` that has the IoU of the class with a label value."""
    return f"iou {value}"


def read_segment_epochs(run_folder: str | os.PathLike[str]) -> pd.DataFrame:
    """Read how the training of a segmenter went so far, from the ``progress.csv`` of its run folder.

    A row per finished epoch, none before the first has ended; columns epoch (from 1), epochs, loss, iou (mean
    validation IoU, NaN where nothing was left out), best (bool: the best so far), and `class_column` of each
    class. A TrainingError is raised if the file is there and cannot be read.
    """
    return read_epochs(run_folder, EPOCH_COLUMNS)
