"""Slices in, predictions of their tiles out: reading, cutting tiles and the network overlap.

A feeding thread has slices read and tiles cut by as many threads as there are cores (``map_numbered``) and
sends full batches to the model process; the calling thread collects the answers in order. So memory is
bounded.
"""

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np

from napari_tiqa.errors import VolumeError
from napari_tiqa.jobs.process.client import ModelProcess
from napari_tiqa.jobs.process.messages import ModelFile
from napari_tiqa.jobs.process.waiting import POLL, answer_of, wait_for
from napari_tiqa.scoring.predict import BATCH_SIZE
from napari_tiqa.scoring.pyramid import ViewedSlice
from napari_tiqa.scoring.scale import PREDICTED
from napari_tiqa.volumes.slices import map_numbered
from napari_tiqa.volumes.volume import Volume

CutTiles = Callable[[int, np.ndarray], ViewedSlice]
"""Cuts the tiles of a slice, given its index and pixels, shape (rows, columns)."""

# Enough for the network to be busy while the next slab of slices is read.
_BATCHES_IN_FLIGHT = 4
_FEEDER_STOPS_WITHIN = 0.5


@dataclass(frozen=True)
class PredictedSlice:
    """What the network says of a slice's tiles.

    `values` has the shape (k, 9), float32, with the columns of ``scale.PREDICTED``; `factors`, (k,), is as in
    ``pyramid.ViewedSlice``; `reason` says why there are no tiles.
    """

    index: int
    values: np.ndarray
    factors: np.ndarray
    reason: str


_Cut = tuple[int, np.ndarray, str]  # a slice, the factors of its tiles, the reason why there are none


@dataclass(frozen=True)
class _Batch:
    """Tiles sent to the network, and the slices that were finished cutting meanwhile, in order."""

    slices: list[_Cut]
    values: "Future[np.ndarray]"


_Queue = queue.Queue[_Batch | BaseException | None]


def predicted_slices(
    volume: Volume,
    axis: int,
    indices: Sequence[int],
    cutter: Callable[[], CutTiles],
    model: ModelFile,
    process: ModelProcess,
    cancel: threading.Event,
) -> Generator[list[PredictedSlice], None, None]:
    """Yield the slices that each batch of tiles completes, in the order of `indices`.

    `cutter` is called once, in the feeding thread, since it may have to read slices to know the window. After
    the last slice that could be read, raises VolumeError for the one that could not; ModelProcessError and
    BundleError as ``ModelProcess.submit``; Cancelled once `cancel` is set. To be closed where it is not used
    to the end.
    """
    batches: _Queue = queue.Queue(_BATCHES_IN_FLIGHT)
    stop = threading.Event()
    tiles = _cut_tiles(volume, axis, indices, cutter, stop)
    feeder = threading.Thread(
        target=_feed, args=(tiles, model, process, batches, stop), name="slices to score", daemon=True
    )
    feeder.start()
    try:
        yield from _completed(batches, cancel)
    finally:
        stop.set()
        _drop(batches)
        # A slow disk may hold the feeder in the middle of a read; it ends by itself after that.
        feeder.join(_FEEDER_STOPS_WITHIN)


def _completed(batches: _Queue, cancel: threading.Event) -> Iterator[list[PredictedSlice]]:
    """Put tiles together to slices again: those of a slice may lie in several batches."""
    values = _nothing()
    slices: list[_Cut] = []
    while (batch := wait_for(batches.get, queue.Empty, cancel)) is not None:
        if isinstance(batch, BaseException):
            raise batch
        values = np.concatenate([values, answer_of(batch.values, cancel)])
        slices += batch.slices
        ends = np.cumsum([len(factors) for _, factors, _ in slices])
        complete = int(np.searchsorted(ends, len(values), "right"))
        parts = np.split(values, ends[:complete])
        yield [
            PredictedSlice(index, own, factors, reason)
            for (index, factors, reason), own in zip(slices[:complete], parts, strict=False)
        ]
        slices, values = slices[complete:], parts[-1]


def _feed(
    tiles: Iterator[tuple[int, ViewedSlice]],
    model: ModelFile,
    process: ModelProcess,
    batches: _Queue,
    stop: threading.Event,
) -> None:
    unreadable: list[VolumeError] = []
    try:
        process.start()  # Keras is imported while the first slices are read.
        for slices, cut in _batched(_readable(tiles, unreadable)):
            batch = _Batch(slices, process.submit(cut, model) if len(cut) else _no_values())
            if not _put(batches, batch, stop):
                batch.values.cancel()
                return
        _put(batches, unreadable[0] if unreadable else None, stop)
    except BaseException as error:  # whatever it is, it is the caller's to hear of
        _put(batches, error, stop)


def _cut_tiles(
    volume: Volume,
    axis: int,
    indices: Sequence[int],
    cutter: Callable[[], CutTiles],
    stop: threading.Event,
) -> Iterator[tuple[int, ViewedSlice]]:
    yield from map_numbered(volume, axis, list(indices), cutter(), cancel=stop)


def _readable(
    tiles: Iterator[tuple[int, ViewedSlice]], unreadable: list[VolumeError]
) -> Iterator[tuple[int, ViewedSlice]]:
    """Go on up to a slice that cannot be read; those before it still get their scores."""
    try:
        yield from tiles
    except VolumeError as error:
        unreadable.append(error)


def _batched(tiles: Iterable[tuple[int, ViewedSlice]]) -> Iterator[tuple[list[_Cut], np.ndarray]]:
    """Group slices into (slices, tiles), with full batches of tiles but for the last."""
    slices: list[_Cut] = []
    waiting: list[np.ndarray] = []
    for index, item in tiles:
        slices.append((index, item.factors, item.reason))
        waiting.extend(item.tiles)
        while len(waiting) >= BATCH_SIZE:
            yield slices, np.stack(waiting[:BATCH_SIZE])
            slices, waiting = [], waiting[BATCH_SIZE:]
        if len(slices) >= BATCH_SIZE and not waiting:
            yield slices, np.empty(0)
            slices = []
    if slices or waiting:
        yield slices, np.stack(waiting) if waiting else np.empty(0)


def _nothing() -> np.ndarray:
    return np.empty((0, len(PREDICTED)), np.float32)


def _no_values() -> "Future[np.ndarray]":
    values: Future[np.ndarray] = Future()
    values.set_result(_nothing())
    return values


def _put(batches: _Queue, item: _Batch | BaseException | None, stop: threading.Event) -> bool:
    while not stop.is_set():
        try:
            batches.put(item, timeout=POLL)
        except queue.Full:
            continue
        return True
    return False


def _drop(batches: _Queue) -> None:
    try:
        while True:
            batch = batches.get_nowait()
            if isinstance(batch, _Batch):
                batch.values.cancel()
    except queue.Empty:
        pass
