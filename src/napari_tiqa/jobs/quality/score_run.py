"""One run that scores the slices of a volume: in one view or in two passes, here or on a cluster."""

import os
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from napari_tiqa.errors import TiqaError, VolumeError
from napari_tiqa.jobs.process.client import ModelProcess, shared_model_process
from napari_tiqa.jobs.process.cluster import Cluster, pieces_of
from napari_tiqa.jobs.process.kept_work import KeptWork
from napari_tiqa.jobs.process.messages import ModelFile
from napari_tiqa.jobs.process.record import checked_model, fingerprint, model_card, run_record
from napari_tiqa.jobs.quality.tile_stream import CutTiles, PredictedSlice, predicted_slices
from napari_tiqa.progress import Pace, Progress
from napari_tiqa.scoring.combination import RULE, TEMPERATURE, slice_prediction
from napari_tiqa.scoring.pyramid import ViewedSlice, finer_factors, most_tiles
from napari_tiqa.scoring.region_view import finer_region_tiles, view_region
from napari_tiqa.scoring.table import SCORE_DECIMALS, UNLIKE_TRAINING, ScoredSlice, score_table
from napari_tiqa.scoring.views import OVERVIEW, PYRAMID, check_view
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.region import Region, as_region
from napari_tiqa.volumes.slice_grammar import Slices
from napari_tiqa.volumes.slices import chosen_slices
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow, as_window
from napari_tiqa.volumes.window_estimate import estimate_window

_WINDOW = "window"
"""Name of the piece of a run that is kept beside its slices."""

_Cut = Callable[[np.ndarray, np.ndarray | None, IntensityWindow], ViewedSlice]
"""Cuts the tiles of a slice, of what counts of it (None: all), in a window."""


@dataclass(frozen=True)
class ScoreProgress(Progress):
    """How far a run over a volume is, and the rows that this batch has added.

    Parts are slices; those of a run that scores slices as a whole first are tiles, since the rest takes
    longer. Its second pass, in the `view` "pyramid", has the same slices once more; `scored` is how many
    slices this pass has scored.
    """

    rows: tuple[ScoredSlice, ...]
    view: str
    scored: int


@dataclass
class ScoreRun:
    """One run over a volume."""

    volume: Volume
    axis: int
    indices: list[int]
    model: ModelFile
    window: IntensityWindow | None
    view: str
    region: Region | None
    cancel: threading.Event
    process: ModelProcess = field(default_factory=shared_model_process)
    rows: list[ScoredSlice] = field(default_factory=list)
    kept: KeptWork = field(default_factory=lambda: KeptWork(None, {}))
    cluster: Cluster | None = None

    @classmethod
    def of(
        cls,
        volume: Any,
        slices: Slices,
        axis: int | str,
        model: str | os.PathLike[str] | None,
        window: IntensityWindow | tuple[float, float] | None,
        view: str,
        region: Any,
        cancel: threading.Event | None,
    ) -> "ScoreRun":
        """Check what a run is asked for."""
        check_view(view)
        tomogram = as_volume(volume).tomogram()
        axis = tomogram.axis_number(axis)
        indices = chosen_slices(tomogram, slices, axis)
        window = as_window(window) or tomogram.window
        bundle = checked_model(model)
        part = as_region(region, tomogram, axis)
        return cls(tomogram, axis, indices, bundle, window, view, part, cancel or threading.Event())

    def plan(self) -> dict[str, Any]:
        """Return all that decides the scores: only the same may be resumed."""
        region = None if self.region is None else self.region.record()
        return {
            "slices_sha256": fingerprint(self.volume, self.axis),
            "shape": self.volume.data.shape,
            "voxel_size": self.volume.voxel_size,
            "axis": self.axis,
            "indices": self.indices,
            "model": model_card(self.model)["weights_sha256"],
            "window": None if self.window is None else [self.window.low, self.window.high],
            "view": self.view,
            "region": region,
        }

    def score(
        self, progress: Callable[[ScoreProgress], object] | None, *, overview_first: bool
    ) -> pd.DataFrame:
        """Score the slices; an error that ends this carries what was scored before it as its ``table``."""
        shape = self._seen_shape()
        in_two_passes = overview_first and bool(finer_factors(shape))
        steps = self._two_passes(*most_tiles(shape)) if in_two_passes else self._one_pass()
        seen = OVERVIEW if in_two_passes else self.view
        try:
            with closing(steps):
                for step in steps:
                    if progress:
                        progress(step)
        except TiqaError as error:
            error.table = score_table(self.rows, self._record(seen, complete=False))
            raise
        place = {index: number for number, index in enumerate(self.indices)}
        rows = sorted(self.rows, key=lambda row: place[row.slice])  # those of a run before came first
        table = score_table(rows, self._record(self.view, complete=True))
        self.kept.finish()
        return table

    def _seen_shape(self) -> tuple[int, ...]:
        """Return the shape of what is seen of each slice: of the box around the region."""
        shape = self.volume.slice_shape(self.axis)
        if self.region is None:
            return shape
        sides = list(self.region.box)
        del sides[self.axis]
        return tuple(min(side.stop - side.start, most) for side, most in zip(sides, shape, strict=True))

    def _one_pass(self) -> Generator[ScoreProgress, None, None]:
        done_before = self._resumed()
        pace = Pace(len(self.indices), len(done_before))
        left = [index for index in self.indices if index not in done_before]
        with closing(self._batches(left)) as batches:
            for new in batches:
                for row in new:
                    self.kept.add(str(row.slice), list(row))
                self.rows += new
                done = len(self.rows)
                yield ScoreProgress(done, pace.total, pace.seconds_left(done), new, self.view, done)

    def _batches(self, indices: list[int]) -> Generator[tuple[ScoredSlice, ...], None, None]:
        """Give the rows of slices, batch by batch, from the model process here or from a cluster."""
        if self.cluster is not None:
            with suppress(VolumeError):  # without contrast: the workers find so, too
                self.window = self.window or estimate_window(self.volume, region=self.region)
            work = (self.volume, self.axis, self.model.path, self.window, self.view, self.region)
            pieces = pieces_of(self.volume, self.axis, indices)
            yield from self.cluster.results(_rows_of, pieces, work, self.cancel)
            return
        with closing(self._predicted(indices, partial(view_region, view=self.view))) as batches:
            for batch in batches:
                yield tuple(scored_slice(self.volume, self.axis, item, self.view) for item in batch)

    def _resumed(self) -> dict[int, ScoredSlice]:
        """Take over what a run before has scored, and the window it did so in."""
        pieces = dict(self.kept.pieces)
        if (window := pieces.pop(_WINDOW, None)) is not None:
            self.window = IntensityWindow(**window)
        kept = {int(name): ScoredSlice._make(values) for name, values in pieces.items()}
        self.rows = [kept[index] for index in self.indices if index in kept]
        return kept

    def _two_passes(self, overview: int, finer: int) -> Generator[ScoreProgress, None, None]:
        """Score slices of so many tiles as a whole, then at the finer levels."""
        pace = Pace(len(self.indices) * (overview + finer))
        whole: dict[int, PredictedSlice] = {}
        with closing(self._predicted(self.indices, partial(view_region, view=OVERVIEW))) as batches:
            for batch in batches:
                whole.update({item.index: item for item in batch})
                new = tuple(scored_slice(self.volume, self.axis, item, OVERVIEW) for item in batch)
                self.rows += new
                done = overview * len(whole)
                yield ScoreProgress(done, pace.total, pace.seconds_left(done), new, OVERVIEW, len(whole))
        rest = [item.index for item in whole.values() if len(item.values)]
        rows = {row.slice: row for row in self.rows}
        left = len(rest)
        with closing(self._predicted(rest, finer_region_tiles)) as batches:
            for batch in batches:
                new = tuple(self._refined(item, whole[item.index]) for item in batch)
                rows.update({row.slice: row for row in new})
                left -= len(new)
                done = pace.total - left * finer
                yield ScoreProgress(
                    done, pace.total, pace.seconds_left(done), new, PYRAMID, len(self.indices) - left
                )
        self.rows = list(rows.values())

    def _refined(self, finer: PredictedSlice, whole: PredictedSlice) -> ScoredSlice:
        values, factors = (
            np.concatenate([getattr(part, name) for part in (finer, whole)]) for name in ("values", "factors")
        )
        return scored_slice(self.volume, self.axis, replace(whole, values=values, factors=factors))

    def _predicted(self, indices: Sequence[int], cut: _Cut) -> Generator[list[PredictedSlice], None, None]:
        cutter = partial(self._cutter, cut)
        return predicted_slices(
            self.volume, self.axis, indices, cutter, self.model, self.process, self.cancel
        )

    def _cutter(self, cut: _Cut) -> CutTiles:
        if self.window is None:
            try:
                self.window = estimate_window(self.volume, region=self.region)
            except VolumeError as error:
                cut = partial(_cut_without_window, error=error)
            else:
                self.kept.add(_WINDOW, asdict(self.window))
        window, region = self.window or IntensityWindow(0, 1, "none"), self.region
        return lambda index, plane: cut(plane, region.inside(plane, index) if region else None, window)

    def _record(self, view: str, complete: bool) -> dict[str, Any]:
        device = self.cluster.device if self.cluster else self.process.device
        record = run_record(self.volume, self.axis, self.window, self.model, device)
        record |= {"view": view, "slices": len(self.indices), "complete": complete}
        if self.region is not None:
            record["region"] = self.region.record()
        if view == PYRAMID:
            record["combination"] = {"rule": RULE, "temperature": TEMPERATURE}
        return record if view == self.view else record | {"asked": self.view}


def _rows_of(work: tuple[Any, ...], indices: list[int]) -> tuple[ScoredSlice, ...]:
    """Score slices on a worker of a cluster."""
    volume, axis, model, window, view, region = work
    table = ScoreRun.of(volume, indices, axis, model, window, view, region, None).score(
        None, overview_first=False
    )
    return tuple(ScoredSlice._make(row) for row in table.itertuples(index=False, name=None))


def scored_slice(volume: Volume, axis: int, item: PredictedSlice, view: str = PYRAMID) -> ScoredSlice:
    """Make the row of a slice from what is said of its tiles in a view."""
    said, overview, scale = slice_prediction(item.values, item.factors, view)
    *measured, novelty = said.round(SCORE_DECIMALS).tolist()
    position = float(f"{item.index * volume.voxel_size[axis]:.10g}")
    reason = UNLIKE_TRAINING if novelty > 1 else item.reason
    scales = (round(overview, SCORE_DECIMALS), round(scale, SCORE_DECIMALS))
    return ScoredSlice._make((item.index, position, *measured, *scales, reason))


def _cut_without_window(
    plane: np.ndarray, inside: np.ndarray | None, window: IntensityWindow, error: VolumeError
) -> ViewedSlice:
    """Say why a slice of a volume without any contrast has no score; one that has contrast needs a window."""
    counts = plane if inside is None else plane[inside]
    finite = counts[np.isfinite(counts)]
    if finite.size and np.ptp(finite) > 0:
        raise error
    return view_region(plane, inside, window, OVERVIEW)
