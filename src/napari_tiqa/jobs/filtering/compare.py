"""Compare whole pipelines on the same slices."""

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from napari_tiqa.arguments import checked_arguments
from napari_tiqa.errors import Cancelled, FilterError, TiqaError
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.filtering.bench import TrialBench
from napari_tiqa.jobs.filtering.gain import NOT_SIGNIFICANT, Gain, improvement, level, paired_gain
from napari_tiqa.jobs.filtering.objective import FIDELITY
from napari_tiqa.jobs.filtering.trial import Trial
from napari_tiqa.progress import Pace, Progress
from napari_tiqa.volumes.slice_grammar import Slices
from napari_tiqa.volumes.window import IntensityWindow

UNFILTERED = "unfiltered"
"""Name of the slices as they are, which every comparison has first."""


@dataclass(frozen=True)
class CompareProgress(Progress):
    """How far a comparison is, in pipelines, the unfiltered slices among them; what is done now."""

    name: str
    trial: Trial


@dataclass(frozen=True)
class Comparison:
    """Pipelines on the same slices.

    Attributes
    ----------
    trials : dict of str to Trial
        By the pipeline's name, the unfiltered slices first.
    slices : tuple of int
        Indices along the axis.
    aim : str
        What pipelines are compared by: "fidelity" or "score".
    complete : bool
        False where it was cancelled before all pipelines were tried.
    record : dict
        What it was made with, JSON-able: volume, axis, window, model, slices.
    """

    trials: dict[str, Trial]
    slices: tuple[int, ...]
    aim: str = FIDELITY
    complete: bool = True
    record: dict[str, Any] = field(default_factory=dict)

    @property
    def pipelines(self) -> dict[str, Pipeline]:
        """The pipelines by their names, automatic ring centres settled."""
        return {name: trial.pipeline for name, trial in self.trials.items()}

    @property
    def rows(self) -> pd.DataFrame:
        """A row per pipeline and slice, ``attrs`` the record with the pipelines.

        Columns: pipeline, slice, score, objective, detail_loss (per cent), seconds.
        """
        parts = [
            pd.DataFrame(
                {
                    "pipeline": name,
                    "slice": self.slices,
                    "score": trial.slice_scores,
                    "objective": trial.slice_objectives,
                    "detail_loss": trial.slice_detail_losses,
                    "seconds": trial.slice_seconds,
                }
            )
            for name, trial in self.trials.items()
        ]
        rows = pd.concat(parts, ignore_index=True)
        pipelines = {name: pipeline.to_dict() for name, pipeline in self.pipelines.items()}
        rows.attrs.update(self.record, pipelines=pipelines, complete=self.complete)
        return rows

    def table(self) -> pd.DataFrame:
        """Return a row per pipeline, the unfiltered slices first.

        Returns
        -------
        pandas.DataFrame
            Columns: pipeline; score (mean); spread (standard deviation of the slices' scores, NaN of one
            slice); objective (mean); gain over the unfiltered slices and half the width of its 90 % interval
            (``paired_gain``); better (whether that is sure); detail_loss, per cent; seconds per slice;
            failure, a sentence where a pipeline could not be applied.
        """
        nothing = self.trials[UNFILTERED]
        rows = []
        for name, trial in self.trials.items():
            gain = self._gain(trial, nothing)
            rows.append(
                {
                    "pipeline": name,
                    "score": trial.score,
                    "spread": pd.Series(trial.slice_scores).std(),
                    "objective": trial.objective,
                    "gain": gain.mean,
                    "gain_half_width": gain.half_width if trial is not nothing else 0.0,
                    "better": gain.is_sure,
                    "detail_loss": trial.detail_loss,
                    "seconds": trial.seconds,
                    "failure": trial.failure,
                }
            )
        return pd.DataFrame(rows)

    def _gain(self, trial: Trial, over: Trial) -> Gain:
        return paired_gain(trial.slice_objectives, over.slice_objectives, self.aim)

    def sentence(self) -> str:
        """Return which pipeline is best for people, one sentence."""
        ranked = sorted(
            (name for name, trial in self.trials.items() if not trial.failure),
            key=lambda name: -self.trials[name].objective,
        )
        best = self.trials[ranked[0]]
        nothing = self.trials[UNFILTERED]
        gain = self._gain(best, nothing)
        if not gain.is_sure:
            return (
                f"No pipeline is significantly better (90 % interval) than the unfiltered slices "
                f"({level(nothing, self.aim)}); {ranked[0]} has the highest {self.aim}."
            )
        text = f"Best is {ranked[0]}: {improvement(best, nothing, gain, self.aim)} unfiltered"
        as_good = [name for name in ranked[1:] if not self._gain(best, self.trials[name]).is_sure]
        if as_good:
            text += f"; its lead over {' or '.join(as_good)} is {NOT_SIGNIFICANT}"
        return f"{text}."


@checked_arguments
def compare(
    volume: Any,
    pipelines: Mapping[str, Pipeline],
    *,
    slices: Slices = None,
    axis: int | str = 0,
    model: str | os.PathLike[str] | None = None,
    window: IntensityWindow | tuple[float, float] | None = None,
    aim: str = FIDELITY,
    resume: str | os.PathLike[str] | None = None,
    client: Any = None,
    progress: Callable[[CompareProgress], object] | None = None,
    cancel: threading.Event | None = None,
) -> Comparison:
    """Try pipelines on the same slices, beside the slices as they are; Fig. 4 of Zhang et al. 2022.

    Parameters
    ----------
    volume : Volume, array-like or path
        Shape (z, y, x) or (y, x), any real dtype.
    pipelines : mapping of str to Pipeline
        By names for people. Automatic ring centres are found once, in the middle slice.
    slices : slice or iterable of int, optional
        As in ``score_volume``; five, evenly spread, where omitted.
    axis : int or str
        Along which slices are cut: 0, 1, 2 or "z", "y", "x".
    model : path-like, optional
        A model bundle; the default model where omitted.
    window : IntensityWindow or (low, high), optional
        Overrides the volume's own, which is estimated from the unfiltered volume, once.
    aim : str
        What pipelines are ranked by: "fidelity", nearness to the truth, or "score", what people would say.
    resume : path-like, optional
        A file in which each trial is kept as soon as it is done: after any end, the same call with the same
        file resumes there, with the same result. It is removed at the end.
    client : distributed.Client or str, optional
        A dask.distributed cluster, or its scheduler's address, whose workers filter and judge the slices; see
        ``score_volume``.
    progress : callable, optional
        Called in this thread with a CompareProgress after each pipeline.
    cancel : threading.Event, optional
        Set it, from any thread, to end in less than a second; a slow filter may end later by itself.

    Returns
    -------
    Comparison
        Not `complete` if it was cancelled after at least one pipeline had been tried. A pipeline that cannot
        be applied is in it with the reason.

    Raises
    ------
    FilterError
        If there is no pipeline, or one has the name `UNFILTERED`.
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
        If `cancel` was set before any pipeline had been tried.
    """
    if not pipelines:
        raise FilterError("There is nothing to compare: give at least one pipeline.")
    if UNFILTERED in pipelines:
        raise FilterError(
            f"'{UNFILTERED}' is the name of the slices as they are: name the pipeline otherwise."
        )
    with TrialBench(
        volume, slices, axis, model, window, aim, cancel or threading.Event(), resume, client
    ) as bench:
        trials = {UNFILTERED: bench.unfiltered}
        pace = Pace(1 + len(pipelines))

        def report(name: str) -> None:
            left = pace.seconds_left(len(trials))
            if progress:
                progress(CompareProgress(len(trials), pace.total, left, name, trials[name]))

        report(UNFILTERED)
        try:
            settings = (((), bench.settled(pipeline)) for pipeline in pipelines.values())
            for name, trial in zip(pipelines, bench.tried(settings), strict=True):
                trials[name] = trial
                report(name)
        except Cancelled:
            if len(trials) == 1:
                raise
            return Comparison(trials, bench.indices, aim, False, bench.record)
        except TiqaError as error:
            error.table = Comparison(trials, bench.indices, aim, False, bench.record).rows
            raise
        bench.kept.finish()
        return Comparison(trials, bench.indices, aim, True, bench.record)
