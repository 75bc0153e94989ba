"""Tables of the Segment tab: agreement of each class with the truth, and which class is taken for which."""

from collections.abc import Sequence
from math import isfinite
from textwrap import fill

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
    "pixels": ("Pixels", "Share of this class in the labelled pixels."),
}
_ROOM = 4  # px above and below a line of text
_LINE = 14  # characters of a heading, before it goes on in the next line


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
        self.setVerticalHeaderLabels([fill(title, _LINE) for title in rows])
        for number, (title, tooltip) in enumerate(columns):
            heading = QTableWidgetItem(fill(title, _LINE))
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
        line, high = self.fontMetrics().lineSpacing(), 0
        for number in range(self.rowCount()):
            self.setRowHeight(
                number, line * (1 + self.verticalHeaderItem(number).text().count("\n")) + 2 * _ROOM
            )
            high += self.rowHeight(number)
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + high + 2 * self.frameWidth())


class AgreementTable(_FlatTable):
    """IoU, F1, precision and recall of each class, and their mean."""

    def show_agreement(self, table: pd.DataFrame) -> None:
        """Show a table of ``agreement.agreement_of``."""
        self._show([str(name) for name in table.index], list(_MEASURES.values()))
        pixels = table["pixels"].iloc[-1]
        for row, (name, values) in enumerate(table.iterrows()):
            for column, (measure, (_, meaning)) in enumerate(_MEASURES.items()):
                value = float(values[measure])
                if measure == "pixels":
                    text, meaning = f"{value / pixels:.1%}", f"{value:,.0f} labelled pixels."
                else:
                    text = f"{value:.3f}" if isfinite(value) else "-"
                self._set_cell(row, column, text, meaning, bold=name == "mean")
        self._fit()


class ConfusionTable(_FlatTable):
    """What the pixels of each class of the truth (rows) were taken for (columns), in per cent of the row."""

    def show_confusion(self, confusion: pd.DataFrame) -> None:
        """Show one of ``agreement.confusion_matrix``."""
        names = [str(name) for name in confusion.index]
        self._show(names, [(name, f"Segmented as {name}.") for name in names])
        for row, name in enumerate(names):
            counts = confusion.iloc[row]
            for column, taken in enumerate(names):
                count, total = int(counts.iloc[column]), int(counts.sum())
                text = f"{count / total:.1%}" if total else "-"
                says = f"{count:,} of {total:,} pixels of {name} were segmented as {taken}."
                self._set_cell(row, column, text, says, bold=row == column)
        self._fit()
