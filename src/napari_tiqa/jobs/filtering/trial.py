"""One pipeline tried on the slices of a tuning or a comparison, and what came of it."""

from dataclasses import dataclass

import numpy as np

from napari_tiqa.filtering.parameter import Value
from napari_tiqa.filtering.pipeline import Pipeline


@dataclass(frozen=True)
class Trial:
    """A pipeline tried on some slices.

    `values` has one per variable of the tuning, none for what is not a setting of them, such as the
    unfiltered slices. The rest is per slice: scores, 1 to 5, for people to read; objectives, what settings
    are compared by, higher is better; per cent of edge steepness lost, NaN where a slice has no edges; and
    seconds that filtering took beside the other slices on the other cores. `failure` is a sentence that says
    why there are no scores, empty where there are; all numbers are then NaN.
    """

    values: tuple[Value, ...]
    pipeline: Pipeline
    slice_scores: tuple[float, ...]
    slice_objectives: tuple[float, ...]
    slice_detail_losses: tuple[float, ...]
    slice_seconds: tuple[float, ...]
    failure: str = ""

    @property
    def score(self) -> float:
        """Mean score over the slices."""
        return float(np.mean(self.slice_scores))

    @property
    def objective(self) -> float:
        """Mean objective over the slices."""
        return float(np.mean(self.slice_objectives))

    @property
    def detail_loss(self) -> float:
        """Mean detail loss, per cent, over the slices that have edges; NaN where none has."""
        known = [loss for loss in self.slice_detail_losses if np.isfinite(loss)]
        return float(np.mean(known)) if known else np.nan

    @property
    def seconds(self) -> float:
        """Median seconds to filter a slice: the first one also pays for what a library prepares once."""
        return float(np.median(self.slice_seconds))
