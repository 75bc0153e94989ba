"""How far the training of a segmenter is: what it reports while it runs, and the curve of its epochs."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from napari_tiqa.learning.training.progress import read_epochs

SegmentStage = Literal["prepare", "train", "judge"]

EPOCH_COLUMNS = ("epoch", "epochs", "loss", "iou", "best")


@dataclass(frozen=True)
class SegmentProgress:
    """How far a training is; reported several times a second at most, and at the end of each epoch.

    Attributes
    ----------
    stage : {"prepare", "train", "judge"}
        The labelled slices are gathered; learned from; the best network is judged and put into its bundle.
    epoch, epochs : int
        Epochs that are done, and in all; both 0 in the first and the last stage.
    patches_done, patches : int
        Training patches that were seen, and in all. In "prepare", slices of the labels looked through; in
        "judge", images that were judged.
    seconds_left : float or None
        Of the whole training; None while that is not known.
    loss : float or None
        Mean loss of an epoch; a number only in the report that ends it, None in all others.
    iou : float or None
        Mean IoU over the classes that are there in what was left out for validation; NaN where nothing was
        left out. Beside `loss`, None in all other reports.
    class_ious : mapping of int to float, or None
        IoU of each class by its label value; NaN where none of it was left out. Beside `loss`.
    warnings : tuple of str
        Sentences on what may spoil the result (a class that is missing in validation, nothing left out); in
        the first report that knows of them, empty in all others.
    """

    stage: SegmentStage
    epoch: int = 0
    epochs: int = 0
    patches_done: int = 0
    patches: int = 0
    seconds_left: float | None = None
    loss: float | None = None
    iou: float | None = None
    class_ious: Mapping[int, float] | None = None
    warnings: tuple[str, ...] = ()


def class_column(value: int) -> str:
    """Name the column of ``progress.csv`` that has the IoU of the class with a label value."""
    return f"iou {value}"


def read_segment_epochs(run_folder: str | os.PathLike[str]) -> pd.DataFrame:
    """Read how the training of a segmenter went so far, from the ``progress.csv`` of its run folder.

    Returns
    -------
    pandas.DataFrame
        A row per finished epoch; columns epoch (from 1), epochs, loss, iou (mean validation IoU, NaN where
        nothing was left out), best (bool: the best so far), and `class_column` of each class. No row where no
        epoch has ended yet.

    Raises
    ------
    TrainingError
        If the file is there and cannot be read.
    """
    return read_epochs(run_folder, EPOCH_COLUMNS)
