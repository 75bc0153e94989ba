"""Ctrl-C: the first asks the work to end and keep what it has, the second ends it at once."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cancelled_by_interrupt() -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C sets."""
    cancel = threading.Event()

    def interrupt(*_: object) -> None:
        cancel.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, before)
