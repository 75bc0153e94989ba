"""The model process: the one place where scoring imports Keras.

Run as ``python -m napari_tiqa.jobs.process.worker``.

Requests come in on standard input and answers go out on standard output, see ``messages``. The process
ends the moment its standard input does, which is when the process that started it is gone.
"""

import importlib
import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any

from napari_tiqa.errors import Cancelled, ModelProcessError, TiqaError
from napari_tiqa.jobs.process.messages import (
    Cancel,
    Failed,
    ModelFile,
    Predict,
    Predicted,
    Progress,
    Ready,
    Returned,
    Run,
    Skipped,
    read_message,
    write_message,
)
from napari_tiqa.scoring.keras_configuration import configure_keras
from napari_tiqa.scoring.out_of_memory import is_out_of_memory

if TYPE_CHECKING:
    from napari_tiqa.scoring.predict import ScoreModel

_MODELS_KEPT = 2
_NO_MEMORY = (
    "The model process ran out of memory: close other programs, choose smaller images or batches, or the CPU "
    "instead of the GPU."
)


def main() -> None:
    """Answer requests until standard input ends."""
    # Ctrl-C in a terminal, its closing, and a scheduler's SIGTERM reach this process too; the caller decides
    # what they mean, and this process ends with it.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    requests, replies = _take_over_pipes()
    inbox: queue.SimpleQueue[Predict | Run] = queue.SimpleQueue()
    cancelled: set[int] = set()
    threading.Thread(target=_receive, args=(requests, inbox, cancelled), daemon=True).start()
    configure_keras()
    write_message(replies, Ready(_device()))
    while True:
        message = inbox.get()
        if message.request in cancelled:
            write_message(replies, Skipped(message.request))
        else:
            write_message(replies, _answer(message, replies, cancelled))
        cancelled.discard(message.request)


def _take_over_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Keep both pipes for messages: what a library prints joins standard error, reading finds the end.

    (On Windows, importing NumPy hangs while another thread waits for standard input itself.)
    """
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, replies


def _receive(requests: IO[bytes], inbox: queue.SimpleQueue[Predict | Run], cancelled: set[int]) -> None:
    try:
        while True:
            message = read_message(requests)
            if isinstance(message, Cancel):
                cancelled.add(message.request)
            elif isinstance(message, Predict | Run):
                inbox.put(message)
    except EOFError:
        os._exit(0)  # At once, also in the middle of a prediction: nobody is left to want it.
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _answer(
    message: Predict | Run, replies: IO[bytes], cancelled: set[int]
) -> Predicted | Returned | Failed | Skipped:
    try:
        if isinstance(message, Run):
            return Returned(message.request, _run(message, replies, cancelled))
        return _predict(message)
    except Cancelled:
        return Skipped(message.request)
    except TiqaError as error:
        return Failed(message.request, error)
    except Exception as error:
        traceback.print_exc()
        if is_out_of_memory(error):
            return Failed(message.request, ModelProcessError(_NO_MEMORY))
        what = (
            "The model failed on these slices" if isinstance(message, Predict) else "The model process failed"
        )
        sentence = " ".join(str(error).split()).rstrip(".")
        return Failed(message.request, ModelProcessError(f"{what} ({type(error).__name__}: {sentence})."))


def _predict(message: Predict) -> Predicted:
    from napari_tiqa.scoring.predict import predict

    return Predicted(message.request, predict(_model(message.model), message.tiles))


def _run(message: Run, replies: IO[bytes], cancelled: set[int]) -> Any:
    def report(value: Any) -> None:
        if message.request in cancelled:
            raise Cancelled("The work was cancelled.")
        write_message(replies, Progress(message.request, value))

    module, _, function = message.task.partition(":")
    arguments = pickle.loads(message.arguments)
    return getattr(importlib.import_module(module), function)(**arguments, report=report)


@lru_cache(_MODELS_KEPT)
def _model(model: ModelFile) -> "ScoreModel":
    from napari_tiqa.scoring.predict import load_model

    return load_model(model.path)


def _device() -> str:
    gpu = _gpu_name()
    if gpu:
        return f"GPU: {gpu}"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"CPU, {cores} core{'s' if cores > 1 else ''}"


def _gpu_name() -> str:
    """Name the GPU that Keras runs on; Keras has no call for it, so each backend is asked its own way."""
    import keras

    name = keras.backend.backend()
    backend: Any = sys.modules.get(name)  # Keras has imported it.
    if name == "tensorflow":
        gpus = backend.config.list_physical_devices("GPU")
        return backend.config.experimental.get_device_details(gpus[0])["device_name"] if gpus else ""
    if name == "jax":
        device = backend.devices()[0]
        return "" if device.platform == "cpu" else device.device_kind
    if name == "torch":
        return backend.cuda.get_device_name() if backend.cuda.is_available() else ""
    return ""


if __name__ == "__main__":
    main()
