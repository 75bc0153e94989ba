"""Locks on files: one process holds one at a time, and the system gives it back when that process ends."""

import os
from contextlib import suppress

from filelock import BaseFileLock, FileLock, Timeout


class AlreadyLocked(Exception):
    """Another process, or another part of this one, holds the lock."""


def hold(path: str | os.PathLike[str]) -> BaseFileLock:
    """Take a lock at once; ``release()``, or the end of the process, also by kill -9, gives it back.

    Parameters
    ----------
    path : path-like
        The lock's file, made where it is missing; its folder exists.

    Raises
    ------
    AlreadyLocked
        The lock is held.
    OSError
        The file cannot be made.
    """
    lock = FileLock(path, timeout=0, thread_local=False)  # another thread may give it back
    try:
        lock.acquire()
    except Timeout as error:
        raise AlreadyLocked(f"{path} is locked.") from error
    return lock


def remove(lock: BaseFileLock) -> None:
    """Give a lock back and remove its file."""
    with suppress(OSError):  # Windows removes no file that is open
        os.unlink(lock.lock_file)
    lock.release()
    with suppress(OSError):
        os.unlink(lock.lock_file)
