"""Print every figure of docs/validity.md from what the model says of specimens it was not trained on.

    python benchmarks/validity.py [left_out.csv]

The file is that of benchmarks/leave_specimens_out.py; without a name, the one that the default model's card
and its uncertainty rest on.
"""

import sys

import numpy as np
import pandas as pd

from models.default import LEFT_OUT, groups_of_rows, on_the_scale_of_others, read_left_out
from napari_tiqa.learning.images.distortions import DISTORTIONS
from napari_tiqa.learning.images.groups import COUNTERPART
from napari_tiqa.learning.images.labels import PUBLISHED_QUALITY_KEPT
from napari_tiqa.learning.measures.measures import evaluate, order_within_specimens, srocc
from napari_tiqa.learning.training.calibration import COVERAGE
from napari_tiqa.scoring.scale import ARTEFACTS

RESAMPLES = 200
FIGURES = ["within", "worst", "srocc", "plcc", "rmse"]


def main() -> None:
    images, foreign = read_left_out(sys.argv[1] if len(sys.argv) > 1 else LEFT_OUT)
    images = on_the_scale_of_others(images)
    baselines = list(images.columns[images.columns.get_loc("clean") + 1 : -1])
    _agreement(images, baselines)
    _human_scale(images)
    _clean_originals(images)
    _uncertainty(images)
    _artefacts(images)
    _novelty(images, foreign)


def _agreement(images: pd.DataFrame, baselines: list[str]) -> None:
    judged = _judge(images, "score", RESAMPLES)
    shown = judged[["specimens", "images", *FIGURES, "krocc"]].round(3)
    for metric in ("srocc", "plcc"):
        low, high = judged[f"{metric}_low"], judged[f"{metric}_high"]
        shown[f"{metric} 95 %"] = [f"{a:.3f}..{b:.3f}" for a, b in zip(low, high, strict=True)]
    _print("Specimens left out: agreement with the labels", shown)
    clean = _judge(images[images["clean"]], "score")
    clean = clean[["specimens", "images", *FIGURES]].round(3)
    _print("Of these, scans without visible faults of their own", clean)
    beside = {"napari-tiqa": judged} | {name: _judge(images, name) for name in baselines}
    for metric in ("within", "srocc", "plcc"):
        table = pd.DataFrame({name: one[metric] for name, one in beside.items()})
        _print(f"Beside the baselines: {metric}", table.round(3))
    _print("Order within each specimen", order_within_specimens(*groups_of_rows(images)).round(2))


def _judge(images: pd.DataFrame, column: str, resamples: int = 0) -> pd.DataFrame:
    groups, scores = groups_of_rows(images, column)
    return evaluate(groups, scores, resamples=resamples).set_index("family")


def _human_scale(images: pd.DataFrame) -> None:
    """Compare the mean score of each distortion and level with the published human scores."""
    people = {
        (k, i): 1 + 4 * kept for k in DISTORTIONS for i, kept in enumerate(PUBLISHED_QUALITY_KEPT[k], start=1)
    }
    people.pop(("blur", 5))  # nobody has rated it
    mean = images[images["family"].isin(DISTORTIONS)].groupby(["family", "level"])["score"].mean()
    both = pd.DataFrame({"people": pd.Series(people), "score": mean}).dropna()
    _print("Mean score per distortion and level, beside people's", both.round(2))
    order, error = srocc(both["people"], both["score"]), (both["people"] - both["score"]).abs().mean()
    print(f"SROCC {order:.3f}, mean absolute error {error:.3f}")


def _clean_originals(images: pd.DataFrame) -> None:
    references = images[
        (images["family"] == "") & images["original"].isin(images["original"][images["family"] == "ring"])
    ]
    references = references.assign(
        originals=np.where(references["clean"], "clean", "with faults of their own")
    )
    shown = references.groupby(["originals", "specimen"])["score"].agg(["size", "mean", "min"])
    _print("Originals without added distortion", shown.round(2))
    clean = references.loc[references["clean"], "score"]
    print(f"clean: mean {clean.mean():.2f}, lowest {clean.min():.2f}, at least 4: {(clean >= 4).mean():.0%}")


def _uncertainty(images: pd.DataFrame) -> None:
    """Count labels within the interval, which is learned from the other specimens."""
    known = images[images["label"].notna()]
    known = known.assign(held=(known["score"] - known["label"]).abs() <= known["uncertainty"])
    shown = known.groupby("specimen").agg(
        images=("held", "size"), held=("held", "mean"), half_width=("uncertainty", "mean")
    )
    _print(f"Interval of {COVERAGE:.0%}, learned from the other specimens", shown.round(2))
    print(f"labels held: {known['held'].mean():.3f}; half width on average {known['uncertainty'].mean():.2f}")


def _artefacts(images: pd.DataFrame) -> None:
    """Ask of single artefacts from level 2 up which one takes most points."""
    single = images[(images["level"] >= 2) & (images["family"] != "")]
    named = single[list(ARTEFACTS)].idxmax(axis=1)
    right = named == single["family"].map(COUNTERPART)
    shown = right.groupby(single["family"], sort=False).agg(["size", "mean"])
    _print("Named artefact right, level 2 and up", shown.round(3))
    paper = single["family"].isin(DISTORTIONS)
    print(f"the paper's three: {right[paper].mean():.3f}; acquisition faults: {right[~paper].mean():.3f}")


def _novelty(images: pd.DataFrame, foreign: pd.DataFrame) -> None:
    mild = images[images["level"] <= 2]
    flagged = (mild["novelty"] > 1).mean()
    print(f"\nflagged as unlike the training images: {flagged:.1%} of left-out slices up to level 2")
    _print(
        "Flagged, of what is no tomogram",
        foreign.groupby("family")["novelty"].agg(images="size", flagged=lambda n: np.mean(n > 1)).round(2),
    )
    _print(
        "Flagged, per specimen",
        mild.groupby("specimen")["novelty"]
        .agg(images="size", flagged=lambda n: np.mean(n > 1), median="median")
        .round(2),
    )


def _print(title: str, table: pd.DataFrame) -> None:
    print(f"\n{title}\n{table.to_string()}")


if __name__ == "__main__":
    main()
