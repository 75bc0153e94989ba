"""Where a model scores too high or too low: the mean of score less label, for each specimen and artefact."""

from pathlib import Path

import numpy as np
import pandas as pd

_UNDISTORTED = "original"  # what the family of an image without a distortion is called here


def residual_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Average the residuals of judged images.

    Parameters
    ----------
    rows : pandas.DataFrame
        A row per image with the columns specimen, family, label (NaN where there is none) and score.

    Returns
    -------
    pandas.DataFrame
        A row for each specimen and family with labels, the largest mean first: specimen, family ("original"
        where nothing was added), images, residual (mean of score - label, points: above 0 the score is too
        high) and deviation (standard deviation of the images about that mean; NaN for one image).
    """
    labelled = rows[rows["label"].notna()]
    residuals = (labelled["score"] - labelled["label"]).astype(float)
    families = labelled["family"].replace("", _UNDISTORTED)
    cells = residuals.groupby([labelled["specimen"], families]).agg(
        images="size", residual="mean", deviation="std"
    )
    order = np.argsort(-cells["residual"].abs().to_numpy(), kind="stable")
    return cells.iloc[order].reset_index()


def residual_sentence(table: pd.DataFrame) -> str:
    """Say how far a specimen's artefact is off, typically and at most; empty where there are no labels."""
    if not len(table):
        return ""
    typical = float(np.sqrt((table["residual"] ** 2).mean()))
    worst = table.iloc[0]
    return (
        f"Score less label, averaged within each specimen and artefact: root mean square {typical:.2f} "
        f"points over {len(table)} of these, largest {worst['residual']:+.2f} "
        f"({Path(worst['specimen']).name}, {worst['family']})."
    )
