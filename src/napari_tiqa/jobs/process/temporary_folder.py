"""A folder in the cache that lasts as long as this Python process."""

import atexit
import os
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from io import FileIO
from pathlib import Path
from typing import Any, Literal

import platformdirs

fcntl: Any = None
with suppress(ImportError):  # Windows has none
    import fcntl

_LOCK = ".in_use"


@cache
def temporary_folder(name: str) -> Path:
    """Return a folder for what is needed until this process ends; it is the same at each call.

    It lies in the user's cache, on a disk, since the system's own place for temporary files may be in memory.
    What a killed process has left there is removed.

    Parameters
    ----------
    name : str
        What is kept in it.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    home = Path(platformdirs.user_cache_dir("napari-tiqa")) / name
    home.mkdir(parents=True, exist_ok=True)
    for left in home.iterdir():
        if not _in_use(left):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(dir=home))
    held = _hold(folder / _LOCK, "wb")
    pid = os.getpid()

    def remove() -> None:
        if os.getpid() == pid:  # not a fork of this process, whose end is not ours
            held.close()
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder


def _hold(path: Path, mode: Literal["wb", "r+b"]) -> FileIO:
    lock = path.open(mode, buffering=0)
    try:
        if fcntl is not None:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process, also if it is killed
    except OSError:
        lock.close()
        raise
    return lock


def _in_use(folder: Path) -> bool:
    try:
        if fcntl is None:
            (folder / _LOCK).unlink()  # Windows refuses that for an open file
        else:
            _hold(folder / _LOCK, "r+b").close()
    except OSError:
        return True
    return False
