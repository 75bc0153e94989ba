"""Segment a volume slice by slice: reading, the network and writing overlap, memory stays bounded.

The calling thread takes slices from ``map_slices``, which reads ahead, a few threads wait for the model
process to see them, and one more writes what comes back. What is written stays, so that a run can be
resumed after any interruption.
"""

import math
import os
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_tiqa.arguments import checked_arguments
from napari_tiqa.errors import Cancelled, SegmentationError
from napari_tiqa.filtering.slice_frame import content_pixels
from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.jobs.process.cluster import LONGEST, Cluster, pieces_of
from napari_tiqa.jobs.process.messages import ModelFile
from napari_tiqa.jobs.process.place import free_space, refuse_input, stored_at
from napari_tiqa.jobs.process.record import checked_model, fingerprint, model_card, run_record
from napari_tiqa.jobs.process.waiting import ahead, answer_of
from napari_tiqa.jobs.segmentation.result import Segmentation
from napari_tiqa.jobs.segmentation.store import SegmentationStore, cannot_write, temporary_store
from napari_tiqa.progress import Pace, Progress
from napari_tiqa.scoring.bundle import SEGMENTATION
from napari_tiqa.segmentation.network_input import network_image
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.slice_grammar import Slices
from napari_tiqa.volumes.slices import chosen_slices, map_slices
from napari_tiqa.volumes.volume import MIN_SIDE, Volume
from napari_tiqa.volumes.window import IntensityWindow, as_window
from napari_tiqa.volumes.window_estimate import volume_window
from napari_tiqa.wording import expanded

_TASK = "napari_tiqa.segmentation.segmenter:segment_image"
_ASKED_AHEAD = 3  # one under way, one on its way, and one that waits for its turn
_WRITTEN_AHEAD = 2
_PIECE = 2**25  # bytes that a worker sends at a time, at some 8 a pixel


@dataclass(frozen=True)
class PredictProgress(Progress):
    """Slices done of those asked for; those that were there already count as done.

    `index` is the slice just done, which can be read from `segmentation` (what ``segment`` will return) now;
    None in the first report, which comes before any slice.
    """

    index: int | None
    segmentation: Segmentation


@checked_arguments
def segment(
    volume: Any,
    *,
    slices: Slices = None,
    axis: int | str = 0,
    model: str | os.PathLike[str] | None = None,
    window: IntensityWindow | tuple[float, float] | None = None,
    output: str | os.PathLike[str] | None = None,
    again: bool = False,
    client: Any = None,
    progress: Callable[[PredictProgress], object] | None = None,
    cancel: threading.Event | None = None,
) -> Segmentation:
    """Segment the slices of a volume along one axis.

    Slices that are in `output` already, by the same model and window and of the same volume, are not
    segmented again: the same call resumes where a cancel, an error or the end of the process has stopped it,
    and a call for other slices adds them.

    Parameters
    ----------
    volume : Volume, array-like or path
        Shape (z, y, x) or (y, x), any real dtype; one position of its time and channel axes.
    slices : slice, range or iterable of int, optional
        Indices along the axis, negative ones from the end; all slices where omitted.
    axis : int or str
        Which axis to go along: 0, 1, 2 or "z", "y", "x".
    model : path-like, optional
        A segmenter's bundle; the bundled one, for battery electrodes, where omitted.
    window : IntensityWindow or (low, high), optional
        The intensity window; the volume's own, or estimated, where omitted.
    output : path-like, optional
        A folder to keep the probabilities in, by custom ``*.zarr``: a new one, or one with slices of this
        volume. Where omitted, they are kept in the cache folder until this Python process ends, and later
        calls for the same volume, model and window go on with them.
    again : bool
        Segment also slices that are there already. Slices of a volume that lies in no file are looked at
        whether they are still the same; of a file, the first, the middle and the last one tell.
    client : distributed.Client or str, optional
        A dask.distributed cluster, or its scheduler's address, whose workers do the work; see
        ``score_volume``.
    progress : callable, optional
        Called in this thread with a PredictProgress, before the first slice and after each; what it raises
        ends the run.
    cancel : threading.Event, optional
        Set it, from any thread, to end the run in less than a second.

    Returns
    -------
    Segmentation
        All slices that are done, also by earlier calls.

    Raises
    ------
    SegmentationError
        `output` holds something else, such as slices by another model, another run writes to it, or it cannot
        be written; or the model was replaced on the way.
    ExportError
        `output` is the volume or lies in it, or in a folder that is not there.
    VolumeError
        The volume cannot be read, or has no such axis, slices or window.
    BundleError
        The model cannot be used.
    ModelProcessError
        The model process cannot start or dies; the same call resumes.
    ClusterError
        If `client` does not answer, or its workers cannot do the work.
    Cancelled
        `cancel` was set; what is done is kept.
    """
    tomogram = as_volume(volume).tomogram()
    axis = tomogram.axis_number(axis)
    window = as_window(window)
    indices = chosen_slices(tomogram, slices, axis)
    bundle = checked_model(model, SEGMENTATION)
    place = None if output is None else _checked_place(output, tomogram)
    window = volume_window(tomogram, window)
    record = run_record(tomogram, axis, window, bundle, "", SEGMENTATION)
    del record["device"]  # the slices of a store may come from several
    classes = model_card(bundle, SEGMENTATION)["classes"]
    record |= {"classes": classes, "slices_sha256": fingerprint(tomogram, _across(tomogram, axis))}
    store = SegmentationStore.begin(place or temporary_store(record), record)
    run = _Run(tomogram, axis, window, bundle, store, indices, client)
    with store:
        return run.segment(again, progress, cancel or threading.Event())


def open_segmentation(path: str | os.PathLike[str]) -> Segmentation:
    """Open what ``segment`` has kept in an `output`; raises SegmentationError if there is no segmentation."""
    return SegmentationStore.open(expanded(path)).segmentation()


@dataclass(frozen=True)
class _Prepared:
    """A slice for the network, where it is not content (None: nowhere), and what tells it from others."""

    image: np.ndarray
    missing: np.ndarray | None
    checksum: int

    @classmethod
    def of(cls, plane: np.ndarray, window: IntensityWindow) -> "_Prepared":
        """Prepare a slice."""
        inside = content_pixels(plane)  # padding is not a phase: it stays without one
        missing = None if inside.all() else ~inside
        return cls(network_image(plane, window), missing, _checksum(plane))

    def seen_by(self, model: str, cancel: threading.Event) -> np.ndarray:
        """Return the probabilities of each class, NaN where the slice is not content."""
        answer = shared_model_process().run(_TASK, {"path": model, "image": self.image})
        probabilities: np.ndarray = answer_of(answer, cancel)
        if self.missing is not None:
            probabilities[:, self.missing] = np.nan
        return probabilities


@dataclass(frozen=True)
class _Run:
    """One run over a volume."""

    volume: Volume
    axis: int
    window: IntensityWindow
    model: ModelFile
    store: SegmentationStore
    indices: list[int]
    client: Any

    def segment(
        self,
        again: bool,
        progress: Callable[[PredictProgress], object] | None,
        cancel: threading.Event,
    ) -> Segmentation:
        result, pace = self.store.segmentation(), Pace(len(self.indices))
        done = 0
        try:
            present = set() if again else self._present(cancel)
            todo, done = [index for index in self.indices if index not in present], len(present)
            if progress:
                progress(PredictProgress(done, pace.total, None, None, result))
            if todo:
                shared_model_process().start()  # Keras is imported while the first slices are read
            for index in self._kept(todo, cancel):
                done += 1
                if progress:
                    progress(PredictProgress(done, pace.total, pace.seconds_left(done), index, result))
        except Cancelled as error:
            raise Cancelled(
                f"{done} of {pace.total} slices are segmented; run it again to resume."
            ) from error
        return result

    def _present(self, cancel: threading.Event) -> set[int]:
        """Find the slices that need not be segmented again."""
        present = []
        for index in self.indices:
            if cancel.is_set():
                raise Cancelled("The segmentation was cancelled.")
            if index in self.store.rows and self.store.is_intact(index):
                present.append(index)
        if stored_at(self.volume):
            return set(present)
        # What lies in memory may have been changed, if only one slice of it.
        now = map_slices(self.volume, self.axis, present, _checksum, cancel=cancel)
        return {index for index, checksum in now if checksum == self.store.checksums[index]}

    def _kept(self, todo: list[int], cancel: threading.Event) -> Iterator[int]:
        """Give the index of each slice as soon as it is written."""
        if self.client is not None:
            work = (self.volume, self.axis, self.window, self.model.path)
            few = max(1, min(LONGEST, _PIECE // (8 * math.prod(self.volume.slice_shape(self.axis)))))
            pieces = pieces_of(self.volume, self.axis, todo, few)
            with (
                Cluster(self.client) as cluster,
                closing(cluster.results(_segmented, pieces, work, cancel)) as results,
            ):
                for piece in results:
                    yield from map(self._keep, piece)
            return
        with (
            ThreadPoolExecutor(_ASKED_AHEAD, thread_name_prefix="napari-tiqa-ask") as askers,
            ThreadPoolExecutor(1, thread_name_prefix="napari-tiqa-write") as writers,
        ):
            prepared = map_slices(self.volume, self.axis, todo, self._prepare, cancel=cancel)
            seen = ahead(askers, partial(self._see, cancel=cancel), prepared, _ASKED_AHEAD, cancel)
            # All that the network has seen is also written.
            yield from ahead(writers, self._keep, seen, _WRITTEN_AHEAD, threading.Event())

    def _prepare(self, plane: np.ndarray) -> _Prepared:
        return _Prepared.of(plane, self.window)

    def _see(self, item: tuple[int, _Prepared], cancel: threading.Event) -> tuple[int, np.ndarray, int]:
        index, prepared = item
        probabilities = prepared.seen_by(self.model.path, cancel)
        # The model process looks at the file for each slice, as a training may finish meanwhile.
        if ModelFile.of(self.model.path) != self.model:
            raise SegmentationError(
                f"The model {self.model.path} was replaced while it was at work: segment again with the "
                "new one."
            )
        return index, probabilities, prepared.checksum

    def _keep(self, item: tuple[int, np.ndarray, int]) -> int:
        try:
            self.store.write(*item)
        except OSError as error:
            raise cannot_write(self.store.folder, error) from error
        return item[0]


def _segmented(
    work: tuple[Volume, int, IntensityWindow, str], indices: list[int]
) -> list[tuple[int, np.ndarray, int]]:
    """Segment slices on a worker of a cluster: index, probabilities and checksum of each."""
    volume, axis, window, model = work
    found = []
    for index in indices:
        prepared = _Prepared.of(volume.slice(axis, index), window)
        found.append((index, prepared.seen_by(model, threading.Event()), prepared.checksum))
    return found


def _checked_place(output: str | os.PathLike[str], volume: Volume) -> Path:
    place = expanded(output)
    free_space(place)  # there is such a folder
    refuse_input(place, volume, "segmented")
    return place


def _checksum(plane: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(plane).data)


def _across(volume: Volume, axis: int) -> int:
    """Return the axis along which slices are read soonest, to tell volumes apart by some of them."""
    return 0 if min(volume.data.shape[-2:]) >= MIN_SIDE else axis
