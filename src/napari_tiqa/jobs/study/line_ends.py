"""Where what is written at the ends of lines goes, so that nothing lies upon another."""

from collections.abc import Sequence

import numpy as np


def spread(places: Sequence[float], gap: float) -> np.ndarray:
    """Move places apart, as little as can be, until neighbours are at least a gap apart.

    Parameters
    ----------
    places : sequence of float
        Where the lines end.
    gap : float
        What one label needs, in the same unit.

    Returns
    -------
    numpy.ndarray
        Shape (n,), in the order of `places`, whose order along the axis it keeps. Labels that push each other
        form a block around the mean of their places.
    """
    order = np.argsort(places, kind="stable")
    blocks: list[list[float]] = []  # of places that touch: the sum of what each would have as first, how many
    for place in np.asarray(places, float)[order]:
        blocks.append([place, 1])
        while len(blocks) > 1 and _start(blocks[-1], gap) < _start(blocks[-2], gap) + blocks[-2][1] * gap:
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    moved = [_start(block, gap) + number * gap for block in blocks for number in range(int(block[1]))]
    spread_out = np.empty(len(order))
    spread_out[order] = moved
    return spread_out


def _start(block: list[float], gap: float) -> float:
    total, count = block
    return total / count - (count - 1) / 2 * gap
