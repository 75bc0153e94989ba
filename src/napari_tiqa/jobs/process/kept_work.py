"""What a run has done so far, in a file, so that the same run resumes there after any end.

Each piece is a line with its checksum, written at once: of a process that is killed in the middle of a line
that line is lost, and nothing else. Another volume, model or setting is another run, which does not go on
from it.
"""

import hashlib
import json
import os
import zlib
from collections.abc import Mapping
from io import FileIO
from pathlib import Path
from typing import Any, Self

from filelock import BaseFileLock

from napari_tiqa.errors import ResumeError, explained
from napari_tiqa.json_text import parse_json
from napari_tiqa.locks import AlreadyLocked, hold, remove
from napari_tiqa.whole_file import append

FORMAT = "napari-tiqa unfinished run 1"


class KeptWork:
    """The pieces of a run by their names; without a path nothing is kept.

    Use it in a ``with`` statement. The plan, JSON-able, is all that decides the result; `pieces` are those
    that are there, values that JSON can hold. ResumeError is raised if the file holds another plan, is in
    use, or cannot be read or written.
    """

    def __init__(self, path: str | os.PathLike[str] | None, plan: Mapping[str, Any]) -> None:
        self.path = None if path is None else Path(path)
        self.pieces: dict[str, Any] = {}
        text = json.dumps([FORMAT, plan], sort_keys=True)
        self._head = _line(hashlib.sha256(text.encode()).hexdigest())
        self._file: FileIO | None = None
        self._lock: BaseFileLock | None = None

    def __enter__(self) -> Self:
        """Read what is there, and keep others from writing."""
        if self.path is not None:
            if not self.path.parent.is_dir():
                raise ResumeError(f"There is no folder {self.path.parent}: make it, or choose another place.")
            with explained(ResumeError, f"{self.path} cannot be written", "choose another place"):
                try:
                    self._lock = hold(f"{self.path}.lock")
                except AlreadyLocked as error:
                    raise ResumeError(
                        f"Another run is writing to {self.path}: wait for it, or choose another place."
                    ) from error
                try:
                    self._open(self.path)
                except BaseException:
                    remove(self._lock)
                    raise
        return self

    def __exit__(self, *_: object) -> None:
        """Let others write; the file stays."""
        if self._file is not None:
            self._file.close()
        if self._lock is not None:
            remove(self._lock)

    def add(self, name: str, value: Any) -> None:
        """Keep a piece; it is there when this returns, also if the process is killed then."""
        self.pieces[name] = value
        if self._file is not None:
            with explained(
                ResumeError, f"{self.path} cannot be written", "remove the cause, and run it again to resume"
            ):
                append(self._file, _line([name, value]))

    def finish(self) -> None:
        """Remove the file: the run has its result."""
        if self._file is not None and self.path is not None:
            self._file.close()
            self.path.unlink(missing_ok=True)

    def _open(self, path: Path) -> None:
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        if lines and _value(lines[0]) is None:
            raise ResumeError(
                f"{path} is not an unfinished run, or is damaged: remove it, then run it again."
            )
        if lines and lines[0] != self._head:
            raise ResumeError(
                f"{path} is of a run on another volume, with another model or other settings: remove it, or "
                "choose another place."
            )
        for line in lines[1:]:
            match _value(line):
                case [str(name), value]:
                    self.pieces[name] = value
        self._file = path.open("r+b" if lines else "wb", buffering=0)
        if not lines:
            append(self._file, self._head)
            return
        # A line that was cut short would spoil the next one.
        self._file.seek(0, os.SEEK_END)
        if not lines[-1].endswith(b"\n"):
            append(self._file, b"\n")


def _line(value: Any) -> bytes:
    text = json.dumps(value).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _value(line: bytes) -> Any:
    """Return the value of a line, None where it is damaged."""
    checksum, _, text = line.rstrip(b"\n").partition(b" ")
    if checksum != b"%08x" % zlib.crc32(text):
        return None
    try:
        return parse_json(text)
    except ValueError:
        return None
