"""Filter a whole volume and store it: reading, filtering and writing overlap, memory stays bounded.

The calling thread takes slices from ``map_slices``, a pool with a thread per core filters them, one more
thread writes them in order. What is written stays, so that an export can be resumed after any interruption.
"""

import errno
import math
import os
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_tiqa.arguments import checked_arguments
from napari_tiqa.errors import Cancelled, ExportError, TiqaError
from napari_tiqa.filtering.lazy import Application, apply_to
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.filtering.unfinished_export import UnfinishedExport, done_slices
from napari_tiqa.jobs.process.cluster import LONGEST, Cluster, pieces_of
from napari_tiqa.jobs.process.place import free_space, is_taken, refuse_input, size_text
from napari_tiqa.jobs.process.record import fingerprint
from napari_tiqa.jobs.process.waiting import ahead
from napari_tiqa.progress import Pace, Progress, Throttled
from napari_tiqa.volumes.open import as_volume, open_volume
from napari_tiqa.volumes.slices import map_slices
from napari_tiqa.volumes.threads import CORES
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow, as_window
from napari_tiqa.volumes.writing.formats import FORMATS, format_for
from napari_tiqa.volumes.writing.volume_writer import VolumeLayout, VolumeWriter
from napari_tiqa.wording import expanded

_FILTERED_AHEAD = 2 * CORES  # slices read or filtered that wait for those before them
_WRITTEN_AHEAD = 2
_PIECE = 2**25  # bytes of pixels that a worker sends at a time
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@checked_arguments
def export(
    volume: Any,
    pipeline: Pipeline,
    output: str | os.PathLike[str],
    *,
    axis: int | str = 0,
    window: IntensityWindow | tuple[float, float] | None = None,
    format: str | None = None,
    overwrite: bool = False,
    again: bool = False,
    client: Any = None,
    progress: Callable[[Progress], object] | None = None,
    cancel: threading.Event | None = None,
) -> dict[str, Any]:
    """Filter all slices of a volume and store the result.

    Until it is complete, the result is kept in a folder beside `output`, ``<output>.unfinished``. The same
    call resumes after a cancel, an error or the end of the process; slices that are written are
    not filtered again, and the result is the same as without the interruption.

    Parameters
    ----------
    volume : Volume, array-like or path
        Shape (z, y, x) or (y, x), any real dtype; one position of its time and channel axes.
    pipeline : Pipeline
        A ring centre that is left to be found is found in the middle slice, for all.
    output : path-like
        Where to: a name ending with .zarr (OME-Zarr), .tif (one TIFF file, as ImageJ writes them, or an OME
        BigTIFF), or without an end (a folder of TIFF slices).
    axis : int or str
        Filter the slices across this axis: 0, 1, 2 or "z", "y", "x"; a TIFF can be written along axis 0 only.
    window : IntensityWindow or (low, high), optional
        What parameters "% of the window" refer to; the volume's own, or estimated, where omitted.
    format : str, optional
        "ome-zarr", "tiff" or "tiff-slices", where the name does not tell.
    overwrite : bool
        Replace an earlier export, or throw away an unfinished one with other settings. Other files are never
        replaced.
    again : bool
        Also where the volume says that it has been filtered with the same pipeline already.
    client : distributed.Client or str, optional
        A dask.distributed cluster, or its scheduler's address, whose workers read and
        filter the slices, which are written here; see ``score_volume``.
    progress : callable, optional
        Called with a Progress (slices), at most five times a second, in this thread; what it raises ends the
        export as a cancel does.
    cancel : threading.Event, optional
        Set it, from any thread, to end the export once the slices under way are written.

    Returns
    -------
    dict
        The record of what was applied, as the output holds it, ``Volume.applied[-1]``.

    Raises
    ------
    ExportError
        The place is taken, is that of the volume, is full or not writable, or the format cannot hold the
        volume.
    FilterError
        The pipeline has been applied already, no step is on, or a slice is too small for it.
    VolumeError
        The volume cannot be read, or has no such axis or window.
    ClusterError
        If `client` does not answer, or its workers cannot do the work.
    Cancelled
        `cancel` was set.
    """
    volume = as_volume(volume).tomogram()
    number: int = volume.axis_number(axis)
    window = as_window(window)
    count = volume.slice_count(number)
    output = expanded(output)
    format = format_for(output, format)
    _check_place(output, volume, overwrite)
    check_format(volume, number, format)
    _check_space(output, export_size(volume, format) * (count - done_slices(output)) // count)
    application = apply_to(pipeline, volume, axis=number, window=window, again=again)
    plan = {
        "format": format,
        "slices": count,
        "slices_sha256": fingerprint(volume, number),
        "applied_before": [dict(record) for record in volume.applied],
        "record": application.record,
    }
    run = _Export(application, output, plan)
    cancel = cancel or threading.Event()
    if client is None:
        return run.run(overwrite, progress, cancel)
    with Cluster(client) as run.cluster:
        return run.run(overwrite, progress, cancel)


def check_format(volume: Volume, axis: int, format: str) -> None:
    """Refuse a format that cannot hold a volume; the ExportError says which to choose instead."""
    FORMATS[format].writer.check(VolumeLayout.of(volume, axis, ()))


def export_size(volume: Volume, format: str) -> int:
    """Return how many bytes an export takes at most."""
    return FORMATS[format].writer.nbytes(VolumeLayout.of(volume, 0, ()))


class _Export:
    """One export under way."""

    def __init__(self, application: Application, output: Path, plan: dict[str, Any]) -> None:
        self.application = application
        self.total = int(plan["slices"])
        self.kept = UnfinishedExport(output, plan)
        self.cluster: Cluster | None = None

    def run(
        self,
        overwrite: bool,
        progress: Callable[[Progress], object] | None,
        cancel: threading.Event,
    ) -> dict[str, Any]:
        kept = self.kept
        try:
            kept.open(overwrite)
            writer = self._writer()
            try:
                self._begin(writer, cancel)
                self._write_all(writer, progress, cancel)
            finally:
                writer.close()
            kept.finish(overwrite)
        except Cancelled as error:
            if kept.done == 0:
                raise Cancelled("The export was cancelled before a slice was written.") from error
            raise Cancelled(
                f"{kept.done} of {self.total} slices are written to {kept.folder}; run the same export "
                "again to resume."
            ) from error
        except OSError as error:
            raise self._cannot_write(error) from error
        finally:
            kept.close()
        record: dict[str, Any] = kept.plan["record"]
        return record

    def _writer(self) -> VolumeWriter:
        # The record of an export that is resumed has the date when it was begun.
        applied = (*self.kept.plan["applied_before"], self.kept.plan["record"])
        layout = VolumeLayout.of(self.application.volume, self.application.axis, applied)
        return FORMATS[self.kept.plan["format"]].writer(self.kept.data, layout)

    def _begin(self, writer: VolumeWriter, cancel: threading.Event) -> None:
        """Get ready for the first slice that is not written yet, or was damaged since."""
        kept = self.kept
        try:
            writer.begin(kept.done)
        except (OSError, ExportError):
            raise
        except Exception as error:  # whatever a damaged file makes of the reading
            damaged = ExportError(
                f"The unfinished export in {kept.folder} is damaged: remove that folder, and export again."
            )
            raise damaged from error
        kept.keep_intact(writer.stored, cancel)

    def _write_all(
        self,
        writer: VolumeWriter,
        progress: Callable[[Progress], object] | None,
        cancel: threading.Event,
    ) -> None:
        def write(item: tuple[int, np.ndarray]) -> int:
            writer.write(*item)
            self.kept.add(item[1])
            return self.kept.done

        pace, show = Pace(self.total), Throttled(progress)
        with (
            closing(self._filtered(cancel)) as filtered,
            ThreadPoolExecutor(1, thread_name_prefix="napari-tiqa-write") as writers,
        ):
            # All that is filtered is also written.
            for done in ahead(writers, write, filtered, _WRITTEN_AHEAD, threading.Event()):
                show(Progress(done, self.total, pace.seconds_left(done)), at_once=done == self.total)

    def _filtered(self, cancel: threading.Event) -> Generator[tuple[int, np.ndarray], None, None]:
        """Give the slices that are not written yet, filtered on all cores or on a cluster."""

        def apply(item: tuple[int, np.ndarray]) -> tuple[int, np.ndarray]:
            return item[0], self.application(item[1])

        if self.cluster is not None:
            volume, axis = self.application.volume, self.application.axis
            todo = range(self.kept.done, self.total)
            few = max(1, min(LONGEST, _PIECE // (math.prod(volume.slice_shape(axis)) * volume.data.itemsize)))
            pieces = pieces_of(volume, axis, todo, few)
            for piece in self.cluster.results(_filtered_slices, pieces, self.application, cancel):
                yield from piece
            return
        with ThreadPoolExecutor(CORES, thread_name_prefix="napari-tiqa-filter") as filters:
            yield from ahead(filters, apply, self._read(cancel), _FILTERED_AHEAD, cancel)

    def _read(self, cancel: threading.Event) -> Iterator[tuple[int, np.ndarray]]:
        """Give the slices that are not written yet, each in memory of its own."""
        volume, axis = self.application.volume, self.application.axis
        own = partial(np.array, order="C", copy=True)
        todo = range(self.kept.done, self.total)
        for item in map_slices(volume, axis, todo, own, cancel=cancel):
            if cancel.is_set():
                raise Cancelled("The export was cancelled.")
            yield item

    def _cannot_write(self, error: OSError) -> ExportError:
        kept = self.kept
        far = f" after {kept.done} of {self.total} slices" if kept.done else ""
        then = "run the same export again to resume" if kept.done else "export again"
        if error.errno in _DISK_FULL:
            return ExportError(f"The disk of {kept.output.parent} is full{far}: make room, then {then}.")
        return ExportError(
            f"{kept.output} cannot be written{far} ({error.strerror or error}): remove the cause, then "
            f"{then}, or choose another place."
        )


def _filtered_slices(application: Application, indices: list[int]) -> list[tuple[int, np.ndarray]]:
    """Filter slices on a worker of a cluster."""
    return [(index, application(application.volume.slice(application.axis, index))) for index in indices]


def _check_place(output: Path, volume: Volume, overwrite: bool) -> None:
    """Refuse a place in the volume, taken by anything but an earlier export, or not writable."""
    folder = output.parent
    free_space(output)  # there is such a folder
    refuse_input(output, volume, "filtered")
    if is_taken(output):
        if not _is_export(output):
            raise ExportError(
                f"{output} exists already and was not exported by napari-tiqa: choose another name, or "
                "remove it yourself."
            )
        if not overwrite:
            error = ExportError(
                f"{output} exists already: choose another name, or add --overwrite (in Python: "
                "overwrite=True) to replace it."
            )
            error.replaceable = True
            raise error
    if not os.access(folder, os.W_OK):
        raise ExportError(f"The folder {folder} is not writable: choose another place.")


def _check_space(output: Path, needed: int) -> None:
    """Refuse to fill a disk: raise ExportError if fewer than the bytes still needed are free."""
    free = free_space(output)
    if needed > free:
        raise ExportError(
            f"The export may take {size_text(needed)}, and the disk of {output.parent} has {size_text(free)} "
            "left: make room, or choose another place."
        )


def _is_export(path: Path) -> bool:
    """Tell whether a file or folder is a volume that says what was applied to it."""
    try:
        return bool(open_volume(path).applied)
    except TiqaError:
        return False
