"""The quality map of one slice, through the model process: where in the slice quality is lost."""

import io
import json
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tifffile

from napari_tiqa.arguments import checked_arguments
from napari_tiqa.errors import TableError, VolumeError, explained
from napari_tiqa.jobs.process.client import ModelProcess, shared_model_process
from napari_tiqa.jobs.process.cluster import Cluster
from napari_tiqa.jobs.process.messages import ModelFile
from napari_tiqa.jobs.process.record import checked_model, run_record
from napari_tiqa.jobs.process.waiting import answer_of
from napari_tiqa.jobs.quality.score_run import scored_slice
from napari_tiqa.jobs.quality.tile_stream import PredictedSlice
from napari_tiqa.progress import Pace, Progress
from napari_tiqa.scoring.native_tiles import filled_tiles, native_tile
from napari_tiqa.scoring.network_input import TILE_SIZE, checked_plane, reflected
from napari_tiqa.scoring.predict import BATCH_SIZE
from napari_tiqa.scoring.quality_map import blend, overlapping_starts
from napari_tiqa.scoring.region_view import cut_region, view_region
from napari_tiqa.scoring.scale import PREDICTED, SCORE_RANGE
from napari_tiqa.scoring.sentence import score_sentence
from napari_tiqa.scoring.structure import NOISE_ONLY
from napari_tiqa.scoring.table import ScoredSlice
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.region import as_region
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow, as_window
from napari_tiqa.volumes.window_estimate import volume_window
from napari_tiqa.whole_file import whole_file
from napari_tiqa.wording import counted

STRIDE = TILE_SIZE // 2
"""Pixels from one tile to the next where nothing else is asked for: each pixel lies in four tiles."""

_BATCHES_IN_FLIGHT = 4
_AGREE = 0.1  # points between the map's mean and the slice's score


@dataclass(frozen=True)
class MapProgress(Progress):
    """How far a map is, in tiles; `seconds_left` is None until a second batch tells how fast it goes."""


@dataclass(frozen=True)
class QualityMap:
    """Where in a slice quality is lost.

    Attributes
    ----------
    map : numpy.ndarray
        Shape (rows, columns) of the slice, float32: the score of the surroundings of each pixel, 1 (worst) to
        5 (best); NaN outside the content and where no tile has enough of it.
    corners : numpy.ndarray
        Shape (n, 2), int: row and column of each tile's first pixel; negative where the slice is smaller
        than a tile.
    values : numpy.ndarray
        Shape (n, 9), float32: what the network says of each tile, columns ``scale.PREDICTED``.
    slice_row : ScoredSlice
        What ``score_volume`` says of the slice: its score at every scale.
    record : dict
        What the map was made with, JSON-able.
    levels : dict
        Of the slice's score: factor of each level (``pyramid.ViewedSlice``) to its score and how many tiles
        that is of.
    """

    map: np.ndarray
    corners: np.ndarray
    values: np.ndarray
    slice_row: ScoredSlice
    record: dict[str, Any]
    levels: Mapping[float, tuple[float, int]] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        """Mean score of the tiles."""
        return float(self.values[:, 0].mean())

    def sentence(self) -> str:
        """Say how good the slice is at full size, and what its score is; why, where that is another."""
        scores, row = self.values[:, 0], self.slice_row
        said = f"mean {self.mean:.2f} at full size, {scores.min():.2f} to {scores.max():.2f}"
        if abs(row.score - self.mean) < _AGREE and not row.flagged:
            return f"{said}, as the slice's score, {score_sentence(row)}"
        why = self._why() if np.isfinite(row.score) and not row.flagged else ""
        return f"{said}; the slice's score is {score_sentence(row)}{why}"

    def _why(self) -> str:
        """Return what else than the map's tiles the slice's score is of."""
        if len(self.levels) < 2:
            return f", of the slice as a whole at {TILE_SIZE} px" if self.levels else ""
        (full, tiles), *shrunk = (self.levels[factor] for factor in sorted(self.levels))
        low, high = (f"{end(score for score, _ in shrunk):.1f}" for end in (min, max))
        full_size = f"{full:.1f} at full size (in {counted(tiles, 'tile')})"
        others = low if low == high else f"{low} to {high}"
        return f". It counts every scale, the lowest most: {full_size}, {others} shrunk"


@checked_arguments
def score_map(
    volume: Any,
    index: int = 0,
    *,
    axis: int | str = 0,
    model: str | os.PathLike[str] | None = None,
    window: IntensityWindow | tuple[float, float] | None = None,
    stride: int = STRIDE,
    region: Any = None,
    client: Any = None,
    progress: Callable[[MapProgress], object] | None = None,
    cancel: threading.Event | None = None,
) -> QualityMap:
    """Map the quality of one slice from overlapping tiles of 224 px at native resolution.

    Parameters
    ----------
    volume : Volume, array-like or path
        Shape (z, y, x), any real dtype; a 2-D image is a volume of one slice.
    index : int
        Which slice, negative from the end.
    axis : int or str
        Which axis it lies across: 0, 1, 2 or "z", "y", "x".
    model : path-like, optional
        A model bundle; the default model where omitted.
    window : IntensityWindow or (low, high), optional
        Overrides the volume's own intensity window, which is estimated where it has none.
    stride : int
        Pixels from one tile to the next at most, 1 to 224.
    region : "circle", path or array-like, optional
        Where the pixels lie that count, see ``score_volume``; the map is NaN outside.
    client : distributed.Client or str, optional
        A dask.distributed cluster, or its scheduler's address, one of whose workers maps the slice; see
        ``score_volume``.
    progress : callable, optional
        Called after each batch of tiles, in this thread; what it raises ends the work.
    cancel : threading.Event, optional
        Set it, from any thread, to end the work in less than a second.

    Returns
    -------
    QualityMap
        With the score of the slice at every scale beside it: the map shows one of them, the finest.

    Raises
    ------
    VolumeError
        If the slice cannot be read, is not there or holds nothing to judge, the stride is out of range, or
        the region cannot be used.
    BundleError
        If the model cannot be used.
    ModelProcessError
        If the model process cannot start or dies; the next call starts it anew.
    ClusterError
        If `client` does not answer, or its workers cannot do the work.
    Cancelled
        If `cancel` was set.
    """
    if client is not None:
        work = {"axis": axis, "model": model, "window": window, "stride": stride, "region": region}
        with Cluster(client) as cluster:
            (found,) = cluster.results(
                _mapped, [index], (as_volume(volume), work), cancel or threading.Event()
            )
        return found
    if not 1 <= stride <= TILE_SIZE:
        raise VolumeError(f"The stride must be 1 to {TILE_SIZE} px, not {stride}.")
    tomogram = as_volume(volume).tomogram()
    axis = tomogram.axis_number(axis)
    window = as_window(window)
    count = tomogram.slice_count(axis)
    index = index + count if -count <= index < 0 else index
    bundle = checked_model(model)
    process = shared_model_process()
    process.start()  # Keras is imported while the slice is read.
    part = as_region(region, tomogram, axis)
    whole_plane = checked_plane(tomogram.slice(axis, index))
    window = volume_window(tomogram, window, part)
    cancel = cancel or threading.Event()
    inside = None if part is None else part.inside(whole_plane, index)
    viewed = view_region(whole_plane, inside, window)
    if inside is None or inside.all():
        plane, known, place = whole_plane, whole_plane, (slice(None), slice(None))
    elif (cut := cut_region(whole_plane, inside)) is not None:
        plane, known, place = cut.pixels, cut.known, cut.box
    else:
        raise _nothing_to_map(tomogram, index, viewed.reason)
    whole = process.submit(viewed.tiles, bundle) if len(viewed.tiles) else None
    starts = [overlapping_starts(side, stride) for side in plane.shape]
    places = np.argwhere(filled_tiles(known, *starts) & (viewed.reason != NOISE_ONLY))
    grid = np.full([len(s) for s in starts], np.nan)
    seen, values = [np.empty((0, 2), int)], [np.empty((0, len(PREDICTED)), np.float32)]
    pace, done = Pace(len(places)), 0
    for tried, some, predicted in _predicted(plane, places, starts, window, bundle, process, cancel):
        grid[tuple(some.T)] = predicted[:, 0]
        seen.append(some)
        values.append(predicted)
        done += tried
        if progress:
            progress(MapProgress(done, pace.total, pace.seconds_left(done)))
    counted = np.concatenate(seen)
    if not len(counted):
        reason = viewed.reason or "no place with content as large as a tile of 224 px"
        raise _nothing_to_map(tomogram, index, reason)
    offsets = [max(0, TILE_SIZE - side) // 2 for side in plane.shape]
    corners = np.column_stack([s[i] - o for s, i, o in zip(starts, counted.T, offsets, strict=True)])
    said = answer_of(whole, cancel) if whole else np.empty((0, len(PREDICTED)))
    item = PredictedSlice(index, said, viewed.factors, viewed.reason)
    record = run_record(tomogram, axis, window, bundle, process.device)
    if part is not None:
        record["region"] = part.record()
    blended = np.full(whole_plane.shape, np.nan, np.float32)
    blended[place] = blend(known, grid, *starts)
    if inside is not None:
        blended[~inside] = np.nan
    return QualityMap(
        blended,
        corners + [side.start or 0 for side in place],
        np.concatenate(values),
        scored_slice(tomogram, axis, item),
        record | {"slice": index, "tile_size": TILE_SIZE, "stride": stride},
        {float(f): _mean_and_count(said[viewed.factors == f, 0]) for f in np.unique(viewed.factors)},
    )


def _mapped(work: tuple[Volume, dict[str, Any]], index: int) -> QualityMap:
    """Map a slice on a worker of a cluster."""
    volume, keywords = work
    return score_map(volume, index, **keywords)


def _mean_and_count(scores: np.ndarray) -> tuple[float, int]:
    return float(scores.mean()), len(scores)


def _nothing_to_map(tomogram: Volume, index: int, reason: str) -> VolumeError:
    return VolumeError(f"Slice {index} of '{tomogram.name}' holds nothing to map: {reason}.")


def _predicted(
    plane: np.ndarray,
    places: np.ndarray,
    starts: list[np.ndarray],
    window: IntensityWindow,
    model: ModelFile,
    process: ModelProcess,
    cancel: threading.Event,
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield how many tiles were tried, the places of those that are not constant, and their values."""
    pixels = reflected(plane)
    waiting: deque[tuple[int, np.ndarray, Future[np.ndarray]]] = deque()

    def first() -> tuple[int, np.ndarray, np.ndarray]:
        tried, some, answer = waiting.popleft()
        return tried, some, answer_of(answer, cancel)

    try:
        for begin in range(0, len(places), BATCH_SIZE):
            some = places[begin : begin + BATCH_SIZE]
            tiles = np.stack([native_tile(pixels, starts[0][i], starts[1][j], window) for i, j in some])
            varied = np.ptp(tiles, axis=(1, 2)) > 0
            waiting.append((len(some), some[varied], process.submit(tiles[varied], model)))
            if len(waiting) == _BATCHES_IN_FLIGHT:
                yield first()
        while waiting:
            yield first()
    finally:
        for _, _, answer in waiting:
            answer.cancel()


def write_map(quality_map: QualityMap, path: str | os.PathLike[str]) -> None:
    """Write a map as a TIFF file as ImageJ does, with its voxel size and its record; one there is replaced.

    Raises TableError if the file cannot be written; what was there before is then left as it was.
    """
    record = quality_map.record
    sizes = [
        size
        for a, size in enumerate(record["voxel_size"])
        if len(record["shape"]) == 2 or a != record["axis"]
    ]
    tiff = io.BytesIO()  # since tifffile writes to no file without a name
    tifffile.imwrite(
        tiff,
        quality_map.map,
        imagej=True,
        resolution=(1 / sizes[1], 1 / sizes[0]),
        metadata={
            "axes": "YX",
            "unit": record["unit"].replace("µ", "u"),  # ImageJ's description is ASCII
            "min": SCORE_RANGE[0],
            "max": SCORE_RANGE[1],
            "Info": json.dumps(record, indent=1),
        },
    )
    with (
        explained(TableError, f"{path} cannot be written", "choose another place for the map"),
        whole_file(path) as file,
    ):
        file.write(tiff.getbuffer())
