"""An evaluation for people and programs: as text, as one JSON document, as a folder of tables and figures."""

import json
import os
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pandas as pd

from napari_tiqa.learning.evaluation.comparison import Evaluation
from napari_tiqa.learning.evaluation.figures import box_figure, scatter_figure, shrink_figure
from napari_tiqa.learning.evaluation.residuals import residual_sentence
from napari_tiqa.learning.measures.measures import METRICS
from napari_tiqa.report_folder import write_report

FILES = (
    "table.csv", "images.csv", "residuals.csv", "shrink.csv", "record.json",
    "scatter.png", "boxes.png", "shrink.png",
)  # fmt: skip
"""What ``write_evaluation`` writes; those of the effect of shrinking only where there is one."""

_LARGEST = 10  # residuals that are printed
_HEADINGS = {
    "within": "within", "srocc": "SROCC", "plcc": "PLCC", "krocc": "KROCC", "rmse": "RMSE",
    "auc_ds": "AUC_DS", "auc_bw": "AUC_BW", "cc_0": "CC_0",
}  # fmt: skip


def evaluation_text(evaluation: Evaluation) -> str:
    """Write the table as in the paper's Table 1, a block for each family, and the notes below it."""
    table = evaluation.table
    metrics = [metric for metric in METRICS if metric in table and table[metric].notna().any()]
    blocks = []
    for family, rows in table.groupby("family", sort=False):
        cells = pd.DataFrame({"": rows["judged"]})
        for metric in metrics:
            low, high = rows.get(f"{metric}_low"), rows.get(f"{metric}_high")
            cells[_HEADINGS[metric]] = [
                _cell(*values)
                for values in zip(rows[metric], _or_none(low, rows), _or_none(high, rows), strict=True)
            ]
        first = rows.iloc[0]
        blocks.append(
            f"{family}: {first['images']} images of {first['originals']} originals, "
            f"{first['specimens']} specimens\n{cells.to_string(index=False)}"
        )
    if len(evaluation.shrink):
        difference = evaluation.shrink["difference"]
        blocks.append(
            f"Shrinking to 224 px: over {len(difference)} large slices the mean of native tiles is "
            f"{difference.mean():+.2f} points from the shrunk slice's score ({difference.min():+.2f} to "
            f"{difference.max():+.2f})."
        )
    residuals = evaluation.residuals
    if len(residuals):
        largest = residuals.head(_LARGEST).to_string(index=False, float_format="{:+.2f}".format)
        blocks.append(f"{residual_sentence(residuals)}\n{largest}")
    return "\n\n".join([*blocks, "\n".join(evaluation.notes)]).rstrip()


def evaluation_json(evaluation: Evaluation) -> str:
    """Return record, notes and all tables as one JSON document; what is not known is null."""
    document = evaluation.record | {"notes": evaluation.notes}
    for name in ("table", "rows", "residuals", "shrink"):
        document["images" if name == "rows" else name] = _records(getattr(evaluation, name))
    return json.dumps(document, indent=1)


def write_evaluation(evaluation: Evaluation, folder: str | os.PathLike[str]) -> list[Path]:
    """Write tables, record and figures into a folder, each file as a whole; files of `FILES` are replaced.

    Returns what was written; raises TableError if the folder cannot be made or written to.
    """
    shrunk = len(evaluation.shrink) > 0
    return write_report(
        folder,
        "The evaluation",
        {
            "table.csv": evaluation.table,
            "images.csv": evaluation.rows,
            "residuals.csv": evaluation.residuals,
        }
        | ({"shrink.csv": evaluation.shrink} if shrunk else {}),
        evaluation.record | {"notes": evaluation.notes},
        {"scatter.png": lambda: scatter_figure(evaluation), "boxes.png": lambda: box_figure(evaluation)}
        | ({"shrink.png": lambda: shrink_figure(evaluation.shrink)} if shrunk else {}),
    )


def _cell(value: float, low: float | None, high: float | None) -> str:
    if pd.isna(value):
        return "-"
    return f"{value:.3f}" if low is None or pd.isna(low) else f"{value:.3f} [{low:.2f}, {high:.2f}]"


def _or_none(column: pd.Series | None, rows: pd.DataFrame) -> list[float | None]:
    return [None] * len(rows) if column is None else list(column)


def _records(table: pd.DataFrame) -> list[dict[Hashable, Any]]:
    return table.astype(object).where(table.notna(), None).to_dict("records")
