"""How a training tells how far it is: not too often, and with the time that is left."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

_EVERY = 0.2  # seconds

_Progress = TypeVar("_Progress")


class NowAndThen(Generic[_Progress]):
    """Passes on a few reports a second."""

    def __init__(self, report: Callable[[_Progress], object]) -> None:
        self._report = report
        self._last = 0.0

    def __call__(self, progress: _Progress) -> None:
        """Pass a report on, unless one was just now."""
        if time.monotonic() - self._last > _EVERY:
            self._last = time.monotonic()
            self._report(progress)


class TrainingPace:
    """Time left, from the images after the first step, whose time went into building the network's graph.

    Parameters
    ----------
    images : float
        Those that are still to be seen, each once an epoch.
    """

    def __init__(self, images: float) -> None:
        self._left = images
        self._seen = 0.0
        self._since: float | None = None

    def advance(self, images: float) -> None:
        """Say that these images were seen."""
        self._left -= images
        if self._since is None:
            self._since = time.monotonic()
        else:
            self._seen += images

    def seconds_left(self) -> float | None:
        """Return how long the rest will take; None while that is not known."""
        if self._since is None or not self._seen:
            return None
        return (time.monotonic() - self._since) / self._seen * max(0.0, self._left)
