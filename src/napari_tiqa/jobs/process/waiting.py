"""How a job waits for what others do: the answers of the model process, and work in a pool of threads."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

from napari_tiqa.errors import Cancelled, TiqaError

POLL = 0.05
"""Seconds after which a wait looks whether it was cancelled."""

_T = TypeVar("_T")
_In = TypeVar("_In")
_Out = TypeVar("_Out")
_Answer = TypeVar("_Answer", covariant=True)


class Answer(Protocol[_Answer]):
    """What is waited for: a future, here or on a cluster."""

    def result(self, timeout: float | None = None) -> _Answer:
        """Wait for the answer; TimeoutError where it is not there in time."""

    def cancel(self) -> bool:
        """Want it no more."""


def wait_for(attempt: Callable[..., _T], not_yet: type[Exception], cancel: threading.Event) -> _T:
    """Wait for what ``attempt(timeout=seconds)`` returns, which raises `not_yet` when that time is over.

    Such as ``queue.get`` or ``future.result``. Raises Cancelled once `cancel` is set.
    """
    while not cancel.is_set():
        try:
            return attempt(timeout=POLL)
        except not_yet:
            continue
    raise Cancelled("Scoring was cancelled.")


def answer_of(future: "Answer[_T]", cancel: threading.Event) -> _T:
    """Wait for a future's result as `wait_for` does; a future that nobody waits for any more is cancelled."""
    try:
        return wait_for(future.result, TimeoutError, cancel)
    finally:
        future.cancel()


def ahead(
    pool: ThreadPoolExecutor,
    function: Callable[[_In], _Out],
    items: Iterable[_In],
    count: int,
    cancel: threading.Event,
) -> Iterator[_Out]:
    """Apply a function in a pool and give the results in order, some items being under way at a time.

    When the items end with an error, it is raised after the results of those that came before; once `cancel`
    is set, after those that were begun.
    """
    waiting: deque[Future[_Out]] = deque()
    ended: TiqaError | None = None
    source = iter(items)
    try:
        while True:
            try:
                item = next(source)
            except StopIteration:
                break
            except TiqaError as error:
                ended = error
                break
            waiting.append(pool.submit(function, item))
            if len(waiting) >= count:
                yield waiting.popleft().result()
        while waiting and not (cancel.is_set() and waiting[0].cancel()):
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
    if ended or waiting:
        raise ended or Cancelled("The work was cancelled.")
