"""Score an image or a volume, in one view of its slices or first as a whole and then at every scale."""

import os
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from napari_tiqa.arguments import checked_arguments
from napari_tiqa.errors import TiqaError, VolumeError
from napari_tiqa.jobs.process.client import ModelProcess, shared_model_process
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


@checked_arguments
def score_image(
    image: Any,
    *,
    model: str | os.PathLike[str] | None = None,
    window: IntensityWindow | tuple[float, float] | None = None,
    view: str = PYRAMID,
    region: Any = None,
) -> float:
    """Score one slice.

    Parameters
    ----------
    image : array-like, Volume or path
        2-D, any real dtype, at least 3 px a side.
    model : path-like, optional
        A model bundle; the default model where omitted.
    window : IntensityWindow or (low, high), optional
        Intensity window in the image's units; estimated from this image where omitted. To compare slices
        of one volume, pass the volume's.
    view : str
        What is looked at, see `score_volume`.
    region : "circle", path or array-like, optional
        Where the pixels lie that count, see `score_volume`.

    Returns
    -------
    float
        1 (worst) to 5 (best); NaN where the image cannot be scored (constant, or no finite pixel).

    Raises
    ------
    VolumeError
        If the image is not 2-D or cannot be read, or the window or the view is not one.
    BundleError
        If the model cannot be used.
    ModelProcessError
        If the model process cannot start or dies.
    """
    volume = as_volume(image).tomogram()
    if volume.data.ndim != 2:
        raise VolumeError(f"{volume.name} is a volume, not a slice: use score_volume for it.")
    return float(score_volume(volume, model=model, window=window, view=view, region=region)["score"].iloc[0])


@checked_arguments
def score_volume(
    volume: Any,
    *,
    slices: Slices = None,
    axis: int | str = 0,
    model: str | os.PathLike[str] | None = None,
    window: IntensityWindow | tuple[float, float] | None = None,
    view: str = PYRAMID,
    region: Any = None,
    resume: str | os.PathLike[str] | None = None,
    progress: Callable[[ScoreProgress], object] | None = None,
    cancel: threading.Event | None = None,
) -> pd.DataFrame:
    """Score the slices of a volume along one axis.

    A slice's score, its uncertainty and its parts are means over the tiles of a level of scale, combined to
    one (``scoring.combination``). They depend on the slice, the window, the view and the model alone: not on
    chunks, on batches or on which other slices are scored.

    Parameters
    ----------
    volume : Volume, array-like or path
        Shape (z, y, x), any real dtype; a 2-D image is a volume of one slice.
    slices : slice, iterable of int or str, optional
        Indices along the axis, negative ones from the end, or a text such as "40-60" or "::10", see
        ``volumes.slice_grammar``; a second mention of a slice is ignored. All slices where omitted.
    axis : int or str
        Which axis to go along: 0, 1, 2 or "z", "y", "x".
    model : path-like, optional
        A model bundle; the default model where omitted.
    window : IntensityWindow or (low, high), optional
        Overrides the volume's own intensity window, which is estimated where it has none.
    view : str
        "pyramid": the slice at every scale, from its own pixels to the whole of it at 224 px, a few tiles
        each, see ``scoring.pyramid``; up to 280 px a side, that is the overview. "overview": the whole slice
        at 224 px alone, as in the paper, up to twelve times as fast. "native": at most nine tiles of its own
        pixels alone, see ``scoring.native_tiles``.
    region : "circle", path or array-like, optional
        Where the pixels lie that count; whole slices where omitted. "circle" is that of the reconstruction,
        inscribed in the slices across z. A mask or label image (nonzero inside) has the shape of the slices
        along the axis, and holds for each, or that of the volume. See ``scoring.region_view``: nothing
        outside has a part in the score, nor in a window that is estimated.
    resume : path-like, optional
        A file in which each slice is kept as soon as it is scored: after any end, the same call with the same
        file goes on from there, with the same result. It is removed at the end of the run.
    progress : callable, optional
        Called after each batch, in this thread, with a ScoreProgress; what it raises ends the run.
    cancel : threading.Event, optional
        Set it, from any thread, to end the run in less than a second.

    Returns
    -------
    pandas.DataFrame
        Columns slice, position, score, uncertainty, one for each of ``scoring.scale.ARTEFACTS``, overview,
        scale, reason, a row per slice in the order asked for; ``attrs`` is the record of the run. See
        ``scoring.table.ScoredSlice``. A slice unlike the training images keeps its score and has a reason.

    Raises
    ------
    VolumeError
        If the volume or the region cannot be read, there is no such axis, slices, window or view, or the
        region has another shape or fewer than 1024 px of each slice.
    BundleError
        If the model cannot be used.
    ModelProcessError
        If the model process cannot start or dies; the next call starts it anew.
    ResumeError
        If `resume` is of another run, in use, or cannot be written.
    Cancelled
        If `cancel` was set.

    Notes
    -----
    An error that ends the run under way carries what was scored before it as its ``table``.
    """
    run = _Run.of(volume, slices, axis, model, window, view, region, cancel)
    with KeptWork(resume, run.plan() if resume is not None else {}) as run.kept:
        return run.score(progress, overview_first=False)


def score_overview_first(
    volume: Any,
    *,
    slices: Slices = None,
    axis: int | str = 0,
    model: str | os.PathLike[str] | None = None,
    window: IntensityWindow | tuple[float, float] | None = None,
    region: Any = None,
    progress: Callable[[ScoreProgress], object] | None = None,
    cancel: threading.Event | None = None,
) -> pd.DataFrame:
    """Score slices at every scale, as `score_volume`, but all of them as a whole before.

    The overview takes a small part of the time, and its curve is there to be looked at while the other scales
    follow. No tile is scored twice, but slices are read twice. That costs nothing for what is in memory and
    little for a file that the system still has in its cache; of a larger one, reading overlaps with the
    network, which takes longer than most disks (up to eleven tiles a slice). Keeping the tiles instead would
    take up to 2 MB a slice.

    Where the run ends early, its table has the overview of all slices scored until then, since a curve must
    be of one kind: its record says so (``view``), and what was ``asked`` for.
    """
    run = _Run.of(volume, slices, axis, model, window, PYRAMID, region, cancel)
    return run.score(progress, overview_first=True)


@dataclass
class _Run:
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
    ) -> "_Run":
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
        with closing(self._predicted(left, partial(view_region, view=self.view))) as batches:
            for batch in batches:
                new = tuple(scored_slice(self.volume, self.axis, item, self.view) for item in batch)
                for row in new:
                    self.kept.add(str(row.slice), list(row))
                self.rows += new
                done = len(self.rows)
                yield ScoreProgress(done, pace.total, pace.seconds_left(done), new, self.view, done)

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
        record = run_record(self.volume, self.axis, self.window, self.model, self.process.device)
        record |= {"view": view, "slices": len(self.indices), "complete": complete}
        if self.region is not None:
            record["region"] = self.region.record()
        if view == PYRAMID:
            record["combination"] = {"rule": RULE, "temperature": TEMPERATURE}
        return record if view == self.view else record | {"asked": self.view}


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
