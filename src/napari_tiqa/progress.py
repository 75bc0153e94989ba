"""Progress of a piece of work, as every job reports it."""

from dataclasses import dataclass


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
