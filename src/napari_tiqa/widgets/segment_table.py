"""Tables of the Segment tab: agreement of each class with the truth, and which class is taken for which."""

from collections.abc import Sequence
from math import isfinite

import pandas as pd
from qtpy.QtCore import Qt
from qtpy.QtGui import QFont
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

_MEASURES = {
    "iou": ("IoU", "Pixels that both call this class, as a share of those that either does; 1 is best."),
    "f1": ("F1", "Harmonic mean of precision and recall (Dice coefficient); 1 is best."),
    "precision": ("Precision", "Of the pixels segmented as this class, the share that is; 1 is best."),
    "recall": ("Recall", "Of the pixels that are this class, the share that was found; 1 is best."),
    "pixels": ("Pixels", "Labelled pixels of this class in the truth."),
}
_ROOM = 4  # px between rows


class _FlatTable(QTableWidget):
    """Cells to be read only, as high as its rows: the dock scrolls as a whole where that is too much."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setShowGrid(False)
        self.setCornerButtonEnabled(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setHighlightSections(False)
        self.verticalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def _show(self, rows: Sequence[str], columns: Sequence[tuple[str, str]]) -> None:
        """Show these headings; a column's has a tooltip."""
        self.setRowCount(len(rows))
        self.setColumnCount(len(columns))
        self.setVerticalHeaderLabels(list(rows))
        for number, (title, tooltip) in enumerate(columns):
            heading = QTableWidgetItem(title)
            heading.setToolTip(tooltip)
            self.setHorizontalHeaderItem(number, heading)

    def _set_cell(self, row: int, column: int, text: str, tooltip: str = "", *, bold: bool = False) -> None:
        item = QTableWidgetItem(text)
        item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
        item.setToolTip(tooltip)
        if bold:
            font = QFont(item.font())
            font.setBold(True)
            item.setFont(font)
        self.setItem(row, column, item)

    def _fit(self) -> None:
        high = self.fontMetrics().height() + 2 * _ROOM
        for number in range(self.rowCount()):
            self.setRowHeight(number, high)
        self.setFixedHeight(
            self.horizontalHeader().sizeHint().height() + self.rowCount() * high + 2 * self.frameWidth()
        )


class AgreementTable(_FlatTable):
    """IoU, F1, precision and recall of each class, and their mean."""

    def show_agreement(self, table: pd.DataFrame) -> None:
        """Show a table of ``agreement.agreement_of``."""
        self._show([str(name) for name in table.index], list(_MEASURES.values()))
        for row, (name, values) in enumerate(table.iterrows()):
            for column, measure in enumerate(_MEASURES):
                value = float(values[measure])
                text = f"{int(value):,}" if measure == "pixels" else _ratio(value)
                self._set_cell(row, column, text, _MEASURES[measure][1], bold=name == "mean")
        self._fit()


class ConfusionTable(_FlatTable):
    """What the pixels of each class of the truth (rows) were taken for (columns), in per cent of the row."""

    def show_confusion(self, confusion: pd.DataFrame) -> None:
        """Show one of ``agreement.confusion_matrix``."""
        names = [str(name) for name in confusion.index]
        self._show(
            [f"true {name}" for name in names], [(f"as {name}", f"Segmented as {name}.") for name in names]
        )
        for row, name in enumerate(names):
            counts = confusion.iloc[row]
            for column, taken in enumerate(names):
                count, total = int(counts.iloc[column]), int(counts.sum())
                text = f"{100 * count / total:.1f} %" if total else "-"
                says = f"{count:,} of {total:,} pixels of {name} were segmented as {taken}."
                self._set_cell(row, column, text, says, bold=row == column)
        self._fit()


def _ratio(value: float) -> str:
    return f"{value:.3f}" if isfinite(value) else "-"
