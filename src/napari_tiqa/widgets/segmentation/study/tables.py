"""Tables of the Study tab: how the score goes with F1, IoU and uncertainty, and what each version has."""

from math import isfinite

import pandas as pd

from napari_tiqa.jobs.study.result import POOLED, Study
from napari_tiqa.segmentation.native_distortions import VERSIONS
from napari_tiqa.widgets.shared.flat_table import FlatTable

_RANK = "Spearman's rank correlation (SROCC) of score and {} over all slices; 1 is best."
_LINEAR = "Pearson's linear correlation (PLCC) of score and {} over all slices; 1 is best."
_CORRELATIONS = (
    ("f1", "srocc", "F1 rank", _RANK.format("F1")),
    ("f1", "plcc", "F1 linear", _LINEAR.format("F1")),
    (
        "f1",
        "within",
        "single slices",
        "Rank correlation of score and F1 in each slice by itself, averaged: that some slices are harder\n"
        "to segment than others does not count.",
    ),
    ("iou", "srocc", "IoU rank", _RANK.format("IoU")),
    ("iou", "plcc", "IoU linear", _LINEAR.format("IoU")),
    (
        "uncertainty",
        "srocc",
        "Uncer- tainty rank",
        "Spearman's rank correlation (SROCC) of score and mean uncertainty: -1 where the uncertainty grows\n"
        "with every loss of quality.",
    ),
)
_MEASURES = (
    ("score", "Score", ".2f", "Quality, 1 (worst) to 5 (best)."),
    ("f1", "F1", ".3f", "Harmonic mean of precision and recall of the phase; 1 is best."),
    ("iou", "IoU", ".3f", "Intersection over union of the phase; 1 is best."),
    ("accuracy", "Accuracy", ".3f", "Share of the labelled pixels that have their class."),
    ("uncertainty", "Uncert.", ".3f", "Mean uncertainty, the entropy in nats; 0 is certain."),
)


_NARROW = 6  # characters in a line of a heading: there are many columns


class CorrelationTable(FlatTable):
    """A row for each distortion, and one for all pooled."""

    def show_study(self, found: Study) -> None:
        """Show a study's correlations."""
        table = found.correlations.set_index(["distortion", "against"])
        kinds = [*found.distortions, POOLED]
        columns = [
            item for item in _CORRELATIONS if item[1] != "within" or found.table["slice"].nunique() > 1
        ]
        rows = [f"{kind} pooled" if kind == POOLED else kind for kind in kinds]
        self.show_headings(rows, [(title, meaning) for _, _, title, meaning in columns], _NARROW)
        for row, kind in enumerate(kinds):
            for column, (against, statistic, _, meaning) in enumerate(columns):
                value, n = float(table[statistic][kind, against]), int(table["n"][kind, against])
                text = f"{value:.2f}" if isfinite(value) else "-"
                self.set_cell(row, column, text, f"{meaning}\nFrom {n} versions.", bold=kind == POOLED)
        self.fit()


class VersionTable(FlatTable):
    """A row for each version: its means over the slices, or those of one slice."""

    def show_versions(self, table: pd.DataFrame) -> None:
        """Show rows of a study's table."""
        names = [name for name, *_ in _MEASURES]
        means = table.groupby(["distortion", "level"])[names].mean()
        present = [version for version in VERSIONS if version in means.index]
        self.show_headings(
            [version_name(*version) for version in present],
            [(title, meaning) for _, title, _, meaning in _MEASURES],
        )
        for row, version in enumerate(present):
            for column, (name, _, form, meaning) in enumerate(_MEASURES):
                value = float(means[name][version])
                self.set_cell(row, column, format(value, form) if isfinite(value) else "-", meaning)
        self.fit()


def version_name(distortion: str, level: int) -> str:
    """Return what a version is called: "blur 3", "original"."""
    return f"{distortion} {level}" if level else distortion
