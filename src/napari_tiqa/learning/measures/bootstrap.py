"""Bootstrap intervals over originals: versions of one original are not independent, so they go together."""

from collections.abc import Callable

import numpy as np

CONFIDENCE = 0.95
"""Share of the resamples that an interval holds."""


def bootstrap_intervals(
    statistics: Callable[[np.ndarray], dict[str, float]], originals: int, resamples: int, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Resample originals with replacement and take percentiles.

    Parameters
    ----------
    statistics : callable
        Takes how often each original was drawn, shape (originals,), int, and returns named values.
    originals : int
        How many originals there are.
    resamples : int
        How many times they are drawn.
    seed : int
        Fixes what is drawn: intervals of several models on the same originals rest on the same draws.

    Returns
    -------
    dict
        Name -> low and high end of the 95 % percentile interval (Efron 1979); NaN with fewer than two
        originals, or where the value is known in no resample.
    """
    rng = np.random.default_rng(seed)
    chance = np.full(originals, 1 / originals)
    drawn = [statistics(rng.multinomial(originals, chance)) for _ in range(resamples)]
    ends = (1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2
    intervals = {}
    for name in drawn[0]:
        values = np.array([one[name] for one in drawn])
        values = values[np.isfinite(values)]
        known = len(values) > 0 and originals > 1
        low, high = np.quantile(values, ends) if known else (np.nan, np.nan)
        intervals[name] = float(low), float(high)
    return intervals
