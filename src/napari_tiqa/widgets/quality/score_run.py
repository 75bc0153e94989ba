"""One scoring run as the dock keeps it: its scores, how it ended, its way in and out of layer metadata."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd

from napari_tiqa.physics.figures import FIGURES, PhysicalFigures
from napari_tiqa.scoring.sentence import score_sentence
from napari_tiqa.scoring.table import UNLIKE_TRAINING, ScoredSlice, score_table
from napari_tiqa.scoring.views import OVERVIEW, PYRAMID, view_of
from napari_tiqa.volumes.region import Region
from napari_tiqa.widgets.shared.result_layers import METADATA_KEY
from napari_tiqa.wording import counted

SINGLE_IMAGE = "image"  # the axis of a run over a layer that has but one slice
NOT_SCORED = "not scored"  # the reason of a slice of which only figures were asked for
_METADATA_VERSION = 1
_ENDINGS = ("done", "cancelled", "failed")
_FIELDS = ScoredSlice._fields


@dataclass
class ScoreRun:
    """Scores of one volume along one axis; `name` is unique among the runs of a dock: "electrode, axis z".

    `unit` is that of the rows' positions ("pixel" where the voxel size is unknown), `spacing` the distance
    between neighbouring slices in it. `axis` is the layer's `dimension`; `at` holds further dimensions (time,
    channel) and the index each is fixed at. The run was started for `asked` slices; `rows` are those scored
    so far, as they came. `figures` are the physical figures of the slices that were measured. `region` is
    what counts of each slice, None for all of it and where that is not known: the layer does not keep it.
    `ended` is "" while it runs, then "done", "cancelled" or "failed". `record` is what score_volume wrote
    down (window, model, version ...), JSON-able. `key` identifies the run, also after its layer was removed
    and added again.
    """

    name: str
    axis: str
    unit: str
    spacing: float
    dimension: int
    at: dict[int, int]
    asked: int
    rows: list[ScoredSlice] = field(default_factory=list)
    ended: str = ""
    record: dict[str, Any] = field(default_factory=dict)
    figures: dict[int, PhysicalFigures] = field(default_factory=dict)
    region: Region | None = None
    key: str = field(default_factory=lambda: uuid4().hex)

    @property
    def partial(self) -> bool:
        """Whether the run ended before every slice had been scored."""
        return self.ended in ("cancelled", "failed")

    @property
    def overview_only(self) -> bool:
        """Whether the run ended before any slice was scored at every scale, as it was asked for."""
        return view_of(self.record) == OVERVIEW and self.record.get("asked") == PYRAMID

    @property
    def slices(self) -> np.ndarray:
        """Indices of the scored slices, int64, shape (n,)."""
        return np.fromiter((row.slice for row in self.rows), np.int64, len(self.rows))

    @property
    def positions(self) -> np.ndarray:
        """Positions of the scored slices in `unit`, float64, shape (n,)."""
        return self.column("position")

    @property
    def scores(self) -> np.ndarray:
        """Scores from 1 (worst) to 5 (best), NaN where a slice has none, float64, shape (n,)."""
        return self.column("score")

    def column(self, name: str) -> np.ndarray:
        """Return a column of numbers of the score table, float64, shape (n,), NaN for what is not known."""
        place = ScoredSlice._fields.index(name)
        return np.fromiter((row[place] for row in self.rows), np.float64, len(self.rows))

    def figure(self, name: str) -> np.ndarray:
        """Return a physical figure of each scored slice, float64, shape (n,), NaN where it is not known."""
        place = FIGURES.index(name)
        unknown = PhysicalFigures._make([np.nan] * len(FIGURES))
        values = (self.figures.get(row.slice, unknown)[place] for row in self.rows)
        return np.fromiter(values, np.float64, len(self.rows))

    @property
    def unmeasured(self) -> list[int]:
        """The scored slices that have no physical figures yet."""
        return [row.slice for row in self.rows if row.slice not in self.figures]

    @property
    def flagged(self) -> np.ndarray:
        """Which scored slices are unlike the training images, bool, shape (n,)."""
        return np.fromiter((row.flagged for row in self.rows), bool, len(self.rows))

    @property
    def valid_scores(self) -> np.ndarray:
        """The scores of the slices that could be scored, float64, shape (m,), m <= n."""
        scores = self.scores
        return scores[np.isfinite(scores)]

    def title(self, name: str = "") -> str:
        """Return the name, or another one, with what a reader must know before comparing the run."""
        notes = ["overview only"] if self.overview_only else []
        if self.partial and len(self.rows) < self.asked:
            notes.insert(0, f"partial, {len(self.rows)} of {self.asked}")
        return f"{name or self.name} ({', '.join(notes)})" if notes else name or self.name

    def worst(self, count: int) -> list[ScoredSlice]:
        """Return the `count` slices with the lowest scores, worst first, of those that have a score."""
        return sorted((row for row in self.rows if np.isfinite(row.score)), key=lambda row: row.score)[:count]

    def take_rows(self, rows: Iterable[ScoredSlice]) -> None:
        """Take further rows; one of a slice that has been scored before replaces the earlier."""
        places = {row.slice: place for place, row in enumerate(self.rows)}
        for row in rows:
            if row.slice in places:
                self.rows[places[row.slice]] = row
            else:
                self.rows.append(row)

    def take_table(self, table: pd.DataFrame) -> None:
        """Take the rows and the record of a score table in place of what was there."""
        self.rows = rows_of(table)
        self.figures |= figures_of(table)
        # What only the dock knows, so that a saved table can be loaded as the same run.
        self.record = {
            **_record(table),
            "run": self.name,
            "axis_name": self.axis,
            "dimension": self.dimension,
            "at": {str(dimension): index for dimension, index in self.at.items()},
        }

    def table(self) -> pd.DataFrame:
        """Return the run as the table that score_volume gives, with its physical figures if it has any."""
        table = score_table(self.rows, dict(self.record))
        if self.figures:
            for name in FIGURES:
                table[name] = self.figure(name)
        return table

    def to_metadata(self) -> dict[str, Any]:
        """Return the run as JSON-able values; NaN, which JSON lacks, becomes None."""
        return {
            "key": self.key,
            "name": self.name,
            "axis": self.axis,
            "unit": self.unit,
            "spacing": self.spacing,
            "dimension": self.dimension,
            "at": {str(dimension): index for dimension, index in self.at.items()},
            "asked": self.asked,
            "ended": self.ended,
            **{name: _without_nan(row[place] for row in self.rows) for place, name in enumerate(_FIELDS)},
            "figures": {name: _without_nan(self.figure(name)) for name in FIGURES if self.figures},
            "record": dict(self.record),
        }

    @classmethod
    def from_metadata(cls, saved: Mapping[str, Any]) -> "ScoreRun":
        """Read what `to_metadata` wrote; raises KeyError, TypeError or ValueError on anything else."""
        if saved["ended"] not in _ENDINGS:
            raise ValueError(f"a run cannot have ended as {saved['ended']!r}")
        # Runs saved by an earlier version have no uncertainty and no parts.
        columns = pd.DataFrame({name: saved[name] for name in _FIELDS if name in saved}, columns=_FIELDS)
        figures = pd.DataFrame({"slice": saved["slice"], **saved.get("figures", {})})
        return cls(
            name=str(saved["name"]),
            axis=str(saved["axis"]),
            unit=str(saved["unit"]),
            spacing=float(saved["spacing"]),
            dimension=int(saved["dimension"]),
            at={int(dimension): int(index) for dimension, index in saved["at"].items()},
            asked=int(saved["asked"]),
            rows=rows_of(score_table(map(ScoredSlice._make, columns.itertuples(index=False)), {})),
            ended=str(saved["ended"]),
            record=dict(saved["record"]),
            figures=figures_of(figures),
            key=str(saved["key"]),
        )


def run_of_table(table: pd.DataFrame, name: str) -> ScoreRun:
    """Make a run of a table from `scoring.table.read_scores`, named `name` where its record does not say."""
    record = _record(table)
    axis = int(record.get("axis", 0))
    voxel_size = record.get("voxel_size", ())
    return ScoreRun(
        name=str(record.get("run", name)),
        axis=str(record.get("axis_name", "unknown axis")),
        unit=str(record.get("unit", "pixel")),
        spacing=float(voxel_size[axis]) if axis < len(voxel_size) else 1.0,
        dimension=int(record.get("dimension", axis)),
        at={int(dimension): int(index) for dimension, index in record.get("at", {}).items()},
        asked=int(record.get("slices", len(table))),
        rows=rows_of(table),
        ended="done" if record.get("complete", True) else "cancelled",
        record=record,
        figures=figures_of(table),
    )


def _record(table: pd.DataFrame) -> dict[str, Any]:
    return {str(key): value for key, value in table.attrs.items()}


def rows_of(table: pd.DataFrame) -> list[ScoredSlice]:
    """Return the rows of a score table."""
    return [ScoredSlice._make(row) for row in table[[*_FIELDS]].itertuples(index=False, name=None)]


def figures_of(table: pd.DataFrame) -> dict[int, PhysicalFigures]:
    """Return the physical figures in a table, by slice; those of a slice that has none are left out."""
    if not set(FIGURES) <= set(table.columns):
        return {}
    rows = zip(table["slice"].tolist(), table[[*FIGURES]].astype(float).itertuples(index=False), strict=True)
    return {index: PhysicalFigures._make(row) for index, row in rows if not np.isnan(row).all()}


def save_runs(metadata: dict[str, Any], runs: Iterable[ScoreRun]) -> None:
    """Write the runs of a layer into its metadata, in place of those saved before."""
    ours = metadata.get(METADATA_KEY)
    metadata[METADATA_KEY] = {
        **(ours if isinstance(ours, Mapping) else {}),  # the reader keeps the file's path there
        "version": _METADATA_VERSION,
        "runs": [run.to_metadata() for run in runs],
    }


def load_runs(metadata: Mapping[str, Any]) -> tuple[list[ScoreRun], int]:
    """Return the runs saved in a layer's metadata, and how many entries there could not be read."""
    saved = metadata.get(METADATA_KEY)
    ours = saved if isinstance(saved, Mapping) else {"runs": saved}
    entries = ours.get("runs")
    if not entries:
        return [], 0
    if not isinstance(entries, list) or ours.get("version") != _METADATA_VERSION:
        return [], 1
    runs, unreadable = [], 0
    for entry in entries:
        try:
            runs.append(ScoreRun.from_metadata(entry))
        except (KeyError, TypeError, ValueError, AttributeError):
            unreadable += 1
    return runs, unreadable


def run_sentence(run: ScoreRun) -> str:
    """Return how a run's slices are, in one sentence."""
    scores = run.valid_scores
    if run.rows[0].reason == NOT_SCORED:
        return f"{run.title()}: physical figures without scores."
    if not scores.size:
        what = "The slice could not" if len(run.rows) == 1 else f"None of the {len(run.rows)} slices could"
        return f"{what} be scored: {run.rows[0].reason}."
    worst = run.worst(1)[0]
    if run.axis == SINGLE_IMAGE:
        return f"{run.title()}: {score_sentence(worst)} (1 worst, 5 best)."
    sentence = f"{run.title()}: mean {scores.mean():.2f}, worst slice {worst.slice}: {score_sentence(worst)}"
    unscored = len(run.rows) - scores.size
    flagged = int(run.flagged.sum())
    if unscored:
        sentence += f"; {counted(unscored, 'slice')} could not be scored"
    if flagged:
        sentence += f"; {flagged} {'are' if flagged > 1 else 'is'} {UNLIKE_TRAINING}"
    return f"{sentence}."


def cancelled_sentence(run: ScoreRun | None) -> str:
    """Return what is kept of a run that was cancelled, None for a job without one, in one sentence."""
    if run is None:
        return "Cancelled."
    if not run.rows:
        return "Cancelled before a slice was scored."
    kept = "slices scored as a whole" if run.overview_only else "slices scored so far"
    return f"Cancelled; the {len(run.rows)} of {run.asked} {kept} are kept."


def row_sentence(row: ScoredSlice) -> str:
    """Return how one slice is, in one sentence."""
    if not np.isfinite(row.score):
        return f"Slice {row.slice} has no score: {row.reason}."
    return f"Slice {row.slice}: {score_sentence(row)} (score {row.score:.2f}, 1 worst, 5 best)."


def _without_nan(values: Iterable[Any]) -> list[Any]:
    return [None if value != value else value for value in values]
