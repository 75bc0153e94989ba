"""What a study of quality against segmentation has found: its tables and the sentence that sums them up."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from napari_tiqa.learning.measures.measures import plcc, srocc
from napari_tiqa.segmentation.native_distortions import ORIGINAL
from napari_tiqa.segmentation.trained_on import trained_sentence

MEASURES = ("score", "f1", "iou", "uncertainty")
"""Columns of the table that are shown side by side."""

TITLES = {
    "score": "score (1 worst, 5 best)",
    "f1": "F1 of the phase",
    "iou": "IoU of the phase",
    "uncertainty": "mean uncertainty (nats)",
}
"""What each measure is called on an axis."""

LEVELS = range(6)
"""The original and levels 1 to 5."""

LIMITS = {"score": (0.8, 5.2), "f1": (-0.03, 1.03), "iou": (-0.03, 1.03)}
"""Ends of an axis, so that figures can be compared; uncertainty is shown as far as it goes."""

POOLED = "all"
"""Where a correlation is over the versions of all distortions."""

TRUTH = "truth"
"""The curve of the labels themselves, where others are called by their distortion."""

_AGAINST = ("f1", "iou", "uncertainty")
_LEAST_VERSIONS = 3  # through two points there is always a line
_HARDLY = 0.02  # difference of correlations that is not worth a sentence


class StudiedVersion(NamedTuple):
    """One version of one slice: a row of the table.

    Its distortion is "blur", "noise", "ring", or "original", whose level is 0; others have 1 to 5. The score,
    1 (worst) to 5 (best), is NaN where it cannot be scored; F1 and IoU of the phase, 0 to 1, are NaN where it
    is in neither labels nor segmentation; accuracy is the share of the labelled pixels that have their class;
    uncertainty the mean entropy over the slice, nats; and errors_found the share of the wrong pixels among
    the 20 % most uncertain ones, NaN where none is wrong.
    """

    slice: int
    distortion: str
    level: int
    score: float
    f1: float
    iou: float
    accuracy: float
    uncertainty: float
    errors_found: float


@dataclass(frozen=True)
class Curve:
    """Two-point correlation of the phase in one version of a slice, or in its labels, along one axis.

    The version is named as in `StudiedVersion`, the labels "truth" and 0. `step` is the distance from one
    value to the next, in the record's unit; `values`, of shape (side // 2 + 1,), are S2(r) / S2(0) for r from
    0 to half the slice, NaN where unknown.
    """

    slice: int
    distortion: str
    level: int
    axis: str
    step: float
    values: np.ndarray


@dataclass(frozen=True)
class Study:
    """Slices with known phases, distorted, scored and segmented.

    Attributes
    ----------
    table : pandas.DataFrame
        A row per slice and version, with the columns of `StudiedVersion`.
    curves : tuple of Curve
        Two-point correlation of the phase in each version and in the labels, along both axes of the slice.
    complete : bool
        False where it was cancelled before all versions were done.
    record : dict
        What it was made with, JSON-able: volume, axis, window, models, phase, slices, seed.
    """

    table: pd.DataFrame
    curves: tuple[Curve, ...] = ()
    complete: bool = True
    record: dict[str, Any] = field(default_factory=dict)

    @property
    def distortions(self) -> list[str]:
        """The distortions that there are versions of."""
        return [str(kind) for kind in self.table["distortion"].unique() if kind != ORIGINAL]

    @cached_property
    def correlations(self) -> pd.DataFrame:
        """How the score goes with what the segmentation is worth.

        Columns: distortion, or "all" where versions of all are pooled; against, "f1", "iou" or
        "uncertainty"; n, versions; srocc and plcc, Spearman's and Pearson's correlation with the score over
        all slices, 0 where one side is constant, NaN of fewer than three versions; within, Spearman's in each
        slice by itself, averaged: that some slices are harder to segment than others does not count in it.
        The originals count in each distortion.
        """
        rows = []
        for name, table in self._parts():
            for against in _AGAINST:
                known = table[["slice", "score", against]].dropna()
                found = (np.nan,) * 3
                if len(known) >= _LEAST_VERSIONS:
                    score, other = known["score"].to_numpy(), known[against].to_numpy()
                    found = srocc(score, other), plcc(score, other), _within_slices(known, against)
                rows.append((name, against, len(known), *found))
        return pd.DataFrame(rows, columns=["distortion", "against", "n", "srocc", "plcc", "within"])

    @property
    def two_point(self) -> pd.DataFrame:
        """The curves as a table.

        Columns: slice, distortion, level, axis, lag (px), distance (in the record's unit), correlation.
        """
        parts = [
            pd.DataFrame(
                {
                    "slice": item.slice,
                    "distortion": item.distortion,
                    "level": item.level,
                    "axis": item.axis,
                    "lag": np.arange(len(item.values)),
                    "distance": np.arange(len(item.values)) * item.step,
                    "correlation": item.values,
                }
            )
            for item in self.curves
        ]
        return pd.concat(parts, ignore_index=True)

    @property
    def axes(self) -> list[str]:
        """The axes that there are curves along: x before y before z."""
        return sorted({item.axis for item in self.curves})

    def curve(self, distortion: str, level: int, axis: str, index: int | None = None) -> np.ndarray:
        """Return the two-point correlation of a version along an axis, of one slice or the mean of all.

        Returns
        -------
        numpy.ndarray
            Shape (2, n): distances, in the record's unit, and values. Slices without the phase do not count
            in the mean; n is 0 where none is left.
        """
        chosen = [
            item
            for item in self.curves
            if (item.distortion, item.level, item.axis) == (distortion, level, axis)
            and index in (None, item.slice)
            and np.isfinite(item.values[0])
        ]
        if not chosen:
            return np.empty((2, 0))
        shortest = min(len(item.values) for item in chosen)
        mean = np.mean([item.values[:shortest] for item in chosen], axis=0)
        return np.stack([np.arange(shortest) * chosen[0].step, mean])

    def levels(self, distortion: str, index: int | None = None) -> pd.DataFrame:
        """Return score, F1, IoU and uncertainty of a distortion's levels, of one slice or their mean.

        Returns
        -------
        pandas.DataFrame
            Columns `MEASURES`; index: the levels that there are, 0 (the original) first.
        """
        table = self.table if index is None else self.table[self.table["slice"] == index]
        means: pd.DataFrame = self._with_originals(table, distortion).groupby("level")[[*MEASURES]].mean()
        return means

    def caution(self) -> str:
        """Return the warning where the segmenter was trained on slices of the study; empty where not."""
        return trained_sentence(self.record.get("trained_on", ()), self.table["slice"].nunique())

    def sentence(self) -> str:
        """Say how well the score predicts F1, pooled and within each distortion, and that these differ."""
        of_f1 = self.correlations[self.correlations["against"] == "f1"].set_index("distortion").dropna()
        each = of_f1.drop(POOLED, errors="ignore")
        if each.empty:
            return "Too few versions have both a score and an F1 to compute a correlation."
        text = f"Rank correlation (SROCC) of score and F1: {_named(each['srocc'])}"
        if len(each) > 1:
            text += f"; all pooled {of_f1['srocc'][POOLED]:.2f}"
        if self.table["slice"].nunique() > 1:
            text += f"; in single slices on average {_named(each['within'])}"
        if len(each) == 1:
            return f"{text}."
        if (each["srocc"] - of_f1["srocc"][POOLED]).abs().max() <= _HARDLY:
            return f"{text}. Pooled and within a distortion hardly differ here."
        return (
            f"{text}. Pooled and within a distortion differ, since the same score goes with another F1 in "
            "each distortion: use the score to predict F1 within one kind of artefact only."
        )

    def _parts(self) -> Iterator[tuple[str, pd.DataFrame]]:
        for kind in self.distortions:
            yield kind, self._with_originals(self.table, kind)
        yield POOLED, self.table

    def _with_originals(self, table: pd.DataFrame, distortion: str) -> pd.DataFrame:
        return table[table["distortion"].isin([ORIGINAL, distortion])]


def _within_slices(table: pd.DataFrame, against: str) -> float:
    each = [
        srocc(item["score"].to_numpy(), item[against].to_numpy())
        for _, item in table.groupby("slice")
        if len(item) >= _LEAST_VERSIONS
    ]
    return float(np.mean(each)) if each else np.nan


def _named(values: pd.Series) -> str:
    return ", ".join(f"{kind} {value:.2f}" for kind, value in values.items())
