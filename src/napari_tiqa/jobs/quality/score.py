"""Score an image or a volume: reading, preparing and the network overlap, memory stays bounded.

A feeding thread has slices read and prepared by as many threads as there are cores (``map_slices``) and
sends full batches to the model process; the calling thread collects the answers in order.
"""

import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from napari_tiqa.errors import TiqaError, VolumeError
from napari_tiqa.jobs.process.client import ModelProcess, shared_model_process
from napari_tiqa.jobs.process.messages import ModelFile
from napari_tiqa.jobs.process.record import checked_model, run_record
from napari_tiqa.jobs.process.waiting import POLL, answer_of, wait_for
from napari_tiqa.progress import Pace, Progress
from napari_tiqa.scoring.native_tiles import MOST_TILES, prepare_native_tiles
from napari_tiqa.scoring.network_input import PreparedSlice, prepare_slice
from napari_tiqa.scoring.predict import BATCH_SIZE
from napari_tiqa.scoring.scale import PREDICTED
from napari_tiqa.scoring.table import SCORE_DECIMALS, UNLIKE_TRAINING, ScoredSlice, score_table
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.slice_grammar import Slices
from napari_tiqa.volumes.slices import chosen_slices, map_slices
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.volumes.window_estimate import estimate_window

# Enough for the network to be busy while the next slab of slices is read.
_BATCHES_IN_FLIGHT = 4
_FEEDER_STOPS_WITHIN = 0.5

_PREPARE = {"whole": prepare_slice, "native": prepare_native_tiles}


@dataclass(frozen=True)
class ScoreProgress(Progress):
    """How far a run over a volume is, in slices, and the rows that this batch has added."""

    rows: tuple[ScoredSlice, ...]


def score_image(
    image: Any,
    *,
    model: str | os.PathLike[str] | None = None,
    window: IntensityWindow | tuple[float, float] | None = None,
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

    Returns
    -------
    float
        1 (worst) to 5 (best); NaN where the image cannot be scored (constant, or no finite pixel).

    Raises
    ------
    VolumeError
        If the image is not 2-D or cannot be read, or the window is not one.
    BundleError
        If the model cannot be used.
    ModelProcessError
        If the model process cannot start or dies.
    """
    volume = as_volume(image).tomogram()
    if volume.data.ndim != 2:
        raise VolumeError(f"{volume.name} is a volume, not a slice: use score_volume for it.")
    return float(score_volume(volume, model=model, window=window)["score"].iloc[0])


def score_volume(
    volume: Any,
    *,
    slices: Slices = None,
    axis: int = 0,
    model: str | os.PathLike[str] | None = None,
    window: IntensityWindow | tuple[float, float] | None = None,
    tiles: str = "whole",
    progress: Callable[[ScoreProgress], object] | None = None,
    cancel: threading.Event | None = None,
) -> pd.DataFrame:
    """Score the slices of a volume along one axis.

    A slice's score, its uncertainty and its parts are means over its tiles. They depend on the slice, the
    window and the model alone: not on chunks, on batches or on which other slices are scored.

    Parameters
    ----------
    volume : Volume, array-like or path
        Shape (z, y, x), any real dtype; a 2-D image is a volume of one slice.
    slices : slice, iterable of int or str, optional
        Indices along the axis, negative ones from the end, or a text such as "40-60" or "::10", see
        ``volumes.slice_grammar``; a second mention of a slice is ignored. All slices where omitted.
    axis : int
        Which axis to go along: 0, 1 or 2.
    model : path-like, optional
        A model bundle; the default model where omitted.
    window : IntensityWindow or (low, high), optional
        Overrides the volume's own intensity window, which is estimated where it has none.
    tiles : str
        "whole": the slice is shrunk to 224 px. "native": at most nine tiles of its own pixels, for large
        slices whose noise or fine rings would vanish by shrinking; see ``scoring.native_tiles``.
    progress : callable, optional
        Called after each batch, in this thread, with a ScoreProgress; what it raises ends the run.
    cancel : threading.Event, optional
        Set it, from any thread, to end the run in less than a second.

    Returns
    -------
    pandas.DataFrame
        Columns slice, position, score, uncertainty, ring, blur, noise, reason, a row per slice in the order
        asked for; ``attrs`` is the record of the run. See ``scoring.table.ScoredSlice``. A slice whose tiles
        are on average unlike the training images keeps its score and has a reason.

    Raises
    ------
    VolumeError
        If the volume cannot be read, or has no such axis, slices, window or tiles.
    BundleError
        If the model cannot be used.
    ModelProcessError
        If the model process cannot start or dies; the next call starts it anew.
    Cancelled
        If `cancel` was set.

    Notes
    -----
    An error that ends the run under way carries what was scored before it as its ``table``.
    """
    if tiles not in _PREPARE:
        raise VolumeError(f"Slices cannot be scored from '{tiles}' tiles: choose {' or '.join(_PREPARE)}.")
    tomogram = as_volume(volume).tomogram()
    indices = chosen_slices(tomogram, slices, axis)
    if isinstance(window, tuple):
        window = IntensityWindow(*window, rule="given")
    bundle = checked_model(model)
    run = _Run(tomogram, axis, indices, bundle, window or tomogram.window, tiles)
    return run.score(progress, cancel or threading.Event())


@dataclass(frozen=True)
class _Batch:
    """Tiles sent to the network, and the slices that were finished preparing meanwhile, in order."""

    slices: list[tuple[int, int, str]]  # index, number of tiles, reason why there are none
    values: "Future[np.ndarray]"


@dataclass
class _Run:
    """One run over a volume."""

    volume: Volume
    axis: int
    indices: list[int]
    model: ModelFile
    window: IntensityWindow | None
    tiles: str
    unreadable: VolumeError | None = None

    def score(
        self, progress: Callable[[ScoreProgress], object] | None, cancel: threading.Event
    ) -> pd.DataFrame:
        process = shared_model_process()
        batches: queue.Queue[_Batch | BaseException | None] = queue.Queue(_BATCHES_IN_FLIGHT)
        stop = threading.Event()
        feeder = threading.Thread(
            target=self._feed, args=(process, batches, stop), name="slices to score", daemon=True
        )
        rows: list[ScoredSlice] = []
        pace = Pace(len(self.indices))
        feeder.start()
        try:
            for new in self._scored(batches, cancel):
                rows += new
                if progress:
                    progress(ScoreProgress(len(rows), pace.total, pace.seconds_left(len(rows)), tuple(new)))
        except TiqaError as error:
            error.table = score_table(rows, self._record(process, complete=False))
            raise
        finally:
            stop.set()
            _drop(batches)
            # A slow disk may hold the feeder in the middle of a read; it ends by itself after that.
            feeder.join(_FEEDER_STOPS_WITHIN)
        return score_table(rows, self._record(process, complete=True))

    def _scored(
        self, batches: "queue.Queue[_Batch | BaseException | None]", cancel: threading.Event
    ) -> Iterator[list[ScoredSlice]]:
        """Yield the rows that each batch completes; a slice's tiles may lie in several batches."""
        values = np.empty((0, len(PREDICTED)))
        slices: list[tuple[int, int, str]] = []
        while (batch := wait_for(batches.get, queue.Empty, cancel)) is not None:
            if isinstance(batch, BaseException):
                raise batch
            values = np.concatenate([values, answer_of(batch.values, cancel)])
            slices += batch.slices
            ends = np.cumsum([0, *(count for _, count, _ in slices)])
            complete = int(np.searchsorted(ends, len(values), "right")) - 1
            yield self._rows(slices[:complete], values[: ends[complete]])
            slices, values = slices[complete:], values[ends[complete] :]

    def _rows(self, slices: list[tuple[int, int, str]], values: np.ndarray) -> list[ScoredSlice]:
        """Average the tiles of each slice."""
        counts = np.array([count for _, count, _ in slices], int)
        seen = counts > 0
        means = np.full((len(slices), len(PREDICTED)), np.nan)
        if seen.any():
            starts = (np.cumsum(counts) - counts)[seen]
            means[seen] = np.add.reduceat(values, starts) / counts[seen, None]
        size = self.volume.voxel_size[self.axis]
        rows = []
        for (index, _, reason), mean in zip(slices, means.round(SCORE_DECIMALS).tolist(), strict=True):
            *measured, novelty = mean
            position = float(f"{index * size:.10g}")
            reason = UNLIKE_TRAINING if novelty > 1 else reason
            rows.append(ScoredSlice._make((index, position, *measured, reason)))
        return rows

    def _feed(
        self,
        process: ModelProcess,
        batches: "queue.Queue[_Batch | BaseException | None]",
        stop: threading.Event,
    ) -> None:
        try:
            process.start()  # Keras is imported while the first slices are read.
            for slices, tiles in _batched(self._prepared(self._prepare(), stop)):
                batch = _Batch(slices, process.submit(tiles, self.model) if len(tiles) else _no_values())
                if not _put(batches, batch, stop):
                    batch.values.cancel()
                    return
            _put(batches, self.unreadable, stop)
        except BaseException as error:  # whatever it is, it is the caller's to hear of
            _put(batches, error, stop)

    def _prepare(self) -> Callable[[np.ndarray], PreparedSlice]:
        if self.window is None:
            try:
                self.window = estimate_window(self.volume)
            except VolumeError as error:
                return partial(_prepare_without_window, error=error)
        return partial(_PREPARE[self.tiles], window=self.window)

    def _prepared(
        self, prepare: Callable[[np.ndarray], PreparedSlice], stop: threading.Event
    ) -> Iterator[tuple[int, PreparedSlice]]:
        """Prepare up to a slice that cannot be read; those before it still get their scores."""
        try:
            yield from map_slices(self.volume, self.axis, self.indices, prepare, cancel=stop)
        except VolumeError as error:
            self.unreadable = error

    def _record(self, process: ModelProcess, complete: bool) -> dict[str, Any]:
        record = run_record(self.volume, self.axis, self.window, self.model, process.device)
        tiles = {"mode": self.tiles} | ({"most": MOST_TILES} if self.tiles == "native" else {})
        return record | {"tiles": tiles, "slices": len(self.indices), "complete": complete}


def _prepare_without_window(plane: np.ndarray, error: VolumeError) -> PreparedSlice:
    """Say why a slice of a volume without any contrast has no score; one that has contrast needs a window."""
    finite = plane[np.isfinite(plane)]
    if finite.size and np.ptp(finite) > 0:
        raise error
    return prepare_slice(plane, IntensityWindow(0, 1, "none"))


def _batched(
    prepared: Iterable[tuple[int, PreparedSlice]],
) -> Iterator[tuple[list[tuple[int, int, str]], np.ndarray]]:
    """Group prepared slices into (slices, tiles), with full batches of tiles but for the last."""
    slices: list[tuple[int, int, str]] = []
    tiles: list[np.ndarray] = []
    for index, item in prepared:
        slices.append((index, len(item.tiles), item.reason))
        tiles.extend(item.tiles)
        while len(tiles) >= BATCH_SIZE:
            yield slices, np.stack(tiles[:BATCH_SIZE])
            slices, tiles = [], tiles[BATCH_SIZE:]
        if len(slices) >= BATCH_SIZE and not tiles:
            yield slices, np.empty(0)
            slices = []
    if slices or tiles:
        yield slices, np.stack(tiles) if tiles else np.empty(0)


def _no_values() -> "Future[np.ndarray]":
    values: Future[np.ndarray] = Future()
    values.set_result(np.empty((0, len(PREDICTED))))
    return values


def _put(batches: "queue.Queue[Any]", item: object, stop: threading.Event) -> bool:
    while not stop.is_set():
        try:
            batches.put(item, timeout=POLL)
        except queue.Full:
            continue
        return True
    return False


def _drop(batches: "queue.Queue[_Batch | BaseException | None]") -> None:
    try:
        while True:
            batch = batches.get_nowait()
            if isinstance(batch, _Batch):
                batch.values.cancel()
    except queue.Empty:
        pass
