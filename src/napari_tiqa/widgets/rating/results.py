"""The results tab of the rating dock: how steady each rater is, how far they agree, and where they do not."""

import numpy as np
import pandas as pd
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QTreeWidgetItem, QWidget

from napari_tiqa.learning.ratings.table import (
    agreement_in_words,
    krippendorff_alpha,
    most_disputed,
    rating_warnings,
    self_consistency,
)
from napari_tiqa.widgets.rating.canvas import RatingCanvas
from napari_tiqa.widgets.shared.flat_tree import FlatTree
from napari_tiqa.widgets.shared.forms import TAB_MARGINS, button, column, line
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel

_IMAGE = Qt.ItemDataRole.UserRole
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class RatingResults(QWidget):
    """Shows what a session's ratings say; the dock gives it a table and the image to look at."""

    image_chosen = Signal(str)
    merge_clicked = Signal()
    train_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        headings = ["Rater", "Images", "Rated twice", "Same both times", "Mean difference"]
        self.raters = FlatTree(
            headings,
            "Each rater: images rated, images rated twice, how many of those got the same score both times, "
            "and the mean difference of the two scores in points.",
            rows=3,
            grows=False,
        )
        for place in range(1, len(headings)):
            self.raters.headerItem().setTextAlignment(place, _RIGHT)
        self.agreement = SentenceLabel("Krippendorff's alpha for ordinal scores: 1 full agreement, 0 chance.")
        self.disputed = FlatTree(
            ["Most disputed", "Scores"],
            "The images that the raters disagree on most; select one to look at it.",
            rows=5,
            widest=1,
            grows=False,
        )
        self.canvas = RatingCanvas()
        self.canvas.setMinimumHeight(100)
        self.warnings = SentenceLabel("Why a model should not learn from these ratings yet.")
        self.merge_button = button(
            "Merge ratings…",
            "Add the ratings.csv of raters who had a copy of this folder; no rating counts twice.",
            self.merge_clicked.emit,
        )
        self.train_button = button(
            "Train from these ratings…",
            "Open the training dock with these images and ratings chosen.",
            self.train_clicked.emit,
        )
        self.file = SentenceLabel("All ratings, saved after every click: image, rater, score, time.")
        below = column(line(self.merge_button, (self.train_button, 1)), self.file)
        parts = (self.raters, self.agreement, self.warnings, self.disputed)
        column(*parts, (self.canvas, 1), below, parent=self, margins=TAB_MARGINS)
        self.disputed.currentItemChanged.connect(self._on_chosen)

    def show_ratings(self, ratings: pd.DataFrame) -> None:
        """Show what these ratings say, in place of what was shown."""
        self.raters.clear()
        for rater, row in self_consistency(ratings).iterrows():
            same = "-" if np.isnan(row["same"]) else f"{row['same']:.0%}"
            difference = "-" if np.isnan(row["difference"]) else f"{row['difference']:.1f}"
            numbers = [f"{row['rated']:.0f}", f"{row['twice']:.0f}", same, difference]
            item = QTreeWidgetItem([str(rater), *numbers])
            for place in range(1, 5):
                item.setTextAlignment(place, _RIGHT)
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
