"""The table of phase fractions: how much of the content each class is, and how far that may be off."""

from math import isfinite

import pandas as pd

from napari_tiqa.jobs.segmentation.result import CERTAIN, SHARES
from napari_tiqa.segmentation.classes import Classes
from napari_tiqa.widgets.shared.flat_table import FlatTable

_SPREAD = (
    f"In brackets: how far it may be off, from the share where the probability is {CERTAIN:.0%} or more to "
    f"that where it is {1 - CERTAIN:.0%} or more.\nPadding outside the reconstruction circle does not count."
)


class FractionTable(FlatTable):
    """A row for each class, with its fraction of the slice on screen and of all slices so far."""

    def show_fractions(self, table: pd.DataFrame, classes: Classes, index: int) -> None:
        """Show a ``Segmentation.table``; `index` is the slice on screen."""
        here = table[table["slice"] == index]
        columns = [(f"Slice {index}", here)] if table["slice"].nunique() > 1 else []
        count = int(table["slice"].nunique())
        columns.append((f"Mean of {count} slices" if count > 1 else "Fraction", table))
        self.show_headings(list(classes.names), [(title, _SPREAD) for title, _ in columns], line=24)
        for row, name in enumerate(classes.names):
            for column, (_, counted) in enumerate(columns):
                share, least, largest = (float(counted[form.format(name)].mean()) for form in SHARES)
                self.set_cell(row, column, _in_words(share, least, largest), _SPREAD)
        self.fit()


def _in_words(share: float, least: float, largest: float) -> str:
    if not isfinite(share):
        return "-"
    spread = f" ({100 * least:.1f}–{100 * largest:.1f})" if isfinite(least) else ""
    return f"{100 * share:.1f} %{spread}"
