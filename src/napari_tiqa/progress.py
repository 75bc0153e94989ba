"""How far a piece of work is: what every job reports, how often, and how long the rest will take."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

_INTERVAL = 0.2  # seconds


@dataclass(frozen=True)
class Progress:
    """Parts done, parts in all and the time left.

    Attributes
    ----------
    done, total : int
        Parts of the work, such as slices, pipelines or versions.
    seconds_left : float or None
        None until it is known how fast the work is.
    """

    done: int
    total: int
    seconds_left: float | None


_Report = TypeVar("_Report")


class Throttled(Generic[_Report]):
    """Passes on a few reports a second and drops the others.

    Parameters
    ----------
    report : callable or None
        What the reports go to.
    """

    def __init__(self, report: Callable[[_Report], object] | None) -> None:
        self._report = report
        self._last = 0.0

    def __call__(self, progress: _Report, *, at_once: bool = False) -> None:
        """Pass a report on, unless another one just was; `at_once` passes it on in any case."""
        if self._report is not None and (at_once or time.monotonic() - self._last > _INTERVAL):
            self._last = time.monotonic()
            self._report(progress)


class Pace:
    """Time left, from the parts after the first, whose time went into starting a process or building a graph.

    Parameters
    ----------
    total : int
        Parts in all.
    start : float
        Parts that were done before.
    """

    def __init__(self, total: int, start: float = 0) -> None:
        self.total = total
        self._start = start
        self._first: tuple[float, float] | None = None

    def seconds_left(self, done: float) -> float | None:
        """Return how long the rest will take; None until a second part is done."""
        now = time.monotonic()
        if self._first is None and done > self._start:
            self._first = now, done
        if self._first is None or done <= self._first[1]:
            return None
        since, first = self._first
        return (now - since) / (done - first) * max(0, self.total - done)
