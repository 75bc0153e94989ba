"""A pipeline tried on one slice: filtered, scored before and after, its detail measured. Knows no Qt."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_tiqa.errors import Cancelled
from napari_tiqa.filtering.parameter import Value
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.filtering.settled import settled
from napari_tiqa.filtering.slice_frame import Kernel, filter_slice
from napari_tiqa.jobs.filtering.objective import DETAIL_LOSS, OBJECTIVE, score_slices
from napari_tiqa.scoring.table import ScoredSlice
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.volumes.window_estimate import estimate_window
from napari_tiqa.widgets.shared.slice_source import SliceSource

# Threads that Python waits for when it ends: in the middle of OpenCV, those of a dock's jobs would abort it.
_WORKERS = ThreadPoolExecutor(4, thread_name_prefix="napari-tiqa filter")


@dataclass(frozen=True)
class Judged:
    """A slice's score, what settings are ranked by (docks call it fidelity, 0 to 1), and its detail lost (%).

    NaN: fidelity that cannot be told, and detail of a slice without edges to measure.
    """

    row: ScoredSlice
    objective: float
    detail_loss: float


@dataclass(frozen=True)
class StepBegun:
    """A filter has begun to work on the slice, which has so many pixels."""

    step: Step
    pixels: int


@dataclass(frozen=True)
class StepEnded:
    """A filter has finished its work on the slice, in so many seconds."""

    step: Step
    pixels: int
    seconds: float


@dataclass(frozen=True, eq=False)
class FilteredSlice:
    """A slice before and after a pipeline, to be shown while it is scored.

    `settled` is the pipeline with what its filters found by themselves (the ring centre). Both slices have
    the volume's dtype.
    """

    pipeline: Pipeline
    settled: Pipeline
    before: np.ndarray
    after: np.ndarray


@dataclass(frozen=True)
class SliceTrial:
    """What a pipeline did to a slice."""

    pipeline: Pipeline
    before: Judged
    after: Judged


class SliceAtWork:
    """One slice, with what is computed of it only once; to be used by one thread at a time."""

    def __init__(self, source: SliceSource) -> None:
        self.source = source
        self._plane: np.ndarray | None = None
        self._window = source.window
        self._scores_before: dict[Path | None, Judged] = {}
        # By filter and parameter: what a filter found of this slice by itself.
        self._found: dict[tuple[str, str], Value] = {}
        # After each step of the last trial: the steps before the one whose slider moves need not run again.
        self._kept: list[tuple[Step, np.ndarray]] = []

    def try_pipeline(
        self,
        pipeline: Pipeline,
        model: Path | None,
        report: Callable[[Any], None],
        cancel: threading.Event,
    ) -> SliceTrial:
        """Filter and score the slice; `cancel` ends the work before the next filter, or while it scores.

        `report` gets the volume's IntensityWindow once it was estimated, StepBegun and StepEnded for each
        filter, and the FilteredSlice before it is scored.
        """
        plane, window = self._read(report)
        ready = self._settled(pipeline, plane, window)
        if cancel.is_set():
            raise Cancelled("The preview was cancelled.")
        after = _WORKERS.submit(self._filter, plane, window, ready, report, cancel).result()
        report(FilteredSlice(pipeline, ready, plane, after))
        if not any(step.on for step in pipeline.steps):
            before = self._score([], window, model, cancel)[0]
            return SliceTrial(pipeline, before, before)
        return SliceTrial(pipeline, *self._score([after], window, model, cancel))

    def _read(self, report: Callable[[Any], None]) -> tuple[np.ndarray, IntensityWindow]:
        if self._plane is None:
            self._plane = self.source.volume.slice(self.source.axis, self.source.index)
        if self._window is None:
            self._window = estimate_window(self.source.volume)
            report(self._window)
        return self._plane, self._window

    def _settled(self, pipeline: Pipeline, plane: np.ndarray, window: IntensityWindow) -> Pipeline:
        """Fill in what filters find by themselves; they look only once, since that may take long."""
        for (name, parameter), value in self._found.items():
            for number, step in enumerate(pipeline.steps):
                if step.filter == name and step.parameters[parameter] is None:
                    pipeline = pipeline.with_parameter(number, parameter, value)
        ready = settled(pipeline, as_volume(plane).tomogram(), window, 0)
        for step, found in zip(pipeline.steps, ready.steps, strict=True):
            for parameter, value in step.parameters.items():
                if value is None and found.parameters[parameter] is not None:
                    self._found[step.filter, parameter] = found.parameters[parameter]
        return ready

    def _filter(
        self,
        plane: np.ndarray,
        window: IntensityWindow,
        pipeline: Pipeline,
        report: Callable[[Any], None],
        cancel: threading.Event,
    ) -> np.ndarray:
        """Apply a pipeline step by step, so that the dock can follow it."""
        steps = [step for step in pipeline.steps if step.on]
        last, self._kept = self._kept, []

        def watched(number: int, step: Step) -> Kernel:
            kernel = step.definition.kernel(step.parameters)

            def filtered(pixels: np.ndarray, inside: np.ndarray) -> np.ndarray:
                if cancel.is_set():
                    raise Cancelled("The preview was cancelled.")
                if [kept for kept, _ in last[: number + 1]] == steps[: number + 1]:
                    result = last[number][1]
                else:
                    report(StepBegun(step, pixels.size))
                    begun = time.perf_counter()
                    result = kernel(pixels, inside)
                    report(StepEnded(step, pixels.size, time.perf_counter() - begun))
                self._kept.append((step, result))
                return result

            return filtered

        return filter_slice(plane, [watched(number, step) for number, step in enumerate(steps)], window)

    def _score(
        self, planes: list[np.ndarray], window: IntensityWindow, model: Path | None, cancel: threading.Event
    ) -> list[Judged]:
        """Return the slice's own score and those of its filtered versions."""
        known = self._scores_before.get(model)
        if known is not None and not planes:
            return [known]
        assert self._plane is not None
        asked = planes if known is not None else [self._plane, *planes]
        unfiltered = [self._plane] * len(asked)
        table = score_slices(asked, window, model, unfiltered=unfiltered, cancel=cancel)
        columns = table[list(ScoredSlice._fields)].itertuples(index=False, name=None)
        figures = table[[OBJECTIVE, DETAIL_LOSS]].itertuples(index=False, name=None)
        judged = [
            Judged(ScoredSlice._make(row), *map(float, values))
            for row, values in zip(columns, figures, strict=True)
        ]
        if known is None:
            self._scores_before[model] = judged[0]
            return judged
        return [known, *judged]
