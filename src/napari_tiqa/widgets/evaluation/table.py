"""The table of the evaluation dock: one measure for each distortion, everybody judged side by side."""

from math import isfinite

import pandas as pd

from napari_tiqa.widgets.shared.flat_table import FlatTable
from napari_tiqa.wording import counted

MEASURES: dict[str, tuple[str, str]] = {
    "srocc": ("Rank correlation", "Spearman's rank correlation (SROCC) of scores and labels; 1 is best"),
    "plcc": ("Linear correlation", "Pearson's linear correlation (PLCC) of scores and labels; 1 is best"),
    "krocc": ("Kendall's tau", "Kendall's rank correlation (tau-b, KROCC) of scores and labels; 1 is best"),
    "rmse": ("Error", "root mean square error (RMSE) in points of the score; 0 is best"),
    "within": (
        "Order",
        "rank correlation (SROCC) with the falling level within each specimen, averaged; 1 is best",
    ),
    "auc_ds": (
        "Different told from similar",
        "how well pairs that people see a difference in are told from the others (AUC_DS); 1 is best",
    ),
    "auc_bw": (
        "Better told from worse",
        "how well the better of two images is told from the worse (AUC_BW); 1 is best, 0.5 is chance",
    ),
    "cc_0": (
        "Right one ahead",
        "share of the pairs that people tell apart with the right one ahead (CC_0); 1 is best",
    ),
}
"""Columns of ``learning.measures.measures.evaluate``: name and meaning; see docs/evaluation.md."""

_LOW_IS_BEST = ("rmse",)

_HEADINGS = {
    "napari-tiqa default": "default",
    "frozen": "ImageNet",
    "look-up": "look-up",
    "BRISQUE": "BRISQUE",
}


class EvaluationTable(FlatTable):
    """Rows: families; columns: models and baselines; cells: the measure with its 95 % interval."""

    def show_measure(self, table: pd.DataFrame, measure: str) -> None:
        """Show one measure of an evaluation's table; the best of each row is bold."""
        judged, families = list(table["judged"].unique()), list(table["family"].unique())
        self.show_headings(list(map(str, families)), [(_heading(str(title)), str(title)) for title in judged])
        values = table.pivot(index="family", columns="judged", values=measure)
        best = values.min(axis=1) if measure in _LOW_IS_BEST else values.max(axis=1)
        for _, row in table.iterrows():
            place = families.index(row["family"]), judged.index(row["judged"])
            bold = isfinite(row[measure]) and row[measure] == best[row["family"]]
            self.set_cell(*place, _cell(row, measure), _all_measures(row), bold=bold)
        self.fit()


def measures_in(table: pd.DataFrame) -> list[str]:
    """Return the measures that an evaluation's table knows at least one value of."""
    return [measure for measure in MEASURES if measure in table and table[measure].notna().any()]


def _cell(row: pd.Series, measure: str) -> str:
    if not isfinite(row[measure]):
        return "-"
    # Without the zero before the point: there is room for the whole interval then.
    ends = [f"{end:.2f}".replace("0.", ".", 1) for end in _ends(row, measure)]
    return f"{row[measure]:.2f}\n{'–'.join(ends)}".rstrip()


def _heading(title: str) -> str:
    """Return the words of a title that tell it from the others, in a column as narrow as a number."""
    return next((brief for known, brief in _HEADINGS.items() if title.startswith(known)), title)


def _ends(row: pd.Series, measure: str) -> list[float]:
    ends = [float(row.get(f"{measure}_{end}", float("nan"))) for end in ("low", "high")]
    return ends if all(map(isfinite, ends)) else []


def _interval(row: pd.Series, measure: str) -> str:
    return " to ".join(f"{end:.2f}" for end in _ends(row, measure))


def _all_measures(row: pd.Series) -> str:
    images = f"{counted(row['images'], 'image')} of {counted(row['originals'], 'original')}"
    lines = [f"{row['judged']}, {row['family']}: {images}"]
    for measure, (name, meaning) in MEASURES.items():
        if measure in row and isfinite(row[measure]):
            interval = _interval(row, measure)
            lines.append(f"{name} {row[measure]:.3f}{f' ({interval})' if interval else ''}: {meaning}")
    return "\n".join(lines)
