"""What one pipeline gains over another in words, the same in a tuning's sentence and a comparison's."""

from napari_tiqa.jobs.paired_gain import Gain, paired_gain
from napari_tiqa.jobs.rescore import FIDELITY, SCORE
from napari_tiqa.jobs.trial import Trial

_DECIMALS = {FIDELITY: 3, SCORE: 2}


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
