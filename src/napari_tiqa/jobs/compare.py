"""Compare whole pipelines on the same slices."""

from dataclasses import dataclass

import pandas as pd

from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.paired_gain import paired_gain
from napari_tiqa.jobs.trial import Trial

UNFILTERED = "unfiltered"
"""Name of the slices as they are, which every comparison has first."""


@dataclass(frozen=True)
class CompareProgress:
    """How far a comparison is.

    Attributes
    ----------
    done, total : int
        Pipelines, the unfiltered slices among them.
    seconds_left : float or None
        None until a second pipeline tells how fast it goes.
    name : str
        The pipeline that is done now.
    trial : Trial
        What came of it.
    """

    done: int
    total: int
    seconds_left: float | None
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
    complete : bool
        False where it was cancelled before all pipelines were tried.
    """

    trials: dict[str, Trial]
    slices: tuple[int, ...]
    complete: bool = True

    @property
    def pipelines(self) -> dict[str, Pipeline]:
        """The pipelines by their names, automatic ring centres settled."""
        return {name: trial.pipeline for name, trial in self.trials.items()}

    @property
    def rows(self) -> pd.DataFrame:
        """A row per pipeline and slice: pipeline, slice, score, objective, detail_loss (%), seconds."""
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
        return pd.concat(parts, ignore_index=True)

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
            gain = paired_gain(trial.slice_objectives, nothing.slice_objectives)
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
