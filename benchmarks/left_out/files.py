"""The file of all scores: a row per image."""

from pathlib import Path

import pandas as pd

from napari_tiqa.scoring.scale import ARTEFACTS

LEFT_OUT = Path(__file__).parents[2] / "models" / "left_out.csv"

COLUMNS = (
    "test",
    "fold",
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
"""`score` and `levels` are what the networks say, not calibrated; see ``folds.FoldModels.score``. `generator`
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


def read(path: Path) -> pd.DataFrame:
    """Read what `write` has kept."""
    texts = {"test", "specimen", "family", "generator", "levels"}
    numbers = {column: [""] for column in COLUMNS if column not in texts}
    table = pd.read_csv(path, keep_default_na=False, na_values=numbers)
    table["clean"] = table["clean"].astype(bool)
    table["generator"] = table["generator"].where(table["generator"] != "", table["family"])
    return table
