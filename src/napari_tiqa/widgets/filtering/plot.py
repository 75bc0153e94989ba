"""What the plots of tuning and comparing have in common: napari's colours, axes, a range of scores."""

from collections.abc import Iterable

import numpy as np

from napari_tiqa.figure_style import GREEN, ORANGE, PINK, SKY, VIOLET
from napari_tiqa.jobs.filtering.objective import FIDELITY, SCORE
from napari_tiqa.scoring.scale import SCORE_RANGE

CURVE, SCORE_CURVE, DETAIL, BEST, AS_GOOD = SKY, VIOLET, PINK, ORANGE, GREEN
AXIS_LABELS = {FIDELITY: "Fidelity", SCORE: "Score"}
"""What stands along the axis of what settings are compared by."""
_LEAST_SPAN = {FIDELITY: 0.02, SCORE: 0.5}  # a difference that means nothing is not blown up
_NOTHING_KNOWN = {FIDELITY: (0.0, 1.0), SCORE: SCORE_RANGE}
_ROOM = 0.12  # of the range, above and below


def range_of(values: Iterable[float], aim: str) -> tuple[float, float]:
    """Return the part of an axis that shows all these scores or fidelities; NaN is left out."""
    known = [value for value in values if np.isfinite(value)]
    if not known:
        return _NOTHING_KNOWN[aim]
    low, high = min(known), max(known)
    widened = max(0.0, _LEAST_SPAN[aim] - (high - low)) / 2
    low, high = low - widened, high + widened
    room = _ROOM * (high - low)
    return low - room, high + room
