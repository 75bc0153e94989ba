"""A folder in the cache that lasts as long as this Python process."""

import atexit
import os
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

import platformdirs

from napari_tiqa.locks import AlreadyLocked, hold

_LOCK = ".in_use"


@cache
def temporary_folder(name: str) -> Path:
    """Return a folder for what is needed until this process ends, the same at each call; raises OSError.

    It lies in the user's cache, on a disk, since the system's own place for temporary files may be in memory.
    What a killed process has left there is removed.
    """
    home = Path(platformdirs.user_cache_dir("napari-tiqa")) / name
    home.mkdir(parents=True, exist_ok=True)
    for left in home.iterdir():
        if (left / _LOCK).exists():  # without a lock it has just been made
            with suppress(AlreadyLocked):
                hold(left / _LOCK).release()
                shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(dir=home))
    lock = hold(folder / _LOCK)
    pid = os.getpid()

    def remove() -> None:
        if os.getpid() == pid:  # not a fork of this process, whose end is not ours
            lock.release()
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder
