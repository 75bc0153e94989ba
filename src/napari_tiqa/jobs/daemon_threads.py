"""Threads for work that cannot be stopped midway: nobody has to wait for them when it is wanted no more."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Self, TypeVar

_T = TypeVar("_T")


class DaemonThreads:
    """Threads that call functions, as ThreadPoolExecutor's do, but never keep Python or napari from ending.

    A filter of a large slice can take a minute and knows nothing of a cancel. ThreadPoolExecutor's threads
    are waited for when Python ends; these are not.

    Parameters
    ----------
    count : int
        How many threads.
    name : str
        What they are called in a debugger.
    """

    def __init__(self, count: int, name: str) -> None:
        self._todo: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        """Return the threads, which run already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Begin nothing more, and wait for nothing that has begun."""
        try:
            while True:
                waiting = self._todo.get_nowait()
                if waiting:
                    waiting[0].cancel()
        except queue.Empty:
            pass
        for _thread in self._threads:
            self._todo.put(None)

    def submit(self, function: Callable[[], _T]) -> "Future[_T]":
        """Have a function called; returns at once."""
        future: Future[_T] = Future()
        self._todo.put((future, function))
        return future

    def _work(self) -> None:
        while (job := self._todo.get()) is not None:
            future, function = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(function())
            except BaseException as error:  # whatever it is, it is for who asked
                future.set_exception(error)
