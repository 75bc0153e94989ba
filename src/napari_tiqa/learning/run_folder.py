"""A run folder: what a training keeps in it, and its lock, since two would spoil each other's files."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from napari_tiqa.errors import TrainingError

RECIPE_FILE = "recipe.json"
DATASET_FOLDER = "dataset"
EPOCHS_FILE = "progress.csv"
CHECKPOINT_FILE = "checkpoint.npz"
BEST_FILE = "best.npz"
MODEL_FILE = "model.tiqa"
_LOCK_FILE = "lock"

if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a run folder; the system gives it back when its owner dies, however it dies.

    Parameters
    ----------
    folder : pathlib.Path
        A folder that exists.

    Raises
    ------
    TrainingError
        If another process holds it.
    OSError
        If the folder cannot be written.
    """
    with open(folder / _LOCK_FILE, "a+", encoding="utf-8") as file:
        try:
            _lock(file)
        except OSError as error:
            raise TrainingError(
                f"A training is running in {folder} already: wait for it, or choose another run folder."
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")  # for people who wonder whose it is
        file.flush()
        yield
