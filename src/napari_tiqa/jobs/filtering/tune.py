"""Tune parameters of a pipeline against the score."""

import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from napari_tiqa.arguments import checked_arguments
from napari_tiqa.errors import Cancelled, FilterError, TiqaError
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.filtering.bench import Setting, TrialBench
from napari_tiqa.jobs.filtering.objective import FIDELITY
from napari_tiqa.jobs.filtering.search import METHODS, Search, search
from napari_tiqa.jobs.filtering.trial import Trial
from napari_tiqa.jobs.filtering.tuning import Tuning, leading
from napari_tiqa.jobs.filtering.variables import Variable, variables, with_values
from napari_tiqa.progress import Pace, Progress
from napari_tiqa.volumes.slice_grammar import Slices
from napari_tiqa.volumes.window import IntensityWindow

DEFAULT_TRIALS = 40
"""Settings to try where nothing is said."""


@dataclass(frozen=True)
class TuneProgress(Progress):
    """How far a tuning is, in pipelines tried, the unfiltered slices among them.

    `total` falls where there is nothing new to try; `trial` is the last one, `best` the one with the highest
    objective so far, the unfiltered slices where nothing is higher.
    """

    trial: Trial
    best: Trial


@checked_arguments
def tune(
    volume: Any,
    pipeline: Pipeline,
    parameters: Iterable[str | Variable] | str | Variable | None = None,
    *,
    slices: Slices = None,
    axis: int | str = 0,
    model: str | os.PathLike[str] | None = None,
    window: IntensityWindow | tuple[float, float] | None = None,
    aim: str = FIDELITY,
    method: str = METHODS[0],
    trials: int = DEFAULT_TRIALS,
    resume: str | os.PathLike[str] | None = None,
    client: Any = None,
    progress: Callable[[TuneProgress], object] | None = None,
    cancel: threading.Event | None = None,
) -> Tuning:
    """Find the values of a pipeline's parameters that score best.

    Parameters
    ----------
    volume : Volume, array-like or path
        Shape (z, y, x) or (y, x), any real dtype.
    pipeline : Pipeline
        Steps that are off stay off. Automatic ring centres are found once, in the middle slice.
    parameters : iterable of str or Variable, optional
        What to vary, "gaussian.sigma=0.3:4"; see ``jobs.filtering.variables``. Every parameter worth tuning
        where omitted.
    slices : slice or iterable of int, optional
        On which slices settings are tried, as in ``score_volume``; five, evenly spread, where omitted.
    axis : int or str
        Along which slices are cut: 0, 1, 2 or "z", "y", "x".
    model : path-like, optional
        A model bundle; the default model where omitted.
    window : IntensityWindow or (low, high), optional
        Overrides the volume's own, which is estimated from the unfiltered volume, once.
    aim : str
        What settings are compared by: "fidelity", nearness to the truth, or "score", what people would say.
    method : str
        "optimise": Optuna's tree-structured Parzen estimator, which begins with the pipeline as given; or
        every setting, where there are no more than `trials`. "sweep": a regular grid over one parameter (a
        curve) or two (a map), with equal factors where the parameter is logarithmic.
    trials : int
        Settings to try, at most.
    resume : path-like, optional
        A file in which each trial is kept as soon as it is done: after any end, the same call with the same
        file resumes there, with the same result. It is removed at the end.
    client : distributed.Client or str, optional
        A dask.distributed cluster, or its scheduler's address, whose workers filter and judge the slices; see
        ``score_volume``.
    progress : callable, optional
        Called in this thread with a TuneProgress after each pipeline.
    cancel : threading.Event, optional
        Set it, from any thread, to end in less than a second; a slow filter may end later by itself.

    Returns
    -------
    Tuning
        Not `complete` if it was cancelled after at least one setting had been tried.

    Raises
    ------
    FilterError
        If there is nothing to tune, an unknown parameter, a bad range, or no setting can be applied.
    VolumeError
        If the volume cannot be read, has no contrast or no such slices, or one of them has no score.
    BundleError
        If the model cannot be used.
    ModelProcessError
        If the model process cannot start or dies; what was tried before is its ``table``.
    ResumeError
        If `resume` is of another run, in use, or cannot be written.
    ClusterError
        If `client` does not answer, or its workers cannot do the work.
    Cancelled
        If `cancel` was set before any setting had been tried.
    """
    varied = variables(pipeline, parameters)
    search(method, pipeline, varied, trials)  # what cannot be searched is refused before anything is read
    with TrialBench(
        volume, slices, axis, model, window, aim, cancel or threading.Event(), resume, client
    ) as bench:
        pipeline = bench.settled(pipeline)
        way = search(method, pipeline, varied, trials)
        return _Run(bench, pipeline, varied, method, aim, way, progress).tune()


class _Run:
    """One tuning under way."""

    def __init__(
        self,
        bench: TrialBench,
        pipeline: Pipeline,
        varied: tuple[Variable, ...],
        method: str,
        aim: str,
        way: Search,
        progress: Callable[[TuneProgress], object] | None,
    ) -> None:
        self._bench, self._pipeline, self._varied, self._method = bench, pipeline, varied, method
        self._aim, self._way, self._progress = aim, way, progress
        self._pace = Pace(0)
        self._nothing = replace(
            bench.unfiltered, pipeline=_switched_off(pipeline, range(len(pipeline.steps)))
        )
        self._rest = _switched_off(pipeline, {variable.step for variable in varied})
        self._without: Trial | None = None
        self._trials: list[Trial] = []

    def tune(self) -> Tuning:
        self._report(self._nothing)
        try:
            for trial in self._bench.tried(self._settings()):
                if not trial.values:
                    self._without = trial
                else:
                    self._trials.append(trial)
                    self._way.tell(trial.values, trial.objective)
                self._report(trial)
        except Cancelled:
            if not self._usable():
                raise
            return self._result(complete=False)
        except TiqaError as error:
            if self._usable():
                error.table = self._result(complete=False).table()
            raise
        if not self._usable():
            raise FilterError(self._trials[0].failure)
        self._bench.kept.finish()
        return self._result(complete=True)

    def _settings(self) -> Iterator[Setting]:
        if any(step.on for step in self._rest.steps):
            yield (), self._rest
        for values in self._way.settings():
            yield values, with_values(self._pipeline, self._varied, values)

    def _usable(self) -> list[Trial]:
        return [trial for trial in self._trials if not trial.failure]

    def _report(self, trial: Trial) -> None:
        done = 1 + (self._without is not None) + len(self._trials)
        self._pace.total = 1 + any(step.on for step in self._rest.steps) + self._way.total
        left = self._pace.seconds_left(done)
        best = leading([self._nothing, *filter(None, [self._without]), *self._trials])
        if self._progress:
            self._progress(TuneProgress(done, self._pace.total, left, trial, best))

    def _result(self, complete: bool) -> Tuning:
        return Tuning(
            self._pipeline,
            self._varied,
            self._method,
            self._aim,
            self._bench.indices,
            self._nothing,
            self._without,
            tuple(self._trials),
            complete,
            self._bench.record,
        )


def _switched_off(pipeline: Pipeline, off: Collection[int]) -> Pipeline:
    """Return the pipeline with some steps switched off, which keep their places and their parameters."""
    return Pipeline(
        replace(step, on=step.on and number not in off) for number, step in enumerate(pipeline.steps)
    )
