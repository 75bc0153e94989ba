"""The scales of what the networks say: the score, its parts, the similarities."""

SIMILARITIES = ("ssim", "fsim")
"""Full-reference metrics that are estimated: the names of ``learning.images.observers.OBSERVERS``."""

WEIGHTS = (0.4, 0.6)
"""Shares of `SIMILARITIES` in the fidelity, which make both vary alike from setting to setting."""

SCORE_RANGE = (1.0, 5.0)
"""Worst and best score."""

ARTEFACTS = ("ring", "blur", "noise")
"""What takes points away. Too few projections count as noise, an axis offset as blur."""

PREDICTED = ("score", "uncertainty", *ARTEFACTS, "novelty")
"""Columns of a prediction."""
