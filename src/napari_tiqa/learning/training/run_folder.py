"""A run folder: what any training keeps in it, the way out of it, and its lock, since two would spoil it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol, Self

from napari_tiqa.errors import BundleError, TrainingError
from napari_tiqa.whole_file import whole_file

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


def run_folder_of(output: Path, run_folder: str | os.PathLike[str] | None = None) -> Path:
    """Return the run folder given, or the one beside `output` that belongs to it: ``<name>.training``."""
    return Path(run_folder).expanduser().absolute() if run_folder else output.with_suffix(".training")


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


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Turn each OSError into a TrainingError that says what to do."""
    try:
        yield
    except OSError as error:
        raise TrainingError(
            f"The training cannot write to {folder} ({error.strerror or error}): free some space, or make "
            "the folder writable, and start it again; it goes on from its last epoch."
        ) from error


class Recipe(Protocol):
    """What a training is made by."""

    def to_json(self) -> str:
        """Return the recipe as a JSON document."""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a recipe back; raises a TiqaError."""

    def differs_from(self, other: Self) -> list[str]:
        """Name the settings that are not the same in both."""


def keep_recipe(folder: Path, recipe: Recipe) -> None:
    """Write a run's recipe down, or see that it is the one that the run was begun with.

    Raises
    ------
    TrainingError
        If the folder holds a training with another recipe.
    OSError
        If the folder cannot be written.
    """
    path = folder / RECIPE_FILE
    if not path.exists():
        with whole_file(path) as file:
            file.write(recipe.to_json().encode())
        return
    other = recipe.from_json(path.read_text(encoding="utf-8"))
    if different := recipe.differs_from(other):
        raise TrainingError(
            f"{folder} holds a training with another recipe (other {', '.join(different)}): choose "
            "another run folder, or the recipe that it was begun with."
        )


def deliver(folder: Path, output: Path) -> None:
    """Copy the model of a run to where it was asked for.

    Raises
    ------
    BundleError
        If it cannot be written there.
    """
    try:
        bundle = (folder / MODEL_FILE).read_bytes()
        output.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(output) as file:
            file.write(bundle)
    except OSError as error:
        raise BundleError(
            f"The model cannot be written to {output} ({error.strerror}); it is kept as "
            f"{folder / MODEL_FILE}: copy it from there."
        ) from error
