"""A segmented volume on disk: probabilities, filled slice by slice, that no interruption can spoil."""

import errno
import hashlib
import json
import os
import zlib
from io import FileIO
from pathlib import Path
from typing import Any, Self

import dask.array
import numpy as np
import zarr
from filelock import BaseFileLock

from napari_tiqa.errors import SegmentationError
from napari_tiqa.jobs.process.place import is_taken
from napari_tiqa.jobs.process.temporary_folder import temporary_folder
from napari_tiqa.jobs.segmentation.result import Segmentation, row_length, row_of
from napari_tiqa.json_text import read_json
from napari_tiqa.locks import AlreadyLocked, hold, remove
from napari_tiqa.segmentation.classes import Classes
from napari_tiqa.segmentation.segmenter import classes_of
from napari_tiqa.volumes.applied import KEY, note_under
from napari_tiqa.volumes.readers.ome_zarr import ZarrStack
from napari_tiqa.volumes.stored import lazy
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.volumes.writing.ome_zarr import space_axes
from napari_tiqa.volumes.writing.zarr_chunks import COMPRESSOR, store_plane
from napari_tiqa.whole_file import append, whole_folder

PROBABILITY = "probability"
_CHUNK_SIDE = 1024  # px, within a slice
_RECORD = "segmentation"
_ROWS = "slices.csv"
_LOCK = ".lock"
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


class SegmentationStore:
    """The folder that a segmented volume is kept in, a Zarr 2 group that ``begin`` makes.

    ``probability`` in it is an OME-Zarr image with the axes (c, z, y, x) or (c, y, x), float16, whose pixels
    are NaN until they are written. Beside its chunks lies a line of text for each slice that is written: what
    the table says of it. A slice without a line counts as not there. By the index of each slice that is
    there, `rows` has what a table says of it, `checksums` the checksum of its pixels in the volume; the line
    has that of its probabilities too.
    """

    def __init__(self, folder: Path, record: dict[str, Any]) -> None:
        self.folder = folder
        self.record = record
        self.classes: Classes = classes_of(record)
        self._place = folder / PROBABILITY / "0"
        self._array = zarr.open_array(self._place, mode="r")
        self._log: FileIO | None = None
        self._lock: BaseFileLock | None = None
        complete, _, _ = (self._place / _ROWS).read_text("ascii").rpartition("\n")
        lines = [line.split(",") for line in complete.splitlines()]
        lacking = [np.nan] * row_length(self.classes)  # of what an earlier version has not kept
        self.rows = {
            int(index): (*map(float, values), *lacking[len(values) :]) for index, _, *values in lines
        }
        both = {int(index): checksums.split("/") for index, checksums, *_ in lines}
        self.checksums = {index: int(own) for index, (own, *_) in both.items()}
        self._stored = {index: int(stored) for index, (_, *rest) in both.items() for stored in rest}

    @classmethod
    def begin(cls, folder: Path, record: dict[str, Any]) -> Self:
        """Make the store in an empty folder, or open one of the same volume, model, window and axis.

        The record is a ``run_record``, with "slices_sha256" and "classes". Raises SegmentationError if
        something else is there, or the folder cannot be written.
        """
        try:
            if not is_taken(folder):
                if not folder.parent.is_dir():
                    raise SegmentationError(
                        f"There is no folder {folder.parent}: make it, or choose another place."
                    )
                with whole_folder(folder) as unfinished:
                    _make(unfinished, record)
        except OSError as error:
            raise cannot_write(folder, error) from error
        store = cls.open(folder)
        _refuse_another(store, record)
        return store

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open a store; raises SegmentationError if there is none in the folder."""
        record = read_record(folder)
        if record is None:
            raise SegmentationError(
                f"{folder} does not hold a segmentation by napari-tiqa: choose another name, or "
                "remove it yourself."
            )
        try:
            store = cls(folder, record)
            _identities(record)
            IntensityWindow(**record["window"])
            return store
        except Exception as error:  # whatever a damaged record, table or array makes of the reading
            raise SegmentationError(
                f"The segmentation in {folder} is damaged: remove it, and segment again."
            ) from error

    def __enter__(self) -> Self:
        """Keep others from writing; SegmentationError if another run writes, or it cannot be written."""
        try:
            self._lock = hold(self.folder / _LOCK)
            log = (self._place / _ROWS).open("r+b", buffering=0)
        except AlreadyLocked as error:
            raise SegmentationError(
                f"Another run is writing to {self.folder}: wait for it, cancel it, or choose another name."
            ) from error
        except OSError as error:
            if self._lock is not None:
                remove(self._lock)
            raise cannot_write(self.folder, error) from error
        # A line that a full disk has cut short would spoil the next one.
        log.truncate(log.read().rfind(b"\n") + 1)
        log.seek(0, os.SEEK_END)
        self._log = log
        return self

    def __exit__(self, *_: object) -> None:
        """Let others write to it."""
        assert self._log is not None
        assert self._lock is not None
        self._log.close()
        remove(self._lock)

    def write(self, index: int, probabilities: np.ndarray, checksum: int) -> None:
        """Write a slice; it is there when this returns, also if the process is killed then.

        The probabilities have the shape (classes, rows, columns), float16, NaN where there is none; the
        checksum tells whether the volume's slice is still the same. Raises OSError.
        """
        assert self._log is not None
        for number, plane in enumerate(probabilities):
            where: list[int | None] = [number, *(None,) * (self._array.ndim - 1)]
            if self._array.ndim == 4:
                where[1 + self.record["axis"]] = index
            store_plane(self._place, self._array, where, plane)
        row, stored = row_of(probabilities, self.classes), _checksum(probabilities)
        line = ",".join([str(index), f"{checksum}/{stored}", *(f"{value:.6g}" for value in row)])
        append(self._log, f"{line}\n".encode())
        self.checksums[index], self._stored[index] = checksum, stored
        self.rows[index] = row

    def is_intact(self, index: int) -> bool:
        """Tell whether a slice that is there is what was written; unknown of one by an earlier version."""
        if index not in self._stored:
            return True
        where: list[Any] = [slice(None)] * self._array.ndim
        if self._array.ndim == 4:
            where[1 + self.record["axis"]] = index
        try:
            return _checksum(np.asarray(self._array[tuple(where)])) == self._stored[index]
        except Exception:  # whatever a damaged chunk makes of the reading
            return False

    def segmentation(self) -> Segmentation:
        """Return what is there, and what will be."""
        shape = self._array.shape
        chunks = [len(self.classes), *shape[1:]]
        if len(shape) == 4:
            chunks[1 + self.record["axis"]] = 1
        probabilities: dask.array.Array = lazy(ZarrStack(self._array), tuple(chunks))
        window = IntensityWindow(**self.record["window"])
        return Segmentation(probabilities, self.classes, self.record["axis"], window, self.record, self.rows)


def _checksum(probabilities: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(probabilities).reshape(-1).view(np.uint8).data)


def read_record(folder: Path) -> dict[str, Any] | None:
    """Return what a store was made with, None where there is no store."""
    try:
        attributes = read_json(folder / ".zattrs")
    except (OSError, ValueError):
        return None
    record = note_under(attributes).get(_RECORD)
    return record if isinstance(record, dict) else None


def cannot_write(folder: Path, error: OSError) -> SegmentationError:
    """Return the error that says why a store cannot be written and what to do."""
    if error.errno in _DISK_FULL:
        return SegmentationError(
            f"The disk of {folder.parent} is full: make room, then run it again to resume."
        )
    return SegmentationError(
        f"{folder} cannot be written ({error.strerror or error}): remove the cause, or choose another place."
    )


def _make(folder: Path, record: dict[str, Any]) -> None:
    shape, axis = record["shape"], record["axis"]
    chunks = [min(side, _CHUNK_SIDE) for side in shape]
    if len(shape) == 3:
        chunks[axis] = 1
    zarr.create_group(folder, zarr_format=2, attributes={KEY: {_RECORD: record}})
    image = zarr.create_group(
        folder / PROBABILITY, zarr_format=2, attributes=_image_attributes(record), overwrite=True
    )
    image.create_array(
        "0",
        shape=(len(record["classes"]["values"]), *shape),
        # A class of its own each, so that one is shown without reading the others.
        chunks=(1, *chunks),
        dtype=np.float16,
        compressors=COMPRESSOR,
        chunk_key_encoding={"name": "v2", "separator": "/"},
        fill_value=np.nan,
    )
    (folder / PROBABILITY / "0" / _ROWS).touch()


def _image_attributes(record: dict[str, Any]) -> dict[str, Any]:
    axes = [{"name": "c", "type": "channel"}, *space_axes("zyx"[-len(record["shape"]) :], record["unit"])]
    scale = {"type": "scale", "scale": [1.0, *record["voxel_size"]]}
    levels = [{"path": "0", "coordinateTransformations": [scale]}]
    channels = [{"label": name} for name in record["classes"]["names"]]
    return {
        "multiscales": [{"version": "0.4", "axes": axes, "datasets": levels}],
        "omero": {"channels": channels},
    }


def temporary_store(record: dict[str, Any]) -> Path:
    """Return where the slices of a record are kept until this process ends; raises SegmentationError."""
    identity = json.dumps([identity for _, identity in _identities(record)])
    try:
        folder = temporary_folder("segmentations")
    except OSError as error:
        raise cannot_write(Path(error.filename or "The cache folder"), error) from error
    return folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:16]}.zarr"


def _identities(record: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return all that decides the pixels of a store, each with what to say where another has it otherwise."""
    low, high = record["window"]["low"], record["window"]["high"]
    return [
        ("of another volume", [record["slices_sha256"], *record["shape"]]),
        (f"along axis {record['axis']}", record["axis"]),
        ("by another model", record["model"]["weights_sha256"]),
        (f"in the intensity window {low:g} to {high:g}", [low, high]),
    ]


def _refuse_another(store: SegmentationStore, record: dict[str, Any]) -> None:
    """Refuse to mix slices that do not belong together."""
    for (what, present), (_, wanted) in zip(_identities(store.record), _identities(record), strict=True):
        if present != wanted:
            raise SegmentationError(
                f"{store.folder} holds a segmentation {what}: choose another name, or remove it yourself."
            )
