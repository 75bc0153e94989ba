"""Tables of the Segment tab: agreement of each class with the truth, and the confusion of classes."""

from math import isfinite

import pandas as pd

from napari_tiqa.widgets.shared.flat_table import FlatTable

_MEASURES = {
    "iou": ("IoU", "Pixels of this class in both, as a share of those of this class in either; 1 is best."),
    "f1": ("F1", "Harmonic mean of precision and recall (Dice coefficient); 1 is best."),
    "precision": (
        "Precision",
        "Of the pixels segmented as this class, the share that is right; 1 is best.",
    ),
    "recall": ("Recall", "Of the pixels of this class, the share that was found; 1 is best."),
    "pixels": ("Pixels", "Share of this class among the labelled pixels."),
}


class AgreementTable(FlatTable):
    """IoU, F1, precision and recall of each class, and their mean."""

    def show_agreement(self, table: pd.DataFrame) -> None:
        """Show a table of ``agreement.agreement_of``."""
        self.show_headings([str(name) for name in table.index], list(_MEASURES.values()))
        pixels = table["pixels"].iloc[-1]
        for row, (name, values) in enumerate(table.iterrows()):
            for column, (measure, (_, meaning)) in enumerate(_MEASURES.items()):
                value = float(values[measure])
                if measure == "pixels":
                    text, meaning = _share(value / pixels), f"{value:,.0f} labelled pixels."
                else:
                    text = f"{value:.3f}" if isfinite(value) else "-"
                self.set_cell(row, column, text, meaning, bold=name == "mean")
        self.fit()


class ConfusionTable(FlatTable):
    """How the pixels of each true class (rows) were segmented (columns), in per cent of the row."""

    def show_confusion(self, confusion: pd.DataFrame) -> None:
        """Show one of ``agreement.confusion_matrix``."""
        names = [str(name) for name in confusion.index]
        self.show_headings(names, [(name, f"Segmented as {name}.") for name in names])
        for row, name in enumerate(names):
            counts = confusion.iloc[row]
            for column, taken in enumerate(names):
                count, total = int(counts.iloc[column]), int(counts.sum())
                text = _share(count / total) if total else "-"
                tooltip = f"{count:,} of {total:,} pixels of {name} were segmented as {taken}."
                self.set_cell(row, column, text, tooltip, bold=row == column)
        self.fit()


def _share(part: float) -> str:
    return "100%" if part == 1 else f"{part:.1%}"
