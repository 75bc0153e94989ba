"""Measures physical figures of the slices of runs, one run after another, without the model process."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_tiqa.errors import VolumeError
from napari_tiqa.jobs.process.record import volume_record
from napari_tiqa.jobs.quality.measure import MeasureProgress, measure_volume
from napari_tiqa.scoring.table import ScoredSlice, score_table
from napari_tiqa.volumes.region import CIRCLE, Region, as_region
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.widgets.quality.plotted import Plotted
from napari_tiqa.widgets.quality.run_shelf import ShelvedRun
from napari_tiqa.widgets.quality.score_run import NOT_SCORED, ScoreRun
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.read_layer import kept_dimensions, read_layer
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.wording import counted


class Measuring(QObject):
    """Has the figures of runs measured in a thread; the job belongs to the layer of the run under way.

    `plotted` tells which of them is looked at.
    """

    measured = Signal(object)  # ShelvedRun: it has further figures
    ended = Signal(object)  # ShelvedRun: its measuring came to an end, whatever it was
    said = Signal(str)
    problem = Signal(str, object)  # a sentence; the error, where the fault is ours

    def __init__(self, plotted: Callable[[], Plotted], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._plotted = plotted
        self.job = BackgroundJob("measuring")
        self._waiting: list[ShelvedRun] = []
        self._entry: ShelvedRun | None = None
        self._left_alone: set[str] = set()  # keys of runs that were cancelled, or cannot be measured
        self.job.progressed.connect(self._on_progress)
        self.job.ended.connect(self._on_ended)

    def try_again(self) -> None:
        """Measure also what was cancelled or could not be measured before, once it is asked for."""
        self._left_alone.clear()

    def ask(self, entries: Iterable[ShelvedRun]) -> None:
        """Measure what these runs lack."""
        self._waiting = [entry for entry in entries if self._is_wanted(entry)]
        if not self.job.state.busy:
            self._next()

    def cancel(self) -> None:
        """Stop; what is measured so far is kept."""
        self._left_alone |= {entry.run.key for entry in self._waiting}
        self._waiting = []
        self.job.cancel()

    def forget(self, entry: ShelvedRun) -> None:
        """Have nothing more to do with a run that was removed."""
        self._waiting = [other for other in self._waiting if other is not entry]
        if entry is self._entry:
            self.job.cancel()

    def _is_wanted(self, entry: ShelvedRun) -> bool:
        run = entry.run
        return bool(
            entry.layer is not None and run.ended and run.unmeasured and run.key not in self._left_alone
        )

    def _next(self) -> None:
        while self._waiting:
            entry = self._waiting.pop(0)
            try:
                verb = _measure(entry)
            except VolumeError as error:
                self._left_alone.add(entry.run.key)
                self.said.emit(str(error))
                continue
            self._entry = entry
            self.said.emit(f"Measuring {entry.run.name}.")
            self.job.run(verb, entry.layer)
            return

    def _on_progress(self, progress: MeasureProgress) -> None:
        if self._entry is not None:
            self._entry.run.figures[progress.index] = progress.figures
            self.measured.emit(self._entry)

    def _on_ended(self, outcome: JobOutcome) -> None:
        entry, self._entry = self._entry, None
        assert entry is not None
        run = entry.run
        done = len(run.rows) - len(run.unmeasured)
        if outcome.state is JobState.DONE:
            self.said.emit(self._plotted().sentence(run))
        else:
            self._left_alone.add(run.key)
        if outcome.state is JobState.FAILED:
            self.problem.emit(outcome.message, outcome.error)
        elif outcome.layer_gone:
            self.said.emit(outcome.message)
        elif outcome.state is JobState.CANCELLED:
            self.said.emit(f"Cancelled; the figures of {done} of {counted(len(run.rows), 'slice')} are kept.")
        self.ended.emit(entry)
        self._next()


def leave_unscored(run: ScoreRun, source: SliceSource) -> None:
    """Give a run the slices of a source without scores, to be measured."""
    axis, spacing = source.axis, run.spacing
    rows = [
        ScoredSlice(index, float(f"{index * spacing:.10g}"), np.nan, reason=NOT_SCORED)
        for index in range(run.asked)
    ]
    record = volume_record(source.volume, axis) | {"slices": run.asked, "complete": True}
    run.take_table(score_table(rows, record | ({"region": run.region.record()} if run.region else {})))
    run.ended = JobState.DONE.value


def _measure(entry: ShelvedRun) -> Callable[..., Any]:
    """Return what measures the slices of a run that have no figures yet."""
    run, layer = entry.run, entry.layer
    assert layer is not None
    if not entry.is_current:
        raise VolumeError(f"'{layer.name}' has other data than when it was scored: score it again.")
    position = [run.at.get(dimension, 0) for dimension in range(layer.ndim)]
    volume = read_layer(layer, position, run.dimension)
    kept = kept_dimensions(layer.ndim, run.dimension)
    axis = kept.index(run.dimension) if volume.data.ndim == 3 else 0
    if max(run.unmeasured) >= volume.slice_count(axis):
        raise VolumeError(f"'{layer.name}' has fewer slices than when it was scored: score it again.")
    return partial(
        measure_volume, volume, slices=run.unmeasured, axis=axis, region=_region(run, volume, axis)
    )


def _region(run: ScoreRun, volume: Volume, axis: int) -> Region | None:
    """Return what counts of a run's slices; of one from another session that is known of the circle only."""
    kept = run.record.get("region")
    if run.region is not None or kept is None:
        return run.region
    circle = as_region(CIRCLE, volume, axis)
    if circle is not None and circle.record() == kept:
        return circle
    raise VolumeError(
        f"The region '{kept['name']}' of {run.name} is not known any more: score it again to measure it."
    )
