"""Work shared among threads: the calling one and as many of a common pool as there are cores."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache

CORES = os.cpu_count() or 1


def pool(name: str) -> ThreadPoolExecutor:
    """Return this process' pool of a name, with a thread for each core.

    One for all volumes, so that two runs at once do not use twice as many threads as there are cores. A
    forked process gets one of its own, since it inherits a pool without its threads and would wait for them
    forever.
    """
    return _pool_of(os.getpid(), name)


@cache
def _pool_of(process: int, name: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(CORES, thread_name_prefix=name)


def share(work: Sequence[Callable[[], None]]) -> None:
    """Do pieces of work in this thread, and in threads of the pool where any are free.

    Since this thread takes part, neither a pool that is held up elsewhere (a network drive that does not
    answer) nor a piece that shares its own work can stop it. They begin in this order; the first exception
    ends the work once the pieces under way are done.
    """
    lock = threading.Lock()
    todo = iter(work)

    def take_part() -> None:
        try:
            while True:
                with lock:
                    piece = next(todo, None)
                if piece is None:
                    return
                piece()
        except BaseException:
            with lock:
                for _ in todo:  # nothing more is begun
                    pass
            raise

    threads = pool("napari-tiqa-read")
    helpers = [threads.submit(take_part) for _ in range(min(CORES, len(work)) - 1)]
    try:
        take_part()
    finally:
        begun = [helper for helper in helpers if not helper.cancel()]
        wait(begun)
    for helper in begun:
        helper.result()
