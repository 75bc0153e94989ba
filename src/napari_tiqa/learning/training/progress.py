"""How far a training is: what it reports while it runs, and the curve of its epochs as a CSV file."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from napari_tiqa.errors import TrainingError
from napari_tiqa.learning.training.run_folder import EPOCHS_FILE
from napari_tiqa.progress import Progress
from napari_tiqa.whole_file import whole_file
from napari_tiqa.wording import cause

EPOCH_COLUMNS = ("stage", "epoch", "epochs", "loss", "srocc", "plcc", "best")


@dataclass(frozen=True)
class EpochProgress(Progress):
    """How far a training is; reported several times a second at most, and at the end of each epoch.

    `done` and `total` count images or patches of this stage, each once an epoch; the time left is that of the
    whole training. `epoch` and `epochs` are those done of this stage, and in all; both 0 in a stage without
    epochs. `loss` is a number, the mean of an epoch, only in the report that ends it. `warnings` are
    sentences on what may spoil the result, in the first report that knows of them.
    """

    stage: str
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainProgress(EpochProgress):
    """How far the training of a score is.

    Its stages: "generate" (versions are made and labelled), "rank", "regress", "judge" (the finished model is
    judged and calibrated). Warnings: few ratings, disagreeing raters, dropped duplicates. SROCC and PLCC,
    beside the loss, are of the scores of the validation images with their labels; NaN where there are none.
    """

    srocc: float | None = None
    plcc: float | None = None


def write_epochs(
    run_folder: Path, rows: Sequence[Mapping[Any, Any]], columns: Sequence[str] = EPOCH_COLUMNS
) -> None:
    """Write the epochs of a training so far; raises OSError."""
    table = pd.DataFrame(rows, columns=list(columns))
    with whole_file(run_folder / EPOCHS_FILE) as file:
        file.write(table.to_csv(index=False, lineterminator="\n").encode())


def read_epochs(run_folder: str | os.PathLike[str], columns: Sequence[str] = EPOCH_COLUMNS) -> pd.DataFrame:
    """Read how a training went so far, from the ``progress.csv`` of its run folder, which has these columns.

    A row per finished epoch: stage ("rank" or "regress"), epoch (from 1), epochs, loss, srocc, plcc (NaN
    without validation images), best (bool: the best of its stage so far). Raises TrainingError if the file is
    there and cannot be read.
    """
    path = Path(run_folder) / EPOCHS_FILE
    if not path.exists():
        return pd.DataFrame(columns=list(columns))
    try:
        table = pd.read_csv(path)
        if missing := set(columns) - set(table):
            raise ValueError(f"it has no column {min(missing)}")
        return table
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"{path} cannot be read ({cause(error)}): choose another run folder, or train in a new one."
        ) from error
