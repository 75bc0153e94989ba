"""The results tab of the rating dock: how steady each rater is, how far they agree, and where they do not."""

import numpy as np
import pandas as pd
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_tiqa.learning.ratings.table import (
    agreement_in_words,
    krippendorff_alpha,
    most_disputed,
    rating_warnings,
    self_consistency,
)
from napari_tiqa.widgets.rating.canvas import RatingCanvas
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel

_ROW = 20  # px
_IMAGE = Qt.ItemDataRole.UserRole
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class RatingResults(QWidget):
    """Shows what a session's ratings say; the dock gives it a table and the image to look at."""

    image_chosen = Signal(str)
    merge_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.raters = _table(
            ["Rater", "Images", "Twice", "Same score", "Apart"],
            "Each rater: images rated, images rated twice, how many of those got the same score again, and "
            "how many points the two scores are apart on average.",
            rows=3,
        )
        self.agreement = SentenceLabel("Krippendorff's alpha for ordinal scores: 1 full agreement, 0 chance.")
        self.disputed = _table(
            ["Most disputed", "Scores"],
            "The images that the raters disagree on most; select one to look at it.",
            rows=5,
        )
        self.disputed.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.canvas = RatingCanvas()
        self.canvas.setMinimumHeight(100)
        self.warnings = SentenceLabel("What stands against learning from these ratings.")
        self.merge_button = QPushButton("Merge ratings…")
        self.merge_button.setToolTip(
            "Take in the ratings.csv of raters who had a copy of this folder; what is known counts once."
        )
        self.file = SentenceLabel("Everybody's ratings, saved after every click: image, rater, score, time.")
        self._lay_out()
        self.disputed.currentItemChanged.connect(self._on_chosen)
        self.merge_button.clicked.connect(self.merge_clicked)

    def show_ratings(self, ratings: pd.DataFrame) -> None:
        """Show what these ratings say, in place of what was shown."""
        self.raters.clear()
        for rater, row in self_consistency(ratings).iterrows():
            same = "-" if np.isnan(row["same"]) else f"{row['same']:.0%}"
            apart = "-" if np.isnan(row["difference"]) else f"{row['difference']:.1f}"
            item = QTreeWidgetItem([str(rater), f"{row['rated']:.0f}", f"{row['twice']:.0f}", same, apart])
            for column in range(1, 5):
                item.setTextAlignment(column, _RIGHT)
            self.raters.addTopLevelItem(item)
        alpha = krippendorff_alpha(ratings)
        words = agreement_in_words(alpha)
        self.agreement.setText(
            f"Agreement: {words}."
            if np.isnan(alpha)
            else f"Agreement: {words} (Krippendorff's alpha {alpha:.2f})."
        )
        self.disputed.clear()
        for image, row in most_disputed(ratings).iterrows():
            item = QTreeWidgetItem([str(image), row["scores"]])
            item.setData(0, _IMAGE, str(image))
            self.disputed.addTopLevelItem(item)
        self.canvas.show_text("Select an image to look at it." if self.disputed.topLevelItemCount() else "")
        self.warnings.warn(rating_warnings(ratings))
        self.warnings.setVisible(bool(self.warnings.text()))

    def _on_chosen(self, item: QTreeWidgetItem | None) -> None:
        if item is not None:
            self.image_chosen.emit(item.data(0, _IMAGE))

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.raters)
        layout.addWidget(self.agreement)
        layout.addWidget(self.warnings)
        layout.addWidget(self.disputed)
        layout.addWidget(self.canvas, 1)
        below = QHBoxLayout()
        below.addWidget(self.file, 1)
        below.addWidget(self.merge_button)
        layout.addLayout(below)


def _table(headers: list[str], tooltip: str, rows: int) -> QTreeWidget:
    table = _Table(rows)
    table.setColumnCount(len(headers))
    table.setHeaderLabels(headers)
    table.setRootIsDecorated(False)
    table.setToolTip(tooltip)
    header = table.header()
    header.setStretchLastSection(False)
    widest = 0 if len(headers) > 2 else 1
    for column in range(len(headers)):
        stretched = column == widest
        header.setSectionResizeMode(
            column, QHeaderView.ResizeMode.Stretch if stretched else QHeaderView.ResizeMode.ResizeToContents
        )
        if column and len(headers) > 2:
            table.headerItem().setTextAlignment(column, _RIGHT)
    return table


class _Table(QTreeWidget):
    """A table that is as high as a few rows."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self._rows = rows
        policy = self.sizePolicy()
        policy.setVerticalPolicy(policy.Policy.Maximum)
        self.setSizePolicy(policy)
        self.setMinimumHeight(3 * _ROW)

    def sizeHint(self) -> QSize:
        """Return the height of the header and the rows."""
        return QSize(240, (self._rows + 1) * _ROW + 4)
