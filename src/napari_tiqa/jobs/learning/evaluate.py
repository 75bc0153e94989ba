"""Evaluate a model on a dataset, in a model process of its own, so that scoring goes on."""

import os
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress

from napari_tiqa.arguments import checked_arguments
from napari_tiqa.errors import Cancelled, TrainingError
from napari_tiqa.jobs.process.client import ModelProcess
from napari_tiqa.jobs.process.messages import ModelFile
from napari_tiqa.learning.evaluation.baselines import BASELINES, QUICK_BASELINES
from napari_tiqa.learning.evaluation.comparison import RESAMPLES, Evaluation, EvaluationProgress
from napari_tiqa.learning.images.dataset import read_dataset
from napari_tiqa.wording import expanded

__all__ = ["Evaluation", "EvaluationProgress", "evaluate"]

_TASK = "napari_tiqa.learning.evaluation.comparison:compare"
_POLL = 0.05


@checked_arguments
def evaluate(
    dataset: str | os.PathLike[str],
    *,
    model: str | os.PathLike[str] | None = None,
    baselines: bool | Sequence[str] = True,
    against: Sequence[str | os.PathLike[str] | None] = (),
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Callable[[EvaluationProgress], object] | None = None,
    cancel: threading.Event | None = None,
) -> Evaluation:
    """Judge a model on a dataset, beside baselines and other models.

    Parameters
    ----------
    dataset : path-like
        A dataset folder (of ``napari-tiqa generate`` or a training) or a rated session folder.
    model : path-like, optional
        A model bundle; the default model where omitted.
    baselines : bool or sequence of str
        Keys of ``learning.evaluation.baselines.BASELINES``; True for those that take seconds, False for none.
    against : sequence of path-like or None
        Further models, judged on the same images.
    resamples, seed : int
        Of the bootstrap over originals.
    progress : callable, optional
        Called in this thread with an EvaluationProgress; what it raises ends the evaluation.
    cancel : threading.Event, optional
        Set it, from any thread, to end the evaluation at once.

    Returns
    -------
    Evaluation

    Raises
    ------
    BundleError
        If a model cannot be used.
    RatingError, TrainingError
        If the dataset cannot be read or has no labels, or there is no such baseline.
    ModelProcessError
        If the model process cannot start or dies.
    Cancelled
        If `cancel` was set.
    """
    names = (QUICK_BASELINES if baselines else ()) if isinstance(baselines, bool) else tuple(baselines)
    for name in names:
        if name not in BASELINES:
            raise TrainingError(f"There is no baseline {name!r}: choose from {', '.join(BASELINES)}.")
    folder = expanded(dataset).absolute()
    arguments = {
        "models": [ModelFile.of(item).path for item in (model, *against)],
        # Read here, so that what is wrong with it is said before a process has started.
        "dataset": read_dataset(folder),
        "folder": str(folder),
        "baselines": names,
        "resamples": resamples,
        "seed": seed,
    }
    cancel = cancel or threading.Event()
    reports: queue.SimpleQueue[EvaluationProgress] = queue.SimpleQueue()
    with closing(ModelProcess("evaluate again")) as process:
        answer = process.run(_TASK, arguments, reports.put)
        while not (done := answer.done()) or not reports.empty():
            if cancel.is_set():
                raise Cancelled("The evaluation was cancelled.")
            with suppress(queue.Empty):
                report = reports.get(timeout=0 if done else _POLL)
                if progress:
                    progress(report)
        evaluation: Evaluation = answer.result()
        return evaluation
