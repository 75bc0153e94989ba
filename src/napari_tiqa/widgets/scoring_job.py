"""One scoring job at a time: a worker thread around the core, and the state that drives the dock."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import pandas as pd
from qtpy.QtCore import QObject, Signal, Slot

from napari_tiqa.errors import Cancelled, TiqaError
from napari_tiqa.jobs.quality_map import MapProgress, QualityMap, score_map
from napari_tiqa.jobs.score import ScoreProgress, score_volume
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow

_log = logging.getLogger(__name__)
_QUIT_WITHIN = 2.0  # s
# Jobs whose thread runs: the last reference must go in the main thread, where their signals are delivered.
_under_way: set["ScoringJob"] = set()


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
    def busy(self) -> bool:
        """Whether a job is under way, so that no other can start."""
        return self in (JobState.STARTING, JobState.RUNNING, JobState.CANCELLING)


@dataclass(frozen=True)
class ScoringRequest:
    """Which slices to score, frozen in the main thread: a job never sees a widget, a layer or the viewer."""

    volume: Volume
    axis: int
    slices: tuple[int, ...]
    model: Path | None = None
    window: IntensityWindow | None = None
    tiles: str = "whole"

    def run(self, progress: Callable[[ScoreProgress], object], cancel: threading.Event) -> pd.DataFrame:
        """Score them."""
        return score_volume(
            self.volume,
            self.axis,
            self.model,
            self.slices,
            progress,
            window=self.window,
            cancel=cancel,
            tiles=self.tiles,
        )


@dataclass(frozen=True)
class MapRequest:
    """Which slice to map, frozen in the main thread."""

    volume: Volume
    axis: int
    index: int
    model: Path | None = None
    window: IntensityWindow | None = None

    def run(self, progress: Callable[[MapProgress], object], cancel: threading.Event) -> QualityMap:
        """Map it."""
        return score_map(
            self.volume,
            self.index,
            self.axis,
            self.model,
            self.window,
            progress=progress,
            cancel=cancel,
        )


@dataclass(frozen=True)
class ScoringOutcome:
    """How a job ended, and where it was not done: the sentence for the user."""

    state: JobState
    table: pd.DataFrame | None = None  # of a job that was not done: what it had scored, where that is known
    quality_map: QualityMap | None = None
    message: str = ""
    error: Exception | None = None  # set where the fault is ours, for napari's traceback viewer


class ScoringJob(QObject):
    """Scores in a thread; all signals arrive in the thread that this object lives in.

    It has no Qt parent, and is held while its thread runs, so that it outlives a dock closed in the middle.
    """

    state_changed = Signal(object)  # JobState
    progressed = Signal(object)  # ScoreProgress or MapProgress
    ended = Signal(object)  # ScoringOutcome

    # From the worker thread to this object's own.
    _progress_made = Signal(object)
    _thread_ended = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.state = JobState.IDLE
        self._cancel = threading.Event()
        self._thread: threading.Thread | None = None
        self._progress_made.connect(self._on_progress)
        self._thread_ended.connect(self._on_thread_ended)

    def start(self, request: ScoringRequest | MapRequest) -> bool:
        """Start and return at once; False when a job is already under way."""
        if self.state.busy:
            return False
        self._cancel = threading.Event()
        _under_way.add(self)
        self._set_state(JobState.STARTING)
        self._thread = threading.Thread(
            target=self._work, args=(request, self._cancel), name="napari-tiqa scoring", daemon=True
        )
        self._thread.start()
        return True

    def cancel(self) -> None:
        """Ask the job to stop; `ended` follows within a second."""
        self._cancel.set()
        if self.state in (JobState.STARTING, JobState.RUNNING):
            self._set_state(JobState.CANCELLING)

    def abandon(self) -> None:
        """Cancel and wait for the thread, for two seconds at most: napari is quitting."""
        self._cancel.set()
        if self._thread is not None:
            self._thread.join(_QUIT_WITHIN)

    def _set_state(self, state: JobState) -> None:
        self.state = state
        self.state_changed.emit(state)

    @Slot(object)
    def _on_progress(self, progress: ScoreProgress | MapProgress) -> None:
        if self.state is JobState.STARTING:
            self._set_state(JobState.RUNNING)
        self.progressed.emit(progress)

    @Slot(object)
    def _on_thread_ended(self, outcome: ScoringOutcome) -> None:
        _under_way.discard(self)
        self._set_state(outcome.state)
        self.ended.emit(outcome)

    def _work(self, request: ScoringRequest | MapRequest, cancel: threading.Event) -> None:
        try:
            result = request.run(self._progress_made.emit, cancel)
            if isinstance(result, QualityMap):
                outcome = ScoringOutcome(JobState.DONE, quality_map=result)
            else:
                outcome = ScoringOutcome(JobState.DONE, result)
        except Cancelled as error:
            outcome = ScoringOutcome(JobState.CANCELLED, error.table, message=str(error))
        except TiqaError as error:
            outcome = ScoringOutcome(JobState.FAILED, error.table, message=str(error))
        except Exception as error:
            _log.exception("scoring failed")
            message = f"Scoring stopped on an unexpected {type(error).__name__}: {error}"
            outcome = ScoringOutcome(JobState.FAILED, message=message, error=error)
        self._thread_ended.emit(outcome)
