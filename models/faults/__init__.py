"""Faults at the native size of a slice, as scanners and reconstructions make them, for training.

Each maker draws what is random about a fault once and returns a function of its strength alone, so that a
stronger version is worse and not just different. Strengths are meant for the 224 x 224 px that a network
sees of the slice; `scale` is native pixels to one of these.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Fault:
    """One fault of one slice: `apply` makes the version of a strength of a slice, float32 around [0, 1].

    `family` is one of ``groups.FAMILIES``, `low` and `high` what is hardly visible and as bad as it gets.
    """

    family: str
    low: float
    high: float
    apply: Callable[[np.ndarray, float], np.ndarray]


Maker = Callable[[np.ndarray, float, np.random.Generator], Fault]
"""Draws a fault for a slice, (n, n), float32 in [0, 1], at a scale."""


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform between those of `low` and `high`."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
