"""Work on items one after another, some of them under way at a time in a pool of threads."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from napari_tiqa.errors import Cancelled, TiqaError

_In = TypeVar("_In")
_Out = TypeVar("_Out")


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
