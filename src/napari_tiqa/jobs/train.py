"""Train a model in a model process of its own, so that scoring goes on; preview what it will learn from."""

import os
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path
from typing import Any

from napari_tiqa.errors import Cancelled
from napari_tiqa.jobs.model_process import ModelProcess, ProcessState
from napari_tiqa.learning.generation import Preview, preview
from napari_tiqa.learning.progress import TrainProgress
from napari_tiqa.learning.recipe import TrainingRecipe
from napari_tiqa.learning.run_folder import MODEL_FILE
from napari_tiqa.scoring.bundle import load_card

__all__ = ["Preview", "TrainProgress", "TrainingRecipe", "preview", "train"]

_TASK = "napari_tiqa.learning.run:train"
_POLL = 0.05
_KEEPS_BEST_WITHIN = 60.0  # seconds; saving takes one or two, unless the machine is very busy


def train(
    recipe: TrainingRecipe,
    run_folder: str | os.PathLike[str],
    output: str | os.PathLike[str],
    progress: Callable[[TrainProgress], object] | None = None,
    cancel: threading.Event | None = None,
) -> dict[str, Any]:
    """Train a model, or go on with a training that was interrupted.

    Parameters
    ----------
    recipe : TrainingRecipe
        What to train on and how.
    run_folder : path-like
        Where the training keeps all that it needs to go on after a crash; a new folder, or one in which this
        recipe was begun before. A training that has finished there is not done again.
    output : path-like
        Where to put the finished bundle.
    progress : callable, optional
        Called in this thread, some times a second; what it raises cancels the training.
    cancel : threading.Event, optional
        Set it, from any thread, to end the training in a second or two. It can go on later.

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
        As ``learning.run.train``.
    ModelProcessError
        If the process cannot start or dies; the run folder stays good to go on from.
    """
    folder, bundle = (Path(path).expanduser().absolute() for path in (run_folder, output))
    cancel = cancel or threading.Event()
    process = ModelProcess(
        f"train again with the run folder {folder}, and the training goes on from its last epoch"
    )
    reports: queue.SimpleQueue[TrainProgress] = queue.SimpleQueue()
    arguments = {"recipe": recipe, "run_folder": str(folder), "output": str(bundle)}
    answer = process.run(_TASK, arguments, reports.put, _KEEPS_BEST_WITHIN)
    try:
        while not answer.done():
            if cancel.is_set():
                answer.cancel()
            _pass_on(reports, progress, _POLL)
        _pass_on(reports, progress, 0)
        card: dict[str, Any] = answer.result()
    except BaseException as error:
        answer.cancel()
        while process.state is ProcessState.CANCELLING:
            time.sleep(_POLL)
        if not isinstance(error, CancelledError):
            raise
        card = _kept(folder, bundle)
    finally:
        process.close()
    return card


def _pass_on(
    reports: "queue.SimpleQueue[TrainProgress]",
    progress: Callable[[TrainProgress], object] | None,
    wait: float,
) -> None:
    """Pass on what has been reported; where there is nothing, wait that many seconds for it."""
    with suppress(queue.Empty):
        while True:
            report = reports.get(timeout=wait)
            if progress:
                progress(report)


def _kept(folder: Path, bundle: Path) -> dict[str, Any]:
    if not (folder / MODEL_FILE).exists() or not bundle.exists():
        raise Cancelled("The training was cancelled before its first epoch had ended: there is no model yet.")
    return load_card(bundle)
