"""How sure it is that one pipeline is better than another on the same slices."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

from napari_tiqa.jobs.filtering.objective import FIDELITY, SCORE
from napari_tiqa.jobs.filtering.trial import Trial

_DECIMALS = {FIDELITY: 3, SCORE: 2}

CONFIDENCE = 0.9
"""Share of the cases in which the interval of a gain holds the gain."""

NOT_SIGNIFICANT = f"not significant ({CONFIDENCE * 100:.0f} % interval)"
"""What is said of a gain that is not sure."""

REPEATABILITY = {FIDELITY: 0.008, SCORE: 0.06}
"""Standard deviation of one slice's gain under changes that mean nothing, by what settings are compared by.

Measured by ``python benchmarks/score_repeatability.py --data ../shared/data`` on 24 scans, for gains where
the verdict hangs: .01 to .03 of the fidelity (.013 for the largest), .1 to .3 points of the score (.11).
"""


@dataclass(frozen=True)
class Gain:
    """How much higher one pipeline's objective is than another's on the same slices.

    `mean` is over the slices, `half_width` half the width of its 90 % interval.
    """

    mean: float
    half_width: float

    @property
    def is_sure(self) -> bool:
        """Whether the first pipeline is better beyond what the score can tell."""
        return self.mean > self.half_width


def paired_gain(better: Sequence[float], than: Sequence[float], aim: str) -> Gain:
    """Compare the objectives that two pipelines have on the same slices, slice by slice.

    The 90 % interval of an absolute score does not measure a difference: most of it is the offset between
    specimens, which two versions of one slice share. What a difference is uncertain by is, first, that the
    slices differ: the t interval of the mean of the differences (Student 1908). Second, that the network
    answers to changes that mean nothing, such as a slice shifted by a few pixels or mirrored: by
    `REPEATABILITY` for one slice, less by the root of their number for several. The differences between few
    slices may agree by chance, so the interval is the wider of the two.

    The t interval of two or three unlike slices is many times as wide as they differ. So the interval never
    reaches further than to the slice that differs most from the mean, with that slice's own repeatability:
    where each slice gains, the pipeline is better.
    """
    differences = np.subtract(better, than)
    count = len(differences)
    floor = ndtri((1 + CONFIDENCE) / 2) * REPEATABILITY[aim] / np.sqrt(count)
    mean, spread = differences.mean(), 0.0
    if count > 1:
        student = stdtrit(count - 1, (1 + CONFIDENCE) / 2) * differences.std(ddof=1) / np.sqrt(count)
        spread = min(student, np.abs(differences - mean).max() + floor * np.sqrt(count))
    return Gain(float(mean), float(max(floor, spread)))


def level(trial: Trial, aim: str) -> str:
    """Return how good a trial is: "fidelity 0.744, score 3.15"."""
    score = f"score {trial.score:.2f}"
    return score if aim == SCORE else f"{aim} {trial.objective:.{_DECIMALS[aim]}f}, {score}"


def change(gain: Gain, aim: str) -> str:
    """Return a gain and half the width of its interval: "+0.068 ± 0.012"."""
    decimals = _DECIMALS[aim]
    mean = round(gain.mean, decimals) + 0  # never "-0.00"
    return f"{mean:+.{decimals}f} ± {gain.half_width:.{decimals}f}"


def improvement(trial: Trial, over: Trial, gain: Gain, aim: str) -> str:
    """Return both levels and the gain: "score 3.37 instead of 3.15 (+0.22 ± 0.05)".

    By the fidelity the score follows, with a "but" where it falls by more than chance.
    """
    decimals = _DECIMALS[aim]
    levels = f"{trial.objective:.{decimals}f} instead of {over.objective:.{decimals}f}"
    text = f"{aim} {levels} ({change(gain, aim)})"
    if aim == SCORE:
        return text
    falls = paired_gain(over.slice_scores, trial.slice_scores, SCORE).is_sure
    return f"{text}, {'but ' if falls else ''}score {trial.score:.2f} instead of {over.score:.2f}"
