"""The figures that the score is to reach, and what it reaches."""

import pandas as pd

from benchmarks.left_out.agreement import ADDED, at_two_sizes, beside_people, judged, kinds
from benchmarks.left_out.as_they_are import UNLIKE, pairs_of_known_order, told_apart
from benchmarks.left_out.large import figures
from benchmarks.left_out.printing import show
from napari_tiqa.learning.images.distortions import DISTORTIONS
from napari_tiqa.learning.measures.measures import srocc

VIEW_NAMES = {"score": "overview", "pyramid": "pyramid"}


def print_goals(images: pd.DataFrame) -> None:
    """Print one table: a row per goal, reached by the overview and by the default view."""
    rows = [row for view in VIEW_NAMES for row in _rows(images, view)]
    table = pd.DataFrame(rows, columns=["figure", "goal", "view", "reached"])
    wide = table.pivot_table("reached", ["figure", "goal"], "view", aggfunc="first", sort=False, dropna=False)
    show("Goals", wide[list(VIEW_NAMES.values())].dropna(how="all").fillna("-"))


def _rows(images: pd.DataFrame, view: str) -> list[tuple[str, str, str, str]]:
    name = VIEW_NAMES[view]
    of = dict(list(images.groupby("test")))
    found: list[tuple[str, str, str]] = []
    if "paper" in of:
        found += _paper(of["paper"], view)
    if "others" in of:
        for kind, some in kinds(of["others"]):
            table = judged(some.assign(family=some["generator"]), view)
            found.append((f"generators left out, {kind}: SROCC / PLCC", "", _both(table.iloc[-1])))
            lowest = table["within"].iloc[:-1]
            found.append(
                (f"generators left out, {kind}: least within", "", f"{lowest.min():.2f} ({lowest.idxmin()})")
            )
    if "scans" in of and view == "score":
        for kind, some in kinds(of["scans"]):
            table = judged(some, view)
            lowest = table["within"].iloc[:-1]
            found.append((f"scanned faults, {kind}: SROCC / PLCC", ">= .85", _both(table.iloc[-1])))
            found.append(
                (f"scanned faults, {kind}: least within", ">= .97", f"{lowest.min():.2f} ({lowest.idxmin()})")
            )
    if "large" in of:
        reached = figures(of["large"], of["large"][view].to_numpy(float))
        found.append(
            ("large slices: SROCC with MS-SSIM at native size", ">= .92", f"{reached['ms_ssim']:.2f}")
        )
        within = " / ".join(f"{reached[f'within {family}']:.2f}" for family in DISTORTIONS)
        found.append(("large slices: within blur / noise / ring", ">= .98", within))
    if "static" in of:
        goal = "<= 2, within .3, or not scored"
        found.append(("noise without content, any size", goal, _static(of["static"], view)))
    if "real" in of:
        real = of["real"].set_index("generator")
        apart = told_apart(real, view)
        found.append(("real strong faults against clean: ROC area", "1", f"{apart['ROC area']:.2f}"))
        text = f"{apart['strong']:.1f}, {apart['clean']:.1f}"
        found.append(("real: mean score of strong faults, of clean", "<= 3, >= 4.5", text))
        better = pairs_of_known_order(real)[view] > 0
        found.append(("real pairs of known order right", "all", f"{better.sum()} of {len(better)}"))
    if view == "score":
        found += _of_the_overview(images)
    return [(figure, goal, name, reached) for figure, goal, reached in found]


def _paper(paper: pd.DataFrame, view: str) -> list[tuple[str, str, str]]:
    found = []
    for (kind, some), goal, order in zip(
        kinds(paper), (">= .96", ">= .93"), (">= .98", ">= .95"), strict=False
    ):
        at = {size: judged(one, view) for size, one in some.groupby("size")}
        lowest = min(at, key=lambda size: at[size]["srocc"].iloc[-1])
        text = f"{_both(at[lowest].iloc[-1])} ({lowest} px)"
        found.append((f"paper's distortions, {kind}: SROCC / PLCC, lowest of all sizes", goal, text))
        for distortion in DISTORTIONS:
            within = {size: table.loc[distortion, "within"] for size, table in at.items()}
            size = min(within, key=lambda one: within[one])
            figure = f"paper's distortions, {kind}: within {distortion}, lowest of all sizes"
            found.append((figure, order, f"{within[size]:.2f} ({size} px)"))
    change = at_two_sizes(paper)
    means = change.groupby(["small", "large"])[view].mean()
    text = (
        f"{change[view].mean():.2f}, most {means.max():.2f} ({means.idxmax()[0]} and {means.idxmax()[1]} px)"
    )
    found.append(("same slice and relative fault at two sizes: mean difference", "<= .2", text))
    return found


def _of_the_overview(images: pd.DataFrame) -> list[tuple[str, str, str]]:
    found = []
    concentric = images[(images["test"] == "concentric") & (images["level"] == 0)]
    if len(concentric):
        text = f"{concentric['ring'].mean():.2f}, most {concentric['ring'].max():.2f}"
        found.append(("concentric clean content: ring points lost", "<= .15", text))
    added = images[images["test"].isin(ADDED)]
    known = added[added["label"].notna() & added["clean"]]
    if len(known):
        held = ((known["score"] - known["label"]).abs() <= known["uncertainty"]).mean()
        text = f"{known['uncertainty'].mean():.2f} ({held:.0%} held)"
        found.append(("half width of the interval (labels held: 85 to 95 %)", "<= .6", text))
    people = beside_people(images[(images["test"] == "paper") & images["clean"]])
    if len(people):
        error = (people["people"] - people["score"]).abs().mean()
        text = f"{srocc(people['people'], people['score']):.2f}, {error:.2f}"
        found.append(("human scale per distortion and level: SROCC, MAE", ">= .98, <= .30", text))
    flagged = images["novelty"] > UNLIKE
    mild = images["test"].isin([*ADDED, "real"]) & (images["level"] <= 2)
    found.append(("left-out slices flagged", "<= 3 %", f"{flagged[mild].mean():.1%}"))
    foreign = images[images["specimen"] == "foreign"]
    if len(foreign):
        share = flagged[foreign.index].groupby(foreign["family"]).mean()
        text = ", ".join(f"{sort} {one:.0%}" for sort, one in share.items())
        found.append(("what is not a slice flagged", ">= 95 % each", text))
    return found


def _static(rows: pd.DataFrame, view: str) -> str:
    ends = rows.groupby("generator")[view].agg(["min", "max", "count", "size"])
    return ", ".join(
        f"{sort} {low:.1f} to {high:.1f} ({count} of {size} scored)" if count else f"{sort} not scored"
        for sort, low, high, count, size in ends.itertuples()
    )


def _both(row: pd.Series) -> str:
    return f"{row['srocc']:.2f} / {row['plcc']:.2f}"
