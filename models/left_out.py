"""Scores of specimens left out of training, a row per image, by ``benchmarks/validity.py``.

The default model's card and uncertainty rest on them.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from napari_tiqa.learning.images.groups import Group
from napari_tiqa.learning.training.calibration import KNOTS, score_scale
from napari_tiqa.scoring.scale import ARTEFACTS

SCORES = Path(__file__).with_name("left_out.csv")

ADDED = ("paper", "others", "scans")
"""Tests whose images have labels."""

COLUMNS = (
    "test",
    "original",
    "specimen",
    "clean",
    "family",
    "generator",
    "size",
    "level",
    "label",
    "score",
    *ARTEFACTS,
    "novelty",
    "levels",
    "ssim",
    "ms_ssim",
    "gmsd",
)
"""`score` and `levels` are what the network says, not calibrated (``benchmarks.left_out.judge``). `generator`
is empty where it is the family."""

_DECIMALS = {"label": 2, "score": 3, "novelty": 2, "ssim": 4, "ms_ssim": 4, "gmsd": 4} | dict.fromkeys(
    ARTEFACTS, 2
)


def write(table: pd.DataFrame, path: Path) -> None:
    """Keep the scores, rounded, in few characters."""
    table = table.reindex(columns=list(COLUMNS)).round(_DECIMALS)
    table["clean"] = table["clean"].astype(int)
    table.loc[table["generator"] == table["family"], "generator"] = ""
    table.to_csv(path, index=False, float_format="%.6g")


def read(path: Path = SCORES) -> pd.DataFrame:
    """Read what `write` has kept."""
    texts = {"test", "specimen", "family", "generator", "levels"}
    numbers = {column: [""] for column in COLUMNS if column not in texts}
    table = pd.read_csv(path, keep_default_na=False, na_values=numbers)
    table["clean"] = table["clean"].astype(bool)
    table["generator"] = table["generator"].where(table["generator"] != "", table["family"])
    return table


def on_the_scale_of_others(left_out: pd.DataFrame) -> pd.DataFrame:
    """Put each specimen's scores on the scale learned from the other specimens without faults of their own.

    Parameters
    ----------
    left_out : pandas.DataFrame
        Of ``read``: the scores are those of the network.

    Returns
    -------
    pandas.DataFrame
        The same with scores as a calibrated model gives them, and their uncertainty in another column.
    """
    raw, label = (left_out[column].to_numpy(float) for column in ("score", "label"))
    score, uncertainty = raw.copy(), np.full(len(raw), np.nan)
    for specimen in left_out["specimen"].unique():
        own = (left_out["specimen"] == specimen).to_numpy()
        others = ~own & left_out["clean"].to_numpy()
        expected, half_widths = score_scale(raw[others], label[others])
        score[own] = np.interp(raw[own], KNOTS, expected)
        uncertainty[own] = np.interp(raw[own], KNOTS, half_widths)
    return left_out.assign(score=score, uncertainty=uncertainty)


def groups_of_rows(rows: pd.DataFrame, column: str = "score") -> tuple[list[Group], list[np.ndarray]]:
    """Turn rows into what ``evaluate`` takes.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns as of ``read``.
    column : str
        Whose scores.

    Returns
    -------
    groups : list of Group
        Without images.
    scores : list of numpy.ndarray
    """
    originals = [original for _, original in rows.groupby("original")]
    nothing = np.empty((0, 0, 0), np.uint8)
    groups = [
        Group(
            original["specimen"].iloc[0],
            nothing,
            tuple(original["family"]),
            original["level"].to_numpy(int),
            original["label"].to_numpy(float),
            bool(original["clean"].iloc[0]),
        )
        for original in originals
    ]
    return groups, [original[column].to_numpy(float) for original in originals]
