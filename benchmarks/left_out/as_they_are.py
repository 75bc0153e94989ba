"""What nothing was added to: real scans, concentric content, noise alone, what is not a slice."""

import numpy as np
import pandas as pd
from scipy.stats import mannwhitneyu

from benchmarks.left_out.pairs import NOISE_AGAINST_BLUR, PAIRS, STRONG_FAULTS
from benchmarks.left_out.printing import show
from benchmarks.left_out.views import VIEWS
from napari_tiqa.scoring.scale import ARTEFACTS

UNLIKE = 1.0  # twice the probability of being unlike the training images


def print_as_they_are(images: pd.DataFrame) -> None:
    real = images[images["test"] == "real"].set_index("generator")
    if len(real):
        _strong_against_clean(real)
        _pairs(real)
    _concentric(images[images["test"] == "concentric"])
    _static(images[images["test"] == "static"])
    _novelty(images)


def _strong_against_clean(real: pd.DataFrame) -> None:
    strong, clean = strong_and_clean(real)
    rows = {view: told_apart(real, view) for view in VIEWS}
    title = f"Real scans: {strong.sum()} with strong faults against {clean.sum()} clean ones"
    show(title, pd.DataFrame(rows).T.rename({"score": "overview"}).round(3))
    columns = ["score", "pyramid", "minimum", *ARTEFACTS]
    show("Strong faults", real.loc[strong, columns].sort_values("pyramid").round(2))
    show(
        "Clean scans with the lowest scores",
        real.loc[clean, columns].sort_values("pyramid").head(15).round(2),
    )


def strong_and_clean(real: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Tell which scans have strong faults, and which none: bool, (n,) each."""
    strong = real.index.isin(STRONG_FAULTS)
    return strong, real["clean"].to_numpy() & ~strong


def told_apart(real: pd.DataFrame, view: str) -> dict[str, float]:
    """Return the ROC area and the mean scores of scans with strong faults and of clean ones."""
    score = real[view].to_numpy(float)
    known = np.isfinite(score)
    bad, good = (score[chosen & known] for chosen in strong_and_clean(real))
    area = mannwhitneyu(good, bad).statistic / (len(good) * len(bad))
    return {"ROC area": area, "strong": bad.mean(), "clean": good.mean()}


def _pairs(real: pd.DataFrame) -> None:
    table = pairs_of_known_order(real)
    show("Real pairs of known order: score of the better less that of the worse", table.round(2))
    right = {view: f"{(table[view] > 0).sum()} of {len(table)}" for view in VIEWS}
    print(f"\nright: {right}")
    columns = ["score", "pyramid", *ARTEFACTS]
    leaf = real[real.index.isin(NOISE_AGAINST_BLUR)]
    if len(leaf):
        show("Leaf: noise and fringes against blur", leaf[columns].round(2))


def pairs_of_known_order(real: pd.DataFrame) -> pd.DataFrame:
    """Return how much better the better scan of each pair scores, a row a pair, a column a view."""
    return pd.DataFrame(
        [
            {"better": pair.better.split("/")[-1], "worse": pair.worse.split("/")[-1], "why": pair.why}
            | {view: real.loc[pair.better, view] - real.loc[pair.worse, view] for view in VIEWS}
            for pair in PAIRS
            if {pair.better, pair.worse} <= set(real.index)
        ]
    )


def _concentric(rows: pd.DataFrame) -> None:
    kinds = rows["specimen"].rename("content")
    table = rows.groupby([kinds, "level"])[["score", "pyramid", "ring"]].mean()
    show("Concentric content: scores and points lost to rings, by level of added rings", table.round(2))
    clean = rows[rows["level"] == 0]
    print(f"\nclean: ring points lost on average {clean['ring'].mean():.2f}, most {clean['ring'].max():.2f}")


def _static(rows: pd.DataFrame) -> None:
    for view in ("score", "pyramid", "novelty"):
        table = rows.pivot_table(view, "generator", "size", aggfunc="mean", dropna=False, observed=False)
        show(f"Noise without content, {'overview' if view == 'score' else view}", table.round(2))


def _novelty(images: pd.DataFrame) -> None:
    foreign = images["specimen"] == "foreign"
    own = images[~foreign & images["test"].isin(["paper", "others", "scans", "real"])]
    mild = own[own["level"] <= 2]
    flagged = mild["novelty"] > UNLIKE
    print(f"\nflagged as unlike the training images: {flagged.mean():.1%} of left-out slices up to level 2")
    show("By test", flagged.groupby(mild["test"]).agg(["size", "mean"]).round(3))
    worst = flagged.groupby(mild["specimen"]).mean().sort_values(ascending=False)
    show("Flagged most", worst.head(12).to_frame("flagged").round(2))
    share = images[foreign].groupby("family")["novelty"]
    show(
        "Flagged of what is not a slice",
        share.agg(images="size", flagged=lambda n: np.mean(n > UNLIKE)).round(2),
    )
