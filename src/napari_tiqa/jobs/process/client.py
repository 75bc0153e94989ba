"""The caller's end of the model process: start it, send it tiles, hear of its death.

The network never runs in napari's own process (docs/architecture.md says why). The child is a fresh
interpreter, not one of multiprocessing's, which would run the user's script or napari a second time. Two
pipes carry the messages: nobody else can reach them, and each end sees at once when the other is gone.
"""

import atexit
import itertools
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from enum import StrEnum
from functools import partial
from typing import IO, Any

import numpy as np

from napari_tiqa.errors import ModelProcessError
from napari_tiqa.jobs.process.messages import (
    Cancel,
    Failed,
    Message,
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
from napari_tiqa.scoring.predict import BATCH_SIZE
from napari_tiqa.scoring.scale import PREDICTED

_LOG_LINES = 200
_STUCK_AFTER = 10.0
_CLOSE_WITHIN = 2.0
_BATCH = "NAPARI_TIQA_BATCH_SIZE"
# What Linux sends where memory runs out, and what TensorFlow on the CPU comes to where it gets none.
_NO_MEMORY = [getattr(signal, name) for name in ("SIGKILL", "SIGSEGV", "SIGABRT") if hasattr(signal, name)]
_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "2",
    # Leave GPU memory to others: by default TensorFlow and JAX take all of it.
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    "PYTHONIOENCODING": "utf-8",
}


_chosen: dict[str, str] = {}


def set_process_environment(variables: dict[str, str]) -> bool:
    """Set what model processes started from now on have in their environment; False where that is so already.

    `variables` go before those of this process, such as CUDA_VISIBLE_DEVICES for the CPU alone; those of an
    earlier call are forgotten. NAPARI_TIQA_BATCH_SIZE is how many tiles the network takes at once, at most.
    """
    if variables == _chosen:
        return False
    _chosen.clear()
    _chosen.update(variables)
    return True


class ProcessState(StrEnum):
    """What a model process is doing."""

    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    RUNNING = "running"
    CANCELLING = "cancelling"


class ModelProcess:
    """A child process that scores tiles; it stays warm between requests and is restarted when it died.

    May be used from several threads at once. Nothing but ``score``, ``wait_ready`` and ``close`` ever waits.
    After a death that looks as if memory had run out, the next process takes half as many tiles at once.
    `remedy`, the end of a sentence, says what to do when the process has died.
    """

    def __init__(self, remedy: str = "try again to start a new one") -> None:
        self._remedy = remedy
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self._at_once = BATCH_SIZE

    @property
    def state(self) -> ProcessState:
        """What the process is doing now."""
        child = self._child
        return ProcessState.STOPPED if child is None else child.state

    @property
    def device(self) -> str:
        """Where the network runs, such as 'CPU, 2 cores' or 'GPU: NVIDIA H100'; empty until that is known."""
        child = self._child
        ready = child is not None and child.device.done() and not child.device.exception()
        return child.device.result() if child is not None and ready else ""

    @property
    def pid(self) -> int | None:
        """Process id of the running child; None where there is none."""
        child = self._child
        return None if child is None or child.ended else child.pid

    def start(self) -> None:
        """Start the process unless it runs; returns at once. Importing Keras then takes some seconds."""
        self._living_child()

    def wait_ready(self) -> str:
        """Start the process unless it runs, wait until it can score, and return its ``device``.

        Raises ModelProcessError if it cannot start, for instance because TensorFlow is not installed.
        """
        return self._living_child().device.result()

    def submit(self, tiles: np.ndarray, model: ModelFile) -> Future[np.ndarray]:
        """Send one batch and return at once; the process is started if need be.

        The tiles have the shape (n, 224, 224), float32 in [0, 1], best ``predict.BATCH_SIZE`` of them. The
        answer has the shape (n, 6), see ``scoring.predict.predict``, or is ModelProcessError or BundleError.
        Cancelling it takes effect at once; the process itself is warm again after at most one batch.
        """
        return self._living_child().ask(lambda number: Predict(number, model, tiles))

    def run(
        self,
        task: str,
        arguments: dict[str, Any],
        progress: Callable[[Any], object] | None = None,
        patience: float | None = None,
    ) -> Future[Any]:
        """Have a function called that needs Keras, and return at once; scoring waits until it has ended.

        The task, "module:function", takes the arguments, which can be pickled, and ``report``, see
        ``messages.Run``. `progress` is called in a thread of this object with what it reports, and must
        return soon. The answer is what the function returned, or the TiqaError that it raised. Cancelling it
        takes effect at once; the process itself ends the task when it next reports, and is killed if it does
        not within `patience` seconds, 10 where omitted.
        """
        packed = pickle.dumps(arguments, protocol=5)
        return self._living_child().ask(lambda number: Run(number, task, packed), progress, patience)

    def score(self, tiles: np.ndarray, model: ModelFile) -> np.ndarray:
        """Score tiles, as `submit`, and wait for the result; raises ModelProcessError or BundleError."""
        # One batch of the network per message, so that cancelling waits for no more than one.
        starts = range(0, len(tiles), BATCH_SIZE)
        batches = [self.submit(tiles[start : start + BATCH_SIZE], model) for start in starts]
        try:
            return np.concatenate(
                [np.empty((0, len(PREDICTED)), np.float32), *(batch.result() for batch in batches)]
            )
        finally:
            for batch in batches:
                batch.cancel()

    def close(self) -> None:
        """End the process, also in the middle of a request, which then fails; a later call starts anew."""
        with self._lock:
            child, self._child = self._child, None
        if child is not None:
            child.close()

    def _living_child(self) -> "_Child":
        with self._lock:
            if self._child is None or self._child.ended:
                if self._child is not None and self._child.lacked_memory:
                    self._at_once = max(1, self._at_once // 2)
                self._child = _Child(self._remedy, self._at_once)
            return self._child


_shared: ModelProcess | None = None
_shared_by: int | None = None
_shared_lock = threading.Lock()


def shared_model_process() -> ModelProcess:
    """Return the model process that all calls in this Python process share; it is not started yet."""
    global _shared, _shared_by
    with _shared_lock:
        # After a fork the pipes still belong to the parent.
        if _shared is None or _shared_by != os.getpid():
            _shared, _shared_by = ModelProcess(), os.getpid()
            atexit.register(_shared.close)
        return _shared


class _Child:
    """One life of the model process. Three threads serve it: writing, reading, and keeping its log."""

    def __init__(self, remedy: str, at_once: int) -> None:
        self._remedy = remedy
        self._at_once = at_once
        self.device: Future[str] = Future()
        self.ended = False
        self.lacked_memory = False
        self._closing = False
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._answers: dict[int, Future[Any]] = {}
        self._listeners: dict[int, Callable[[Any], object]] = {}
        self._outbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._log: deque[str] = deque(maxlen=_LOG_LINES)
        self._process: subprocess.Popen[bytes] | None = None
        self._life = threading.Thread(target=self._live, name="model process", daemon=True)
        self._life.start()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def state(self) -> ProcessState:
        with self._lock:
            answers = list(self._answers.values())
        if self.ended:
            return ProcessState.STOPPED
        if not self.device.done():
            return ProcessState.STARTING
        if answers and all(answer.cancelled() for answer in answers):
            return ProcessState.CANCELLING
        return ProcessState.RUNNING if answers else ProcessState.READY

    def ask(
        self,
        message: Callable[[int], Message],
        progress: Callable[[Any], object] | None = None,
        patience: float | None = None,
    ) -> Future[Any]:
        """Send the message made for a request's number; the answer comes later."""
        answer: Future[Any] = Future()
        with self._lock:
            if self.ended:
                answer.set_exception(self._death_error())
                return answer
            number = next(self._numbers)
            self._answers[number] = answer
            if progress:
                self._listeners[number] = progress
            self._outbox.put(message(number))
        answer.add_done_callback(partial(self._pass_on_cancel, number, patience))
        return answer

    def close(self) -> None:
        self._closing = True
        self._outbox.put(None)
        self._life.join(_CLOSE_WITHIN)
        if self._life.is_alive() and self._process:
            self._process.kill()
            self._life.join(_CLOSE_WITHIN)

    def _live(self) -> None:
        command = [sys.executable, "-P", "-m", "napari_tiqa.jobs.process.worker"]
        pipe = subprocess.PIPE
        environment = _ENVIRONMENT | os.environ | _chosen
        if self._at_once < BATCH_SIZE:
            wanted = int(environment.get(_BATCH, BATCH_SIZE))
            environment[_BATCH] = str(min(wanted, self._at_once))
        try:
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
        except OSError as error:
            self._log.append(str(error))
            self._end()
            return
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        writer = threading.Thread(target=self._write, args=(process.stdin,), daemon=True)
        logger = threading.Thread(target=self._keep_log, args=(process.stderr,), daemon=True)
        writer.start()
        logger.start()
        try:
            while True:
                self._take(read_message(process.stdout))
        except EOFError:
            pass
        except Exception as error:  # no message of ours, as after an update under a running process
            self._log.append(repr(error))
            process.kill()
        self._outbox.put(None)
        writer.join()
        try:
            process.wait(_CLOSE_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        logger.join()
        process.stdout.close()
        process.stderr.close()
        self._end()

    def _write(self, pipe: IO[bytes]) -> None:
        with suppress(OSError):
            while (message := self._outbox.get()) is not None:
                write_message(pipe, message)
        with suppress(OSError):
            pipe.close()

    def _keep_log(self, pipe: IO[bytes]) -> None:
        for line in pipe:
            self._log.append(line.decode(errors="replace").rstrip())

    def _take(self, message: Message) -> None:
        if isinstance(message, Ready):
            self.device.set_result(message.device)
            return
        if isinstance(message, Progress):
            listener, answer = self._listeners.get(message.request), self._answers[message.request]
            if listener and not answer.cancelled():
                listener(message.value)
            return
        assert isinstance(message, Predicted | Returned | Failed | Skipped)
        with self._lock:
            answer = self._answers.pop(message.request)
            self._listeners.pop(message.request, None)
        if answer.set_running_or_notify_cancel():
            if isinstance(message, Predicted):
                answer.set_result(message.values)
            elif isinstance(message, Returned):
                answer.set_result(message.value)
            elif isinstance(message, Failed):
                answer.set_exception(message.error)

    def _pass_on_cancel(self, number: int, patience: float | None, answer: Future[Any]) -> None:
        if answer.cancelled():
            self._outbox.put(Cancel(number))
            timer = threading.Timer(patience or _STUCK_AFTER, self._kill_if_stuck, (number,))
            timer.daemon = True
            timer.start()

    def _kill_if_stuck(self, number: int) -> None:
        """End a child that is still busy with what was cancelled long ago, unless others wait for it."""
        with self._lock:
            unanswered = number in self._answers and self.device.done()
            stuck = unanswered and all(answer.cancelled() for answer in self._answers.values())
        if stuck and self._process:
            self._process.kill()

    def _end(self) -> None:
        with self._lock:
            self.ended = True
            answers, self._answers = list(self._answers.values()), {}
            code = self._process.returncode if self._process else 0
            wanted = any(not answer.cancelled() for answer in answers)
            self.lacked_memory = wanted and not self._closing and self._memory_ran_out(code)
        if not self.device.done():
            self.device.set_exception(self._death_error())
        for answer in answers:
            if answer.set_running_or_notify_cancel():
                answer.set_exception(self._death_error())

    def _memory_ran_out(self, code: int) -> bool:
        return -code in _NO_MEMORY or self._last_line().startswith("MemoryError")

    def _last_line(self) -> str:
        return next((line.strip() for line in reversed(self._log) if line.strip()), "no message")

    def _death_error(self) -> ModelProcessError:
        last_line = self._last_line()
        code = self._process.returncode if self._process else None
        if self._closing:
            sentence = f"The model process was closed before it had finished: {self._remedy}."
        elif not self.device.done() or self.device.exception():
            sentence = f"The model process could not start ({last_line.rstrip('.')}): check the installation."
        elif last_line.startswith("MemoryError"):
            sentence = f"The model process ran out of memory: close other programs, then {self._remedy}."
        elif code is not None and code < 0:
            name = signal.Signals(-code).name
            cause = " possibly out of memory;" if self._memory_ran_out(code) else ""
            sentence = f"The model process was ended by {name},{cause} {self._remedy}."
        else:
            sentence = f"The model process ended ({last_line.rstrip('.')}): {self._remedy}."
        error = ModelProcessError(sentence)
        error.add_note("Last lines of its log:\n" + "\n".join(list(self._log)[-20:]))
        return error
