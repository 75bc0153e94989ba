"""Large slices with small faults: which combination of the levels follows quality at native size."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.special import softmax

from benchmarks.left_out.printing import show
from benchmarks.left_out.views import VIEWS
from napari_tiqa.learning.measures.measures import srocc

TEMPERATURES = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5)
METRICS = {"ssim": 1, "ms_ssim": 1, "gmsd": -1}
"""Full-reference metrics at native size, and whether they rise with quality."""


def print_large(images: pd.DataFrame) -> None:
    rows = images[images["test"] == "large"]
    if rows.empty:
        return
    scores = {"overview" if view == "score" else view: rows[view].to_numpy(float) for view in VIEWS}
    scores |= {f"soft minimum {t:g}": _soft(rows, t) for t in TEMPERATURES}
    scores |= {"chosen by others": _chosen(rows), "learned from others": _learned(rows)}
    table = pd.DataFrame({name: figures(rows, score) for name, score in scores.items()}).T
    specimens, slices = rows["specimen"].nunique(), rows["original"].nunique()
    show(f"Large slices ({slices} of {specimens} specimens), small faults at native size", table.round(3))
    drop = rows.groupby(["family", "level"])[["score", "pyramid", "minimum", "ms_ssim"]].mean()
    show("Mean scores there", drop.round(2))


def figures(rows: pd.DataFrame, score: np.ndarray) -> dict[str, float]:
    """Return SROCC with each metric of `METRICS`, and with the falling level within a slice."""
    pooled = {name: srocc(score, sign * rows[name].to_numpy()) for name, sign in METRICS.items()}
    within = {}
    for family in ("blur", "noise", "ring"):
        member = rows["family"].isin(["", family])
        each = [
            -srocc(score[rows.index.get_indexer(one.index)], one["level"].to_numpy())
            for _, one in rows[member].groupby("original")
        ]
        within |= {f"within {family}": float(np.mean(each)), f"worst {family}": float(np.min(each))}
    return pooled | within


def _soft(rows: pd.DataFrame, temperature: float) -> np.ndarray:
    return np.array([softmax(-one / temperature) @ one for one in rows["scores"]])


def _chosen(rows: pd.DataFrame) -> np.ndarray:
    """Give each specimen the temperature that follows MS-SSIM best on the others."""
    every = np.stack([_soft(rows, temperature) for temperature in TEMPERATURES])

    def choose(others: np.ndarray, own: np.ndarray) -> np.ndarray:
        quality = rows["ms_ssim"].to_numpy()[others]
        return every[np.argmax([srocc(one[others], quality) for one in every])][own]

    return _of_others(rows, choose)


def _learned(rows: pd.DataFrame) -> np.ndarray:
    """Weight overview, native, lowest and mean by least squares on the ranks of MS-SSIM of the others."""
    columns = ["score", "native", "minimum", "mean"]
    features = np.column_stack([rows[columns].to_numpy(float), np.ones(len(rows))])
    ranks = rows["ms_ssim"].rank(pct=True).to_numpy()

    def choose(others: np.ndarray, own: np.ndarray) -> np.ndarray:
        return features[own] @ np.linalg.lstsq(features[others], ranks[others], rcond=None)[0]

    return _of_others(rows, choose)


def _of_others(rows: pd.DataFrame, choose: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    values = np.empty(len(rows))
    for specimen in rows["specimen"].unique():
        own = (rows["specimen"] == specimen).to_numpy()
        values[own] = choose(~own, own)
    return values
