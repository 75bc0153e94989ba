"""A training in a model process of its own: its reports are passed on, a cancel keeps the best so far."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path
from typing import Any

from napari_tiqa.errors import Cancelled
from napari_tiqa.jobs.process.client import ModelProcess, ProcessState
from napari_tiqa.learning.training.run_folder import BEST_FILE, MODEL_FILE
from napari_tiqa.scoring.bundle import load_card

_POLL = 0.05
_KEEPS_BEST_WITHIN = 60.0  # seconds; saving takes one or two, unless the machine is very busy


def run_training(
    task: str,
    arguments: dict[str, Any],
    run_folder: Path,
    output: Path,
    purpose: str,
    progress: Callable[[Any], object] | None,
    cancel: threading.Event | None,
) -> dict[str, Any]:
    """Run a training, wait for its end, and return the card of the bundle at `output`; paths are absolute.

    The task, "module:function", leaves its bundle in the run folder and at `output`, the best so far where
    its ``report`` raises Cancelled, and returns the bundle's card; it takes the arguments, ``run_folder``,
    ``output`` and ``report``. `progress` is called in this thread with what it reports; what that raises
    cancels the training. Raises Cancelled if it was cancelled before there was a model, ModelProcessError if
    the process cannot start or dies, and what the task raised.
    """
    cancel = cancel or threading.Event()
    process = ModelProcess(f"train again with the run folder {run_folder} to resume after the last epoch")
    reports: queue.SimpleQueue[Any] = queue.SimpleQueue()
    arguments = arguments | {"run_folder": str(run_folder), "output": str(output)}
    answer = process.run(task, arguments, reports.put, _KEEPS_BEST_WITHIN)
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
        if not (run_folder / MODEL_FILE).exists() or not output.exists():
            lost = (run_folder / BEST_FILE).exists()
            raise (_best_not_written(run_folder) if lost else no_model_yet()) from None
        card = load_card(output, purpose)
    finally:
        process.close()
    return card


def no_model_yet() -> Cancelled:
    """Return the error of a training that was cancelled too early."""
    return Cancelled("The training was cancelled before its first epoch had ended: there is no model yet.")


def _best_not_written(run_folder: Path) -> Cancelled:
    return Cancelled(
        "The training was cancelled, but a step of it took so long that its best network could not be put "
        f"into a bundle any more: train again with the run folder {run_folder} to resume after the last "
        "epoch."
    )


def _pass_on(
    reports: "queue.SimpleQueue[Any]", progress: Callable[[Any], object] | None, wait: float
) -> None:
    """Pass on what has been reported; where there is nothing, wait that many seconds for it."""
    with suppress(queue.Empty):
        while True:
            report = reports.get(timeout=wait)
            if progress:
                progress(report)
