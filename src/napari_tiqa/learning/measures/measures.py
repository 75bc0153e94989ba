"""How well scores order and match the known quality, per family and pooled, with bootstrap intervals."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import kendalltau, pearsonr, spearmanr

from napari_tiqa.learning.images.distortions import DISTORTIONS
from napari_tiqa.learning.images.groups import Group
from napari_tiqa.learning.measures.krasula import Krasula, RatedPairs

BLUR_LEVELS_JUDGED = 3
"""From blur level 3 on people call every image a 1, and what is left is a grey cloud: levels 4 and 5 are
no part of the order within blur."""

POOLED = "all distortions"
"""The row that pools the paper's distortions; "all images" where nothing was distorted."""

METRICS = ("within", "srocc", "plcc", "krocc", "rmse", "auc_ds", "auc_bw", "cc_0")
"""The metrics of ``evaluate``, in the order of its columns; docs/evaluation.md defines them."""

CONFIDENCE = 0.95
"""Share of the resamples that an interval holds."""


def srocc(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's rank correlation, ties at their mid-ranks; 0 where one side is constant: no order found."""
    return _correlation(spearmanr, x, y)


def plcc(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson's linear correlation; 0 where one side is constant."""
    return _correlation(pearsonr, x, y)


def krocc(x: np.ndarray, y: np.ndarray) -> float:
    """Kendall's rank correlation tau-b, which allows for ties; 0 where one side is constant."""
    return _correlation(kendalltau, x, y)


def rmse(x: np.ndarray, y: np.ndarray) -> float:
    """Root mean square of the difference."""
    return float(np.sqrt(np.mean((x - y) ** 2))) if len(x) else np.nan


def image_rows(groups: Sequence[Group], scores: Sequence[np.ndarray]) -> pd.DataFrame:
    """List every image of the groups with its score (one array per group).

    Columns original (number of its group), specimen, family, level, label, score.
    """
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "original": number,
                    "specimen": group.specimen,
                    "family": group.families,
                    "level": group.levels,
                    "label": group.labels,
                    "score": score,
                }
            )
            for number, (group, score) in enumerate(zip(groups, scores, strict=True))
        ],
        ignore_index=True,
    )


def order_within_specimens(groups: Sequence[Group], scores: Sequence[np.ndarray]) -> pd.DataFrame:
    """Find how well scores follow the levels within each specimen; labels are not used.

    Index: specimens; columns: families; values: SROCC of the score with falling level, computed in each
    original (blur: levels 0 to 3) and averaged over the specimen's originals.
    """
    return _order_within_originals(groups, scores).pivot_table(
        "srocc", "specimen", "family", aggfunc="mean", sort=False
    )


def evaluate(
    groups: Sequence[Group],
    scores: Sequence[np.ndarray],
    *,
    pairs: RatedPairs | None = None,
    resamples: int = 0,
    seed: int = 0,
) -> pd.DataFrame:
    """Judge scores per family of distortions or acquisition faults, and over all distorted images.

    Parameters
    ----------
    groups : sequence of Group
        Groups of specimens that the scores' model has not been trained on. Images without a label count
        for the order within originals alone.
    scores : sequence of numpy.ndarray
        For each group, one score per image.
    pairs : RatedPairs, optional
        Pairs of rated images, numbered through all groups, for Krasula's analysis.
    resamples : int
        Resamples of the bootstrap over originals; 0 for no intervals.
    seed : int
        Fixes the bootstrap.

    Returns
    -------
    pandas.DataFrame
        A row per family, and last the pool of the images of the paper's three, each once (`POOLED`).
        Columns: ``family``; ``specimens``, ``originals`` and ``images``, how many; ``within`` and ``worst``,
        mean and least of ``order_within_specimens``; ``srocc``, ``plcc``, ``krocc`` and ``rmse`` (points of
        the score) against the labels, across all specimens; with `pairs` also ``auc_ds``, ``auc_bw`` and
        ``cc_0``, see ``Krasula``. With `resamples` each metric but ``worst`` has its 95 % interval in
        columns such as ``srocc_low`` and ``srocc_high``. NaN where a row has no such value.
    """
    images = image_rows(groups, scores)
    order = _order_within_originals(groups, scores)
    families_of = [set(group.families) for group in groups]
    rows = []
    for family in dict.fromkeys(filter(None, images["family"])):
        of_original = np.array([family in families for families in families_of])
        member = of_original[images["original"]] & images["family"].isin(["", family])
        rows.append(_judge(family, images, member, order, pairs, resamples, seed))
    paper = np.array([not families.isdisjoint(DISTORTIONS) for families in families_of])
    pooled = POOLED if paper.any() else "all images"
    member = (paper if paper.any() else ~paper)[images["original"]]
    rows.append(_judge(pooled, images, member, order, pairs, resamples, seed))
    return pd.DataFrame(rows)


def bootstrap_intervals(
    statistics: Callable[[np.ndarray], dict[str, float]], originals: int, resamples: int, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Resample originals with replacement; return the 95 % percentile interval of each named value.

    `statistics` takes how often each original was drawn, shape (originals,), int, and returns the values.
    `seed` fixes what is drawn: intervals of several models on the same originals rest on the same draws
    (Efron 1979). NaN with fewer than two originals, or where the value is known in no resample.
    """
    rng = np.random.default_rng(seed)
    chance = np.full(originals, 1 / originals)
    drawn = [statistics(rng.multinomial(originals, chance)) for _ in range(resamples)]
    ends = (1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2
    intervals = {}
    for name in drawn[0]:
        values = np.array([resample[name] for resample in drawn])
        values = values[np.isfinite(values)]
        known = len(values) > 0 and originals > 1
        low, high = np.quantile(values, ends) if known else (np.nan, np.nan)
        intervals[name] = float(low), float(high)
    return intervals


def _correlation(statistic: Callable[..., Any], x: np.ndarray, y: np.ndarray) -> float:
    if not len(x):
        return np.nan
    return float(statistic(x, y).statistic) if np.ptp(x) and np.ptp(y) else 0.0


def _order_within_originals(groups: Sequence[Group], scores: Sequence[np.ndarray]) -> pd.DataFrame:
    """Return the order of each family in each original: columns original, specimen, family, srocc."""
    rows = [
        (number, group.specimen, family, -srocc(score[judged], group.levels[judged]))
        for number, (group, score) in enumerate(zip(groups, scores, strict=True))
        for family in dict.fromkeys(filter(None, group.families))
        for judged in [_of_family(group, family) & (group.levels <= _judged_levels(family))]
    ]
    return pd.DataFrame(rows, columns=["original", "specimen", "family", "srocc"])


def _judge(
    family: str,
    images: pd.DataFrame,
    member: np.ndarray,
    order: pd.DataFrame,
    pairs: RatedPairs | None,
    resamples: int,
    seed: int,
) -> dict[str, object]:
    """Make one row of ``evaluate``, about the images (of ``image_rows``) that are `member`."""
    names, original = np.unique(images["original"][member], return_inverse=True)
    known = images["label"][member].notna().to_numpy()
    label, score = (images[column][member].to_numpy(float)[known] for column in ("label", "score"))
    order = order[order["family"] == family]
    order_original = np.searchsorted(names, order["original"])
    specimen, _ = pd.factorize(order["specimen"])
    analysis = Krasula(pairs.of(np.asarray(member)), images["score"].to_numpy(float)) if pairs else None

    def statistics(times: np.ndarray) -> dict[str, float]:
        drawn = np.repeat(np.arange(len(label)), times[original[known]])
        found = {"within": _mean_of_means(order["srocc"].to_numpy(), specimen, times[order_original])}
        found |= {
            metric.__name__: metric(score[drawn], label[drawn]) for metric in (srocc, plcc, krocc, rmse)
        }
        if analysis:
            image_times = np.zeros(len(images), int)
            image_times[member] = times[original]
            found |= analysis.statistics(image_times)
        return found

    found = statistics(np.ones(len(names), int))
    row: dict[str, object] = {
        "family": family,
        "specimens": images["specimen"][member].nunique(),
        "originals": len(names),
        "images": int(np.sum(member)),
        "within": found.pop("within"),
        "worst": order.groupby("specimen")["srocc"].mean().min(),
    }
    row |= found
    if resamples:
        for name, (low, high) in bootstrap_intervals(statistics, len(names), resamples, seed).items():
            row |= {f"{name}_low": low, f"{name}_high": high}
    return row


def _mean_of_means(values: np.ndarray, specimen: np.ndarray, times: np.ndarray) -> float:
    """Average over specimens of each specimen's average, where a value counts `times`."""
    count = np.bincount(specimen, times)
    total = np.bincount(specimen, times * values)
    return float(np.mean(total[count > 0] / count[count > 0])) if count.any() else np.nan


def _of_family(group: Group, family: str) -> np.ndarray:
    return np.isin(group.families, ["", family])


def _judged_levels(family: str) -> float:
    return BLUR_LEVELS_JUDGED if family == "blur" else np.inf
