"""A table to be read: as high as its rows, as wide as the dock."""

from collections.abc import Sequence
from textwrap import fill

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

_ROOM = 4  # px above and below a line of text
_LINE = 14  # characters of a heading, before it goes on in the next line
_TITLE = 16  # characters of a row's title


class FlatTable(QTableWidget):
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

    def show_headings(
        self, rows: Sequence[str], columns: Sequence[tuple[str, str]], line: int = _LINE
    ) -> None:
        """Show these headings; a column's has a tooltip, and lines of so many characters."""
        self.setRowCount(len(rows))
        self.setColumnCount(len(columns))
        self.setVerticalHeaderLabels([fill(title, _TITLE) for title in rows])
        for number, (title, tooltip) in enumerate(columns):
            heading = QTableWidgetItem(fill(title, line))
            heading.setToolTip(tooltip)
            self.setHorizontalHeaderItem(number, heading)

    def set_cell(self, row: int, column: int, text: str, tooltip: str = "", *, bold: bool = False) -> None:
        """Write a cell."""
        item = QTableWidgetItem(text)
        item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
        item.setToolTip(tooltip)
        if bold:
            font = QFont(item.font())
            font.setBold(True)
            item.setFont(font)
        self.setItem(row, column, item)

    def fit(self) -> None:
        """Become as high as the rows are."""
        line, high = self.fontMetrics().lineSpacing(), 0
        for number in range(self.rowCount()):
            cells = [self.item(number, column) for column in range(self.columnCount())]
            texts = [cell.text() for cell in (self.verticalHeaderItem(number), *cells) if cell is not None]
            self.setRowHeight(number, line * (1 + max(text.count("\n") for text in texts)) + 2 * _ROOM)
            high += self.rowHeight(number)
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + high + 2 * self.frameWidth())
