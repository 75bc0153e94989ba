"""One piece of work at a time in a thread of its own, with the state that drives a dock's buttons."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from qtpy.QtCore import QObject, Signal, Slot

from napari_tiqa.errors import NO_MEMORY, Cancelled, TiqaError

Work = Callable[[Callable[[Any], None], threading.Event], Any]
"""What a job does: called with a function to report progress and an event that is set to cancel."""

_log = logging.getLogger(__name__)
_QUIT_WITHIN = 2.0  # s
# Jobs whose thread runs: the last reference must go in the main thread, where their signals are delivered.
_under_way: set["BackgroundJob"] = set()


class JobState(Enum):
    """Where a job stands; every button of the dock is enabled or not by this alone."""

    IDLE = "idle"
    STARTING = "starting"
    RUNNING = "running"
    CANCELLING = "cancelling"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def cancellable(self) -> bool:
        """Whether a job is under way that nobody has cancelled yet."""
        return self in (JobState.STARTING, JobState.RUNNING)

    @property
    def busy(self) -> bool:
        """Whether a job is under way, so that no other can start."""
        return self in (JobState.STARTING, JobState.RUNNING, JobState.CANCELLING)


@dataclass(frozen=True)
class JobOutcome:
    """How a job ended.

    `result` is what the work returned; where it was not done, the table that the error brought, mostly None.
    `message` is then the sentence for the user; `error`, for napari's traceback viewer, is set where the
    fault is ours.

    `layer` is the one that the job was started on: a result is shown for it and for no other. Where it was
    removed or got other data meanwhile, the job counts as cancelled whatever its work came to, there is no
    `result`, and `layer_gone` is True; `of_gone_layer` is then what the work brought, which is of that layer
    and its former data only. `data_replaced` tells the two apart.
    """

    state: JobState
    result: Any = None
    message: str = ""
    error: Exception | None = None
    layer: Any = None
    layer_gone: bool = False
    of_gone_layer: Any = None
    data_replaced: bool = False


class BackgroundJob(QObject):
    """Works in a thread; all signals arrive in the thread that this object lives in.

    It has no Qt parent, and is held while its thread runs, so that it outlives a dock closed in the middle.
    Its name says what it does, for the thread and the sentences on its end: "preparing images".

    A job that is started on a `layer` belongs to it and to its data: once the layer is removed from the
    viewer, or is given other data, the work is cancelled, and its outcome says so in one sentence and has
    nothing to apply. ``DockPanel._end_with_dock`` has the job told of removed layers. Another layer chosen
    meanwhile changes nothing: who shows a result asks ``outcome.layer``, or ``job.layer`` while it runs,
    whether it is the one shown.
    """

    state_changed = Signal(object)  # JobState
    progressed = Signal(object)  # whatever the work reports
    ended = Signal(object)  # JobOutcome

    # From the worker thread to this object's own.
    _progress_made = Signal(object)
    _thread_ended = Signal(object)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.state = JobState.IDLE
        self.layer: Any = None  # of the work under way, else of the last
        self._layer_gone = ""  # what became of the layer, once it was removed or got other data
        self._data_replaced = False
        self.name = name
        self._cancel = threading.Event()
        self._thread: threading.Thread | None = None
        self._progress_made.connect(self._on_progress)
        self._thread_ended.connect(self._on_thread_ended)

    def start(self, work: Work, layer: Any = None) -> bool:
        """Start, on a layer where the work is of one, and return at once; False when work is under way."""
        if self.state.busy:
            return False
        self.layer, self._layer_gone, self._data_replaced = layer, "", False
        if layer is not None:
            layer.events.data.connect(self._on_layer_data)
        self._cancel = threading.Event()
        _under_way.add(self)
        self._set_state(JobState.STARTING)
        self._thread = threading.Thread(
            target=self._do, args=(work, self._cancel), name=f"napari-tiqa {self.name}", daemon=True
        )
        self._thread.start()
        return True

    def run(self, verb: Callable[..., Any], layer: Any = None) -> bool:
        """Start a verb of the core that only lacks ``progress`` and ``cancel``: a ``partial`` of it."""
        return self.start(lambda report, cancel: verb(progress=report, cancel=cancel), layer)

    def cancel(self) -> None:
        """Ask the work to stop; `ended` follows."""
        self._cancel.set()
        if self.state.cancellable:
            self._set_state(JobState.CANCELLING)

    def layer_removed(self, layer: Any) -> None:
        """End the work that belongs to a layer which was taken out of the viewer."""
        if layer is self.layer and self.state.busy:
            self._layer_gone = f"'{layer.name}' was removed"
            self.cancel()

    def _on_layer_data(self, _event: object = None) -> None:
        if self.state.busy and not self._layer_gone:
            self._layer_gone, self._data_replaced = f"'{self.layer.name}' has other data now", True
            self.cancel()

    def abandon(self) -> None:
        """Cancel and wait for the thread, for two seconds at most: napari is quitting."""
        self._cancel.set()
        if self._thread is not None:
            self._thread.join(_QUIT_WITHIN)

    def _set_state(self, state: JobState) -> None:
        self.state = state
        self.state_changed.emit(state)

    @Slot(object)
    def _on_progress(self, progress: object) -> None:
        if self.state is JobState.STARTING:
            self._set_state(JobState.RUNNING)
        self.progressed.emit(progress)

    @Slot(object)
    def _on_thread_ended(self, outcome: JobOutcome) -> None:
        _under_way.discard(self)
        if self.layer is not None:
            self.layer.events.data.disconnect(self._on_layer_data)
        outcome = replace(outcome, layer=self.layer)
        if self._layer_gone:
            # Also where the work was done just before: there is nothing that its result is of.
            outcome = JobOutcome(
                JobState.CANCELLED,
                message=f"{self._layer_gone}, so {self.name} was stopped.",
                layer=self.layer,
                layer_gone=True,
                of_gone_layer=outcome.result,
                data_replaced=self._data_replaced,
            )
        self._set_state(outcome.state)
        self.ended.emit(outcome)

    def _do(self, work: Work, cancel: threading.Event) -> None:
        try:
            outcome = JobOutcome(JobState.DONE, work(self._progress_made.emit, cancel))
        except Cancelled as error:
            outcome = JobOutcome(JobState.CANCELLED, error.table, str(error))
        except TiqaError as error:
            outcome = JobOutcome(JobState.FAILED, error.table, str(error))
        except MemoryError:
            outcome = JobOutcome(JobState.FAILED, message=NO_MEMORY)
        except Exception as error:
            _log.exception("%s failed", self.name)
            message = f"An unexpected {type(error).__name__} ended {self.name}: {error}"
            outcome = JobOutcome(JobState.FAILED, message=message, error=error)
        self._thread_ended.emit(outcome)
