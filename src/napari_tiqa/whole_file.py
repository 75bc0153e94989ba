"""Files and folders that are written as a whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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
