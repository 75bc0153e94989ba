"""Tune parameters of a pipeline against the score."""

from dataclasses import dataclass

from napari_tiqa.jobs.trial import Trial


@dataclass(frozen=True)
class TuneProgress:
    """How far a tuning is.

    Attributes
    ----------
    done, total : int
        Settings tried, the unfiltered slices among them. `total` falls where there is nothing new to try.
    seconds_left : float or None
        None until a second setting tells how fast it goes.
    trial : Trial
        The setting that was tried last.
    best : Trial
        The one with the highest objective so far, the unfiltered slices where nothing is higher.
    """

    done: int
    total: int
    seconds_left: float | None
    trial: Trial
    best: Trial
