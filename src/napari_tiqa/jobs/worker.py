"""The model process: the one place where scoring imports Keras. Run as ``python -m napari_tiqa.jobs.worker``.

Requests come in on standard input and answers go out on standard output, see ``messages``. The process
ends the moment its standard input does, which is when the process that started it is gone.
"""

import os
import queue
import signal
import sys
import threading
import traceback
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any

from napari_tiqa.errors import ModelProcessError, TiqaError
from napari_tiqa.jobs.messages import (
    Cancel,
    Failed,
    ModelFile,
    Predict,
    Ready,
    Scores,
    Skipped,
    read_message,
    write_message,
)

if TYPE_CHECKING:
    import keras

_MODELS_KEPT = 2


def main() -> None:
    """Answer requests until standard input ends."""
    # Ctrl-C in a terminal reaches this process too; the caller decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, replies = _take_over_pipes()
    inbox: queue.SimpleQueue[Predict] = queue.SimpleQueue()
    cancelled: set[int] = set()
    threading.Thread(target=_receive, args=(requests, inbox, cancelled), daemon=True).start()
    write_message(replies, Ready(_device()))
    while True:
        message = inbox.get()
        if message.request in cancelled:
            write_message(replies, Skipped(message.request))
        else:
            write_message(replies, _answer(message))
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


def _receive(requests: IO[bytes], inbox: queue.SimpleQueue[Predict], cancelled: set[int]) -> None:
    try:
        while True:
            message = read_message(requests)
            if isinstance(message, Cancel):
                cancelled.add(message.request)
            elif isinstance(message, Predict):
                inbox.put(message)
    except EOFError:
        os._exit(0)  # At once, also in the middle of a prediction: nobody is left to want it.
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _answer(message: Predict) -> Scores | Failed:
    from napari_tiqa.scoring.predict import predict_scores

    try:
        return Scores(message.request, predict_scores(_network(message.model), message.tiles))
    except TiqaError as error:
        return Failed(message.request, error)
    except Exception as error:
        traceback.print_exc()
        sentence = " ".join(str(error).split()).rstrip(".")
        return Failed(
            message.request,
            ModelProcessError(f"The model failed on these slices ({type(error).__name__}: {sentence})."),
        )


@lru_cache(_MODELS_KEPT)
def _network(model: ModelFile) -> "keras.Model":
    from napari_tiqa.scoring.bundle import load_model

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
