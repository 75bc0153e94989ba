"""How well scores order and match the labels: tables of the faults that were added."""

from itertools import combinations

import numpy as np
import pandas as pd

from benchmarks.left_out.printing import show
from models.left_out import ADDED, groups_of_rows
from napari_tiqa.learning.images.distortions import DISTORTIONS
from napari_tiqa.learning.images.groups import PART
from napari_tiqa.learning.images.labels import PUBLISHED_QUALITY_KEPT
from napari_tiqa.learning.measures.measures import evaluate, order_within_specimens, srocc
from napari_tiqa.learning.training.calibration import COVERAGE
from napari_tiqa.scoring.scale import ARTEFACTS

_FIGURES = ["specimens", "images", "within", "worst", "srocc", "plcc", "rmse"]


def print_agreement(images: pd.DataFrame) -> None:
    _paper(images[images["test"] == "paper"])
    for test, title in (("others", "Generators left out"), ("scans", "Scanned with faults, 400 px")):
        rows = images[images["test"] == test]
        rows = rows.assign(family=rows["generator"])
        for kind, some in kinds(rows):
            show(f"{title}, {kind}", judged(some, "score")[_FIGURES].round(3))
            if test == "others":
                show(f"{title}, pyramid, {kind}", judged(some, "pyramid")[_FIGURES].round(3))
    _worst(images)
    _sizes(images[images["test"] == "paper"])


def _paper(rows: pd.DataFrame) -> None:
    for kind, some in kinds(rows):
        for view in ("score", "pyramid"):
            at = {size: judged(one, view) for size, one in some.groupby("size")}
            pooled = pd.DataFrame({size: one.iloc[-1] for size, one in at.items()}).T
            shown = "overview" if view == "score" else view
            show(f"The paper's distortions added at each size, {shown}, {kind}: pooled", _rounded(pooled))
            within = pd.DataFrame(
                {
                    size: {
                        f"{name} {figure}": one.loc[name, figure]
                        for name in DISTORTIONS
                        for figure in ("within", "worst", "srocc")
                    }
                    for size, one in at.items()
                }
            ).T
            show(f"The same, {shown}, {kind}: within a specimen, worst specimen, pooled", within.round(3))


def _rounded(pooled: pd.DataFrame) -> pd.DataFrame:
    figures = [figure for figure in _FIGURES if figure not in ("within", "worst")]
    return pooled[figures].astype(float).round(3)


def kinds(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Part what comes of clean scans from what comes of scans with faults of their own."""
    parts = [("clean specimens", rows[rows["clean"]]), ("with faults of their own", rows[~rows["clean"]])]
    return [(kind, some) for kind, some in parts if len(some)]


def judged(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Judge the scores of a column by families, the pool of all last; see ``measures.evaluate``."""
    return evaluate(*groups_of_rows(rows, column)).set_index("family")


def _worst(images: pd.DataFrame) -> None:
    """Name the specimens whose order is worst."""
    rows = images[images["test"].isin(ADDED)]
    orders = {}
    for (test, size), some in rows.groupby(["test", "size"]):
        some = some.assign(family=some["generator"].str.replace("paper ", ""))
        table = order_within_specimens(*groups_of_rows(some))
        orders |= {(test, size, *place): value for place, value in table.stack().items()}
    lowest = pd.Series(orders).rename_axis(["test", "px", "specimen", "fault"]).sort_values()
    show("The least order within a specimen", lowest.head(25).to_frame("SROCC").round(2))
    show("Order below .9 within", (lowest < 0.9).groupby("test").agg(["sum", "size"]))


def _sizes(rows: pd.DataFrame) -> None:
    every = at_two_sizes(rows)
    columns = ["score", "pyramid", "label"]
    title = "The same slice and relative fault at two sizes: mean absolute difference"
    show(title, every.groupby(["small", "large"])[columns].mean().round(2))
    show(f"{title}, by fault", every.groupby("family")[columns].mean().round(2))


def at_two_sizes(rows: pd.DataFrame) -> pd.DataFrame:
    """Compare the same slice with the same relative fault at any two sizes: absolute differences."""
    keys = ["specimen", "family", "level"]
    differences = []
    at = {size: one.drop_duplicates(keys) for size, one in rows.groupby("size")}
    for small, large in combinations(sorted(at), 2):
        both = at[small].merge(at[large], on=keys, suffixes=("_small", "_large"))
        change = {
            column: (both[f"{column}_small"] - both[f"{column}_large"]).abs()
            for column in ("score", "pyramid", "label")
        }
        differences.append(pd.DataFrame(change).assign(small=small, large=large, family=both["family"]))
    return pd.concat(differences)


def print_scale(images: pd.DataFrame) -> None:
    rows = images[images["test"].isin(ADDED)]
    _human_scale(rows[(rows["test"] == "paper") & rows["clean"]])
    _clean_originals(rows[(rows["test"] == "paper") & (rows["level"] == 0)])
    _uncertainty(rows)
    _artefacts(rows)
    _residuals(rows)


def _human_scale(rows: pd.DataFrame) -> None:
    both = beside_people(rows)
    show("Mean score per distortion and level, all sizes, beside people's", both.round(2))
    order, error = srocc(both["people"], both["score"]), (both["people"] - both["score"]).abs().mean()
    print(f"\nSROCC {order:.3f}, mean absolute error {error:.3f}")


def beside_people(rows: pd.DataFrame) -> pd.DataFrame:
    """Compare the mean score of each distortion and level with the published human scores."""
    people = {
        (k, i): 1 + 4 * kept for k in DISTORTIONS for i, kept in enumerate(PUBLISHED_QUALITY_KEPT[k], start=1)
    }
    people.pop(("blur", 5))  # nobody has rated it
    mean = rows[rows["level"] > 0].groupby(["family", "level"])["score"].mean()
    return pd.DataFrame({"people": pd.Series(people), "score": mean}).dropna().rename_axis(["fault", "level"])


def _clean_originals(rows: pd.DataFrame) -> None:
    kind = rows["clean"].map({True: "clean", False: "with faults of their own"}).rename("slices")
    shown = rows.groupby([kind, "specimen"])["score"].agg(["size", "mean", "min"])
    show("Slices without added fault", shown.round(2))
    clean = rows.loc[rows["clean"], "score"]
    print(
        f"\nclean: mean {clean.mean():.2f}, lowest {clean.min():.2f}, at least 4: {(clean >= 4).mean():.0%}"
    )


def _uncertainty(rows: pd.DataFrame) -> None:
    """Count labels within the interval, which is learned from the other specimens."""
    known = rows[rows["label"].notna()]
    known = known.assign(held=(known["score"] - known["label"]).abs() <= known["uncertainty"])
    for kind, some in kinds(known):
        print(
            f"\nInterval of {COVERAGE:.0%}, learned from the other specimens, {kind}: labels held "
            f"{some['held'].mean():.3f}, half width on average {some['uncertainty'].mean():.2f}"
        )
    held = known.groupby("test").agg(images=("held", "size"), held=("held", "mean"))
    show("By test", held.round(3))
    worst = known.groupby("specimen").agg(held=("held", "mean"), half_width=("uncertainty", "mean"))
    show("Least held", worst.sort_values("held").head(10).round(2))


def _artefacts(rows: pd.DataFrame) -> None:
    """Ask of single artefacts from level 2 up which one takes most points."""
    single = rows[(rows["level"] >= 2) & rows["clean"]]
    named = single[list(ARTEFACTS)].fillna(0).idxmax(axis=1)
    right = named == single["family"].map(PART)
    shown = right.groupby([single["test"], single["generator"]], sort=False).agg(["size", "mean"])
    shown["named most"] = named.groupby([single["test"], single["generator"]], sort=False).agg(
        lambda some: some.mode()[0]
    )
    show("Named artefact right, clean specimens, level 2 and up", shown.round(3))
    show("By test", right.groupby(single["test"], sort=False).mean().to_frame("right").round(3))


def _residuals(rows: pd.DataFrame) -> None:
    """Show where a specimen or a fault is scored too high or too low on the whole."""
    missed = (rows["score"] - rows["label"]).rename("missed")
    family = rows["family"].where(rows["level"] > 0, "(none)")
    table = missed.groupby([rows["specimen"], family]).mean().unstack()
    table["all"] = missed.groupby(rows["specimen"]).mean()
    show("Score less label, mean, per specimen and family", table.round(1).fillna(""))
    groups = {"specimen": ["specimen"], "family": ["family"], "specimen x family": ["specimen", "family"]}
    shares = {
        name: rows.assign(missed=missed).groupby(columns)["missed"].transform("mean").pow(2).mean()
        for name, columns in groups.items()
    }
    mean_square = missed.pow(2).mean()
    print(
        f"\nRMSE {np.sqrt(mean_square):.2f}; share of the squared error that is one offset of each "
        + ", ".join(f"{name}: {share / mean_square:.0%}" for name, share in shares.items())
    )
