"""How well scores order and match the quality that is known: SROCC and PLCC, per family and pooled."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import pearsonr, spearmanr

from napari_tiqa.learning.groups import Group

BLUR_LEVELS_JUDGED = 3
"""From blur level 3 on people call every image a 1, and what is left is a grey cloud: levels 4 and 5 are
no part of the order within blur."""


def srocc(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's rank correlation, ties at their mid-ranks; 0 where one side is constant: no order found."""
    return float(spearmanr(x, y).statistic) if np.ptp(x) and np.ptp(y) else 0.0


def plcc(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson's linear correlation; 0 where one side is constant."""
    return float(pearsonr(x, y).statistic) if np.ptp(x) and np.ptp(y) else 0.0


def order_within_specimens(groups: Sequence[Group], scores: Sequence[np.ndarray]) -> pd.DataFrame:
    """Find how well scores follow the levels within each specimen.

    Parameters
    ----------
    groups, scores
        As in ``evaluate``; labels are not used.

    Returns
    -------
    pandas.DataFrame
        Index: specimens; columns: families; values: SROCC of the score with falling level, computed in each
        original (blur: levels 0 to 3) and averaged over the specimen's originals.
    """
    rows = [
        {"specimen": group.specimen, "family": family, "srocc": -srocc(score[judged], group.levels[judged])}
        for group, score in zip(groups, scores, strict=True)
        for family in dict.fromkeys(filter(None, group.families))
        for judged in [_of_family(group, family) & (group.levels <= _judged_levels(family))]
    ]
    return pd.DataFrame(rows).pivot_table("srocc", "specimen", "family", aggfunc="mean", sort=False)


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
        Columns: ``specimens``; ``within`` and ``worst``, mean and least of ``order_within_specimens``;
        ``srocc``, ``plcc`` and ``rmse`` (points of the score) against the labels, across all specimens.
    """
    order = order_within_specimens(groups, scores)
    pairs = list(zip(groups, scores, strict=True))
    rows = []
    for family in order.columns:
        within = order[family].dropna()
        members = [(g, s, _of_family(g, family)) for g, s in pairs if family in g.families]
        agreement = _agreement([(s[member], g.labels[member]) for g, s, member in members])
        rows.append(
            {"family": family, "specimens": len(within), "within": within.mean(), "worst": within.min()}
            | agreement
        )
    paper = [(s, g.labels) for g, s in pairs if "ring" in g.families]
    rows.append({"family": "all distortions", "specimens": len(order)} | _agreement(paper))
    return pd.DataFrame(rows)


def _of_family(group: Group, family: str) -> np.ndarray:
    return np.isin(group.families, ["", family])


def _judged_levels(family: str) -> float:
    return BLUR_LEVELS_JUDGED if family == "blur" else np.inf


def _agreement(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    score, label = (np.concatenate(part) for part in zip(*pairs, strict=True))
    return {
        "srocc": srocc(score, label),
        "plcc": plcc(score, label),
        "rmse": float(np.sqrt(np.mean((score - label) ** 2))),
    }
