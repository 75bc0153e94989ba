"""Standard output and error that may be closed, full, or without letters for what is said.

What is said on standard error is for people, and never ends the work. Standard output holds results: where
it fails, that is an error of its own, told once all files are written.
"""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from napari_tiqa.errors import TiqaError


class OutputError(TiqaError):
    """Standard output that takes nothing."""


@contextmanager
def guarded_streams() -> Iterator[None]:
    """Guard both streams for as long as a command runs."""
    _occupy_closed_descriptors()
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Results(sys.stdout), _Messages(sys.stderr)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def discard(stream: Any) -> None:
    """Let what is still to be written go nowhere: Python writes it when it ends, which would fail again."""
    with suppress(OSError, ValueError, AttributeError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)


def _occupy_closed_descriptors() -> None:
    """Open nothing in the place of closed streams: else a result's file gets their number, and messages."""
    descriptor = 0
    while descriptor <= 2:
        descriptor = os.open(os.devnull, os.O_RDWR)
    os.close(descriptor)


class _Guarded:
    """A text stream, None where it is closed, that writes what its encoding lacks as an escape."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def isatty(self) -> bool:
        """Tell whether people are reading along."""
        return self._stream is not None and self._stream.isatty()


class _Messages(_Guarded):
    """Standard error."""

    def write(self, text: str) -> int:
        """Write where that is possible."""
        try:
            if self._stream is not None:
                self._stream.write(text)
        except (OSError, ValueError):
            discard(self._stream)
        return len(text)

    def flush(self) -> None:
        """Flush where that is possible."""
        try:
            if self._stream is not None:
                self._stream.flush()
        except (OSError, ValueError):
            discard(self._stream)


class _Results(_Guarded):
    """Standard output."""

    def write(self, text: str) -> int:
        """Write, or raise OutputError; BrokenPipeError says that the reader has what it wanted."""
        try:
            if self._stream is None:
                raise OSError(errno.EBADF, "it is closed")
            return self._stream.write(text)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._failed(error) from error

    def flush(self) -> None:
        """Flush, or raise as `write`."""
        try:
            if self._stream is not None:
                self._stream.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> OutputError:
        discard(self._stream)
        return OutputError(
            f"Standard output cannot be written ({error.strerror}): send it to a file, or give -o FILE where "
            "the command has that option."
        )
