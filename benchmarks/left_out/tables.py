"""Every table of docs/validity_tables.md, from the file of scores."""

from pathlib import Path

import pandas as pd

from benchmarks.left_out.agreement import print_agreement, print_scale
from benchmarks.left_out.as_they_are import print_as_they_are
from benchmarks.left_out.goals import print_goals
from benchmarks.left_out.large import print_large
from benchmarks.left_out.printing import show
from benchmarks.left_out.views import with_views
from models.left_out import read


def print_tables(path: Path) -> None:
    """Print all tables; scores are put on the scale that the other specimens teach."""
    print("# Tables of validity\n")
    print("[How to read them](validity.md). Printed by `python -m benchmarks.validity --tables`.")
    images = with_views(read(path))
    images = _scored(images)
    print_goals(images)
    print_agreement(images)
    print_large(images)
    print_as_they_are(images)
    print_scale(images)


def _scored(images: pd.DataFrame) -> pd.DataFrame:
    """Leave out images with a fault that were taken for noise without structure, and say which."""
    nothing = images["score"].isna() & ~images["test"].isin(["static", "real"])
    if nothing.any():
        which = (
            images[nothing].groupby(["test", "generator", "level"])["size"].agg(images="size", least_px="min")
        )
        show("Not scored, taken for noise without structure", which)
    return images[~nothing]
