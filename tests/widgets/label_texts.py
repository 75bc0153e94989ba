"""What a user reads in a widget, and what betrays that Qt took rich text for plain text or the reverse."""

import re
from collections.abc import Iterator

from qtpy.QtCore import Qt
from qtpy.QtGui import QTextDocumentFragment
from qtpy.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QGroupBox,
    QLabel,
    QTableWidget,
    QTabWidget,
    QTreeWidget,
    QWidget,
)

_MARKUP = re.compile(r"&#?\w+;|</?(b|i|p|br|span|sub|sup|font)\b[^>]*>")


def markup_shown(widget: QWidget) -> list[str]:
    """Return the texts below a widget in which tags or entities of HTML would be read as such."""
    return [text for text in texts_shown(widget) if _MARKUP.search(text)]


def texts_shown(widget: QWidget) -> Iterator[str]:
    """Yield what is read in a widget and those within it, as Qt shows it, tooltips too."""
    for each in (widget, *widget.findChildren(QWidget)):
        yield as_shown(each.toolTip())
        if isinstance(each, QLabel):
            yield as_shown(QLabel.text(each), each.textFormat())
        elif isinstance(each, QAbstractButton):
            yield each.text()
        elif isinstance(each, QGroupBox):
            yield each.title()
        elif isinstance(each, QComboBox):
            yield from (each.itemText(row) for row in range(each.count()))
        elif isinstance(each, QTabWidget):
            yield from (each.tabText(number) for number in range(each.count()))
        elif isinstance(each, QTreeWidget):
            rows = [each.headerItem(), *(each.topLevelItem(row) for row in range(each.topLevelItemCount()))]
            yield from (item.text(column) for item in rows for column in range(each.columnCount()))
        elif isinstance(each, QTableWidget):
            columns = range(each.columnCount())
            items = [each.horizontalHeaderItem(column) for column in columns]
            items += [each.item(row, column) for row in range(each.rowCount()) for column in columns]
            yield from (item.text() for item in items if item is not None)


def as_shown(text: str, form: Qt.TextFormat = Qt.TextFormat.AutoText) -> str:
    """Return a text as Qt shows it: without its tags where it is taken for rich text."""
    rich = form == Qt.TextFormat.RichText or (form == Qt.TextFormat.AutoText and Qt.mightBeRichText(text))
    return QTextDocumentFragment.fromHtml(text).toPlainText() if rich else text
