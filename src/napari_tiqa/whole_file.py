"""Files and folders that are written as a whole or not at all, and lines that are added to one."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file beside `path` that takes its place once all is written; what was there stays until then.

    Parameters
    ----------
    path : path-like
        Where the file is to be, in a folder that exists.

    Yields
    ------
    file
        Open for writing bytes.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left of it.
    """
    path = Path(path)
    descriptor, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        os.chmod(partial, 0o644)
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise


def write_text(path: str | os.PathLike[str], text: str) -> None:
    r"""Write a text file in UTF-8, as a whole or not at all; raises OSError as ``whole_file``.

    A byte of a file's name that is not UTF-8, for which Python's strings have a lone surrogate, is written as
    ``\udcff``, which in JSON stands for the same again.
    """
    with whole_file(path) as file:
        file.write(text.encode(errors="backslashreplace"))


def append(file: FileIO, line: bytes) -> None:
    """Write a line at the end of an unbuffered file: all of it is there when this returns.

    Raises OSError where the disk is full, and where the file was removed, with its folder or alone: what is
    written to it goes nowhere then.
    """
    while line:  # a disk that is nearly full takes a part, and says so the next time
        line = line[file.write(line) :]
    if os.fstat(file.fileno()).st_nlink == 0:
        raise FileNotFoundError(errno.ENOENT, "The file was removed while it was written", file.name)


@contextmanager
def whole_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Make a folder beside `path` that takes its place once all is in it; parents are made.

    Parameters
    ----------
    path : path-like
        Where the folder is to be; an empty folder there is replaced.

    Yields
    ------
    pathlib.Path
        An empty folder to fill.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left of it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        yield partial
        partial.chmod(0o755)
        if path.exists():
            path.rmdir()
        partial.rename(path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
