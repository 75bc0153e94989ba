"""The table of the evaluation dock: one measure for each distortion, everybody judged side by side."""

from math import isfinite
from textwrap import fill

import pandas as pd
from qtpy.QtCore import Qt
from qtpy.QtGui import QFont
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

MEASURES: dict[str, tuple[str, str]] = {
    "srocc": ("SROCC", "rank correlation of scores and labels; 1 is best"),
    "plcc": ("PLCC", "linear correlation of scores and labels; 1 is best"),
    "krocc": ("KROCC", "Kendall's rank correlation (tau-b) of scores and labels; 1 is best"),
    "rmse": ("RMSE", "root mean square error in points of the score; 0 is best"),
    "within": ("Order", "SROCC with the falling level within each specimen, averaged; 1 is best"),
    "auc_ds": ("AUC_DS", "telling pairs that people see a difference in from pairs they do not; 1 is best"),
    "auc_bw": ("AUC_BW", "telling the better of two images from the worse; 1 is best, .5 is chance"),
    "cc_0": ("CC_0", "share of the pairs that people tell apart with the right one ahead; 1 is best"),
}
"""Columns of ``learning.measures.measures.evaluate``: name and meaning; see docs/evaluation.md."""

_LOW_IS_BEST = ("rmse",)
_TITLE_WIDTH = 14  # characters
_ROOM = 10  # px between rows


class EvaluationTable(QTableWidget):
    """Rows: families; columns: models and baselines; cells: the measure with its 95 % interval."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setShowGrid(False)
        self.setCornerButtonEnabled(False)
        self.setWordWrap(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.verticalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def show_measure(self, table: pd.DataFrame, measure: str) -> None:
        """Show one measure of an evaluation's table; the best of each row is bold."""
        judged, families = table["judged"].unique(), table["family"].unique()
        self.setColumnCount(len(judged))
        self.setRowCount(len(families))
        self.setHorizontalHeaderLabels([fill(str(title), _TITLE_WIDTH) for title in judged])
        self.setVerticalHeaderLabels([str(family) for family in families])
        values = table.pivot(index="family", columns="judged", values=measure)
        best = values.min(axis=1) if measure in _LOW_IS_BEST else values.max(axis=1)
        for _, row in table.iterrows():
            title, family = row["judged"], row["family"]
            item = QTableWidgetItem(_cell(row, measure))
            item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
            item.setToolTip(_all_measures(row))
            if isfinite(row[measure]) and row[measure] == best[family]:
                font = QFont(item.font())
                font.setBold(True)
                item.setFont(font)
            self.setItem(list(families).index(family), list(judged).index(title), item)
        self.resizeRowsToContents()
        for number in range(self.rowCount()):
            self.setRowHeight(number, self.rowHeight(number) + _ROOM)
        # As high as it is: the dock scrolls as a whole where that is too much.
        rows = sum(self.rowHeight(number) for number in range(self.rowCount()))
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + rows + 2 * self.frameWidth())


def measures_in(table: pd.DataFrame) -> list[str]:
    """Return the measures that an evaluation's table knows at least one value of."""
    return [measure for measure in MEASURES if measure in table and table[measure].notna().any()]


def _cell(row: pd.Series, measure: str) -> str:
    if not isfinite(row[measure]):
        return "-"
    return f"{row[measure]:.2f}\n{_interval(row, measure)}".rstrip()


def _interval(row: pd.Series, measure: str) -> str:
    low, high = (row.get(f"{measure}_{end}", float("nan")) for end in ("low", "high"))
    return f"{low:.2f} to {high:.2f}" if isfinite(low) and isfinite(high) else ""


def _all_measures(row: pd.Series) -> str:
    images = f"{row['images']} images of {row['originals']} originals"
    lines = [f"{row['judged']}, {row['family']}: {images}"]
    for measure, (name, meaning) in MEASURES.items():
        if measure in row and isfinite(row[measure]):
            interval = _interval(row, measure)
            lines.append(f"{name} {row[measure]:.3f}{f' ({interval})' if interval else ''}: {meaning}")
    return "\n".join(lines)
