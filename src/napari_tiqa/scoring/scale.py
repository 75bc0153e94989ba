"""The scales of what the networks say: the score, its parts, the similarities."""

SIMILARITIES = ("ssim", "fsim")
"""Full-reference metrics that are estimated: the names of ``learning.images.observers.OBSERVERS``."""

WEIGHTS = (0.4, 0.6)
"""Shares of `SIMILARITIES` in the fidelity, which make both vary alike from setting to setting."""

SCORE_RANGE = (1.0, 5.0)
"""Worst and best score."""

ARTEFACTS = ("ring", "blur", "noise", "streaks", "shading", "smoothing")
"""What takes points away. Streaks are those of few projections, of metal or of a limited angle; shading is
cupping and glare; smoothing is detail that a denoiser, an iterative reconstruction or a lossy file has taken.
Motion, an axis offset and phase fringes count as blur: edges are not where they belong."""

ARTEFACT_WORDS = {part: part for part in ARTEFACTS} | {"ring": "rings", "smoothing": "over-smoothing"}
"""What each of `ARTEFACTS` is called in a sentence."""

FIRST_ARTEFACTS = ARTEFACTS[:3]
"""What models tell apart that were trained before there were others."""

PREDICTED = ("score", "uncertainty", *ARTEFACTS, "novelty")
"""Columns of a prediction."""
