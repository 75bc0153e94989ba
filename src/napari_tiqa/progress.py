"""How far a piece of work is: what every job reports."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Parts done, parts in all and the time left.

    Attributes
    ----------
    done, total : int
        Parts of the work; what a part is, the job says: slices, pipelines, versions.
    seconds_left : float or None
        None until it is known how fast the work is.
    """

    done: int
    total: int
    seconds_left: float | None
