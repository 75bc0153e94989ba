"""An export under way: a folder beside its output with all it needs to be resumed after an interruption."""

import json
import os
import shutil
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
from filelock import BaseFileLock

from napari_tiqa.errors import Cancelled, ExportError
from napari_tiqa.jobs.process.place import is_taken
from napari_tiqa.json_text import read_json
from napari_tiqa.locks import AlreadyLocked, hold
from napari_tiqa.whole_file import append, whole_file

_PLAN, _DONE, _REPLACED = "export.json", "done.txt", "replaced"
_LINE = 9  # bytes of a line: the checksum of a slice, eight hexadecimal digits
_LOCK = ".lock"


class UnfinishedExport:
    """The folder ``<output>.unfinished``, which exists until all slices are written.

    The plan is what decides the pixels, JSON-able: only the same plan may be resumed. `data` is where the
    output lies until it is complete, and `done` how many slices are written: those before this index. Of each
    a checksum is kept, by which one that was damaged since is told.
    """

    def __init__(self, output: Path, plan: dict[str, Any]) -> None:
        self.output = output
        self.plan = plan
        self.folder = unfinished_folder(output)
        self.data = self.folder / output.name
        self.done = 0
        self._log: FileIO | None = None
        self._lock: BaseFileLock | None = None

    def open(self, overwrite: bool) -> None:
        """Resume what is there, or begin where there is nothing.

        `overwrite` discards what another plan has left. Raises ExportError if another plan has left something
        or another export is writing, OSError if the folder cannot be written.
        """
        if self.folder.exists():
            self._check_ours()
            self._open_log()
            self.done = done_slices(self.output)
            earlier = read_plan(self.output)
            if self.data.exists() and _same(earlier, self.plan):
                assert earlier is not None
                self.plan = earlier  # keeps the date when it was begun
            elif self.data.exists() and not overwrite:
                error = ExportError(
                    f"{self.folder} holds an unfinished export of another volume or with other settings: "
                    "choose another name, or add --overwrite (in Python: overwrite=True) to discard it."
                )
                error.replaceable = True
                raise error
            else:
                self.discard()
        if not self.folder.exists():
            self.done = 0
            self.folder.mkdir()
            with whole_file(self.folder / _PLAN) as file:
                file.write(json.dumps(self.plan, indent=1).encode())
            self._open_log()
        if self.done == 0:
            _remove(self.data)

    def add(self, plane: np.ndarray) -> None:
        """Write down that one more slice is written; for a process that is killed in the next moment."""
        assert self._log is not None
        append(self._log, _line(plane))
        self.done += 1

    def keep_intact(self, stored: Callable[[int], np.ndarray], cancel: threading.Event) -> None:
        """Read back what is written, and count only the slices before the first that is damaged.

        `stored` reads one of them and may raise any error; `cancel` ends this with Cancelled.
        """
        assert self._log is not None
        lines = (self.folder / _DONE).read_bytes()
        for index in range(self.done):
            if cancel.is_set():
                raise Cancelled("The export was cancelled.")
            if not _is_intact(stored, index, lines[index * _LINE : (index + 1) * _LINE]):
                self.done = index
                break
        self._log.truncate(self.done * _LINE)

    def finish(self, overwrite: bool) -> None:
        """Put the output in its place; what it replaces goes last.

        Raises ExportError if the place was free when the export began, and is not any more.
        """
        self.close()
        if is_taken(self.output):
            if not overwrite:
                raise ExportError(
                    f"{self.output} was made by another program during the export: remove it, then export "
                    "again to put the filtered volume there."
                )
            os.replace(self.output, self.folder / _REPLACED)
        elif self.output.exists():
            self.output.rmdir()
        os.replace(self.data, self.output)
        with suppress(OSError):  # the output is there: what cannot be removed is not its fault
            self.discard()

    def _open_log(self) -> None:
        """Open the count of slices, and keep others from writing the same export at the same time."""
        try:
            self._lock = hold(self.folder / _LOCK)
        except AlreadyLocked as error:
            raise ExportError(
                f"Another export is writing to {self.folder}: wait for it, or choose another name."
            ) from error
        self._log = (self.folder / _DONE).open("ab", buffering=0)

    def _check_ours(self) -> None:
        """Refuse to throw away what an export has not made."""
        ours = {_PLAN, _DONE, _REPLACED, self.data.name}
        if any(path.name not in ours and not path.name.startswith(".") for path in self.folder.iterdir()):
            raise ExportError(f"The folder {self.folder} is in the way: remove it, or choose another name.")

    def close(self) -> None:
        """Let go of the folder, which stays if a slice is written."""
        if self._lock is not None and self._lock.is_locked:
            if self.done == 0:
                self.discard()
            self._unlock()

    def discard(self) -> None:
        """Throw away all that was done."""
        self._unlock()
        shutil.rmtree(self.folder)

    def _unlock(self) -> None:
        if self._log is not None:
            self._log.close()
        if self._lock is not None:
            self._lock.release()


def unfinished_folder(output: Path) -> Path:
    """Return the folder that an export is kept in until it is finished."""
    return output.with_name(f"{output.name}.unfinished")


def read_plan(output: Path) -> dict[str, Any] | None:
    """Return what an unfinished export is to become, None where there is none or it cannot be read."""
    try:
        plan = read_json(unfinished_folder(output) / _PLAN)
    except (OSError, ValueError):
        return None
    return plan if isinstance(plan, dict) else None


def done_slices(output: Path) -> int:
    """Return how many slices of an unfinished export are written."""
    try:
        return (unfinished_folder(output) / _DONE).stat().st_size // _LINE
    except OSError:
        return 0


def _line(plane: np.ndarray) -> bytes:
    """Return the checksum of a slice's pixels as a line of text."""
    return b"%08x\n" % zlib.crc32(np.ascontiguousarray(plane).reshape(-1).view(np.uint8).data)


def _is_intact(stored: Callable[[int], np.ndarray], index: int, line: bytes) -> bool:
    try:
        return _line(stored(index)) == line
    except Exception:  # whatever a damaged file makes of the reading
        return False


def _same(earlier: dict[str, Any] | None, plan: dict[str, Any]) -> bool:
    """Compare plans as JSON has them, but for the dates."""
    return earlier is not None and _undated(earlier) == _undated(json.loads(json.dumps(plan)))


def _undated(plan: dict[str, Any]) -> dict[str, Any]:
    return {**plan, "record": {**plan["record"], "created": None}}


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
