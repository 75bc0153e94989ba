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

EPOCH_COLUMNS = ("stage", "epoch", "epochs", "loss", "srocc", "plcc", "best")


@dataclass(frozen=True)
class EpochProgress(Progress):
    """How far a training is; reported several times a second at most, and at the end of each epoch.

    Attributes
    ----------
    done, total : int
        Images or patches of this stage; while it trains each counts once an epoch.
    seconds_left : float or None
        Of the whole training; None while that is not known.
    stage : str
        What is done now.
    epoch, epochs : int
        Epochs of this stage that are done, and in all; both 0 in a stage without epochs.
    loss : float or None
        Mean loss of an epoch; a number only in the report that ends it, None in all others.
    warnings : tuple of str
        Sentences on what may spoil the result; in the first report that knows of them, empty in all others.
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
    judged and calibrated). Warnings: few ratings, disagreeing raters, dropped duplicates.

    Attributes
    ----------
    srocc, plcc : float or None
        Beside `loss`: of the scores of the validation images with their labels; NaN where there are none.
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
    """Read how a training went so far, from the ``progress.csv`` of its run folder.

    Parameters
    ----------
    run_folder : path-like
        Of a training.
    columns : sequence of str
        What such a training's table has at least.

    Returns
    -------
    pandas.DataFrame
        A row per finished epoch; columns stage ("rank" or "regress"), epoch (from 1), epochs, loss, srocc,
        plcc (NaN without validation images), best (bool: the best of its stage so far). No row where no
        epoch has ended yet.

    Raises
    ------
    TrainingError
        If the file is there and cannot be read.
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
            f"{path} cannot be read ({error}): choose another run folder, or train in a new one."
        ) from error
