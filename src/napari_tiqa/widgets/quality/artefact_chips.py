"""Artefacts as coloured chips in a list, each with its word: one set of colours in all docks."""

from typing import Any

from qtpy.QtCore import QModelIndex, QRect, QSize, Qt
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from napari_tiqa.figure_style import ARTEFACT_COLOURS
from napari_tiqa.scoring.scale import ARTEFACT_WORDS

_DATA = Qt.ItemDataRole.UserRole
_INSIDE, _BETWEEN, _ROUND = 5, 3, 4  # px
_LIGHT = 140  # of 255: dark writing from here


class ChipDelegate(QStyledItemDelegate):
    """Draws a cell whose ``UserRole`` data are names of ``scoring.scale.ARTEFACTS``."""

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw the cell's ground, then a chip for each artefact."""
        super().paint(painter, option, index)
        if painter is None:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left, high = option.rect.left() + _BETWEEN, option.fontMetrics.height()
        top = option.rect.center().y() - high // 2
        for artefact in _artefacts(index):
            word, colour = ARTEFACT_WORDS[artefact], QColor(ARTEFACT_COLOURS[artefact])
            chip = QRect(left, top, _width(option, word), high)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRoundedRect(chip, _ROUND, _ROUND)
            light = 0.299 * colour.red() + 0.587 * colour.green() + 0.114 * colour.blue()
            painter.setPen(QColor("black" if light > _LIGHT else "white"))
            painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, word)
            left += chip.width() + _BETWEEN
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Return the room that the chips take."""
        widths = [_width(option, ARTEFACT_WORDS[artefact]) + _BETWEEN for artefact in _artefacts(index)]
        return QSize(sum(widths) + _BETWEEN, super().sizeHint(option, index).height())


def _artefacts(index: QModelIndex) -> list[str]:
    named: Any = index.data(_DATA)
    return named or []


def _width(option: QStyleOptionViewItem, word: str) -> int:
    return int(option.fontMetrics.horizontalAdvance(word)) + 2 * _INSIDE
