"""How a job waits for what others do."""

import threading
from collections.abc import Callable
from typing import TypeVar

from napari_tiqa.errors import Cancelled

POLL = 0.05
"""Seconds after which a wait looks whether it was cancelled."""

_T = TypeVar("_T")


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
