"""How well scores order and match the quality that is known: SROCC and PLCC, per family and pooled."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import pearsonr, spearmanr

from napari_tiqa.learning.groups import Group

BLUR_LEVELS_JUDGED = 3
"""From 2-D blur level 3 on people call every image a 1, and what is left is a grey cloud: levels 4 and 5 are
no part of the order within blur."""


def srocc(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's rank correlation, ties at their mid-ranks; NaN where one side is constant."""
    return float(spearmanr(x, y).statistic) if np.ptp(x) and np.ptp(y) else np.nan


def plcc(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson's linear correlation; NaN where one side is constant."""
    return float(pearsonr(x, y).statistic) if np.ptp(x) and np.ptp(y) else np.nan


def evaluate(groups: Sequence[Group], scores: Sequence[np.ndarray]) -> pd.DataFrame:
    """Judge scores per family of distortions or acquisition faults, and over all distorted images.

    Parameters
    ----------
    groups : sequence of Group
        Labelled groups of specimens that the scores' model has not been trained on.
    scores : sequence of numpy.ndarray
        For each group, one score per image.

    Returns
    -------
    pandas.DataFrame
        A row per family, with "all distortions" last, which pools the paper's three, each original once.
        Columns: ``specimens``; ``within`` and ``worst``, mean over specimens and least of the SROCC of the
        score with falling level, computed in each original (blur: levels 0 to 3); ``srocc``, ``plcc`` and
        ``rmse`` (points of the score) against the labels, across all specimens.
    """
    rows = []
    families = dict.fromkeys(family for group in groups for family in group.families if family)
    for family in families:
        order: dict[str, list[float]] = {}
        pooled = []
        for group, score in zip(groups, scores, strict=True):
            member = np.isin(group.families, ["", family])
            if family not in group.families:
                continue
            pooled.append((score[member], group.labels[member]))
            judged = member & (group.levels <= BLUR_LEVELS_JUDGED) if family == "blur" else member
            order.setdefault(group.specimen, []).append(-srocc(score[judged], group.levels[judged]))
        within = [float(np.mean(one)) for one in order.values()]
        rows.append(_row(family, pooled, within))
    paper = [
        (score, group.labels) for group, score in zip(groups, scores, strict=True) if "ring" in group.families
    ]
    rows.append(_row("all distortions", paper, [np.nan] * len({g.specimen for g in groups})))
    return pd.DataFrame(rows)


def _row(
    family: str, pooled: Sequence[tuple[np.ndarray, np.ndarray]], within: Sequence[float]
) -> dict[str, object]:
    score, label = (np.concatenate(part) for part in zip(*pooled, strict=True))
    return {
        "family": family,
        "specimens": len(within),
        "within": np.mean(within),
        "worst": np.min(within),
        "srocc": srocc(score, label),
        "plcc": plcc(score, label),
        "rmse": float(np.sqrt(np.mean((score - label) ** 2))),
    }
