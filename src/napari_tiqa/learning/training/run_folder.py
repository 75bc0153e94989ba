"""A run folder: what any training keeps in it, the way out of it, and its lock, since two would spoil it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_tiqa.errors import BundleError, TrainingError, explained
from napari_tiqa.learning.training.settings import Recipe
from napari_tiqa.locks import AlreadyLocked, hold
from napari_tiqa.whole_file import whole_file
from napari_tiqa.wording import expanded

RECIPE_FILE = "recipe.json"
DATASET_FOLDER = "dataset"
EPOCHS_FILE = "progress.csv"
CHECKPOINT_FILE = "checkpoint.npz"
BEST_FILE = "best.npz"
MODEL_FILE = "model.tiqa"
_LOCK_FILE = "lock"


def run_folder_of(output: Path, run_folder: str | os.PathLike[str] | None = None) -> Path:
    """Return the run folder given, or the one beside `output` that belongs to it: ``<name>.training``."""
    return expanded(run_folder).absolute() if run_folder else output.with_suffix(".training")


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a run folder that exists; the end of the process, also by kill -9, gives it back.

    Raises TrainingError if another process holds it, OSError if the folder cannot be written.
    """
    try:
        lock = hold(folder / _LOCK_FILE)
    except AlreadyLocked as error:
        raise TrainingError(
            f"A training is running in {folder} already: wait for it, or choose another run folder."
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Turn each OSError into a TrainingError that says what to do."""
    remedy = (
        "free some space, or make the folder writable, and start it again; it resumes after its last epoch"
    )
    with explained(TrainingError, f"The training cannot write to {folder}", remedy):
        yield


def keep_recipe(folder: Path, recipe: Recipe) -> None:
    """Write a run's recipe down, or check that the run was begun with it; raises TrainingError or OSError."""
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
    """Copy the model of a run to where it was asked for; raises BundleError if it cannot be written there."""
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
