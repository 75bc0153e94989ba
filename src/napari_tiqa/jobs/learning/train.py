"""Train a model in a model process of its own, so that scoring goes on; preview what it will learn from."""

import os
import threading
from collections.abc import Callable
from typing import Any

from napari_tiqa.arguments import checked_arguments
from napari_tiqa.jobs.process.training import run_training
from napari_tiqa.learning.training.generation import Preview, preview
from napari_tiqa.learning.training.progress import TrainProgress
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.learning.training.run_folder import run_folder_of
from napari_tiqa.scoring.bundle import SCORE
from napari_tiqa.wording import expanded

__all__ = ["Preview", "TrainProgress", "TrainingRecipe", "preview", "train"]

_TASK = "napari_tiqa.learning.training.run:train"


@checked_arguments
def train(
    recipe: TrainingRecipe,
    output: str | os.PathLike[str],
    *,
    run_folder: str | os.PathLike[str] | None = None,
    progress: Callable[[TrainProgress], object] | None = None,
    cancel: threading.Event | None = None,
) -> dict[str, Any]:
    """Train a model, or resume a training that was interrupted.

    Parameters
    ----------
    recipe : TrainingRecipe
        What to train on and how.
    output : path-like
        Where to put the finished bundle.
    run_folder : path-like, optional
        Where the training keeps all that it needs to resume after a crash; `output` with ".training" as its
        end where omitted. A training that has finished there is not done again.
    progress : callable, optional
        Called in this thread, some times a second; what it raises cancels the training.
    cancel : threading.Event, optional
        Set it, from any thread, to end the training in a second or two. It can be resumed later.

    Returns
    -------
    dict
        The card of the bundle at `output`. Where it was cancelled, that bundle holds the best network so far,
        and the card's ``training["finished"]`` is False.

    Raises
    ------
    Cancelled
        If it was cancelled before the first epoch had ended.
    VolumeError, RatingError, TrainingError, BundleError
        As ``learning.training.run.train``.
    ModelProcessError
        If the process cannot start or dies; the training can be resumed from the run folder.
    """
    bundle = expanded(output).absolute()
    folder = run_folder_of(bundle, run_folder)
    return run_training(_TASK, {"recipe": recipe}, folder, bundle, SCORE, progress, cancel)
