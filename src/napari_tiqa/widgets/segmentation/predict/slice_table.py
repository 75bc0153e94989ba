"""The table that the Segment tab saves: uncertainty, score and agreement with the truth, slice by slice."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from napari_tiqa.jobs.segmentation.result import Segmentation
from napari_tiqa.scoring.table import record_path, write_text
from napari_tiqa.segmentation.agreement import agreement_of
from napari_tiqa.widgets.segmentation.predict.judge import Judged


@dataclass(frozen=True)
class SliceTable:
    """Uncertainty, score and agreement of the slices, frozen in the main thread."""

    segmentation: Segmentation
    scores: Mapping[int, float]
    judged: tuple[Judged, ...]
    truth_name: str
    threshold: float

    def table(self) -> pd.DataFrame:
        """Return a row for each slice that is segmented; ``attrs`` is the record.

        The columns of ``Segmentation.table``; ``score``, where there is one; with a truth ``accuracy``,
        ``iou``, ``f1``, ``precision`` and ``recall`` of each class and their mean (``f1 of NAME``, ``mean
        f1``), and the confusion matrix in pixels (``NAME taken for NAME``).
        """
        table = self.segmentation.table()
        if self.scores:
            table["score"] = table["slice"].map(dict(self.scores))
        record = table.attrs | {"threshold": self.threshold}
        if self.judged:
            rows = {judged.index: _measures(judged.confusion) for judged in self.judged}
            table = table.join(pd.DataFrame.from_dict(rows, orient="index"), on="slice")
            record["truth"] = self.truth_name
        table.attrs = record
        return table

    def save(self, path: Path) -> None:
        """Write the table as CSV, its record next to it; or leave what was there and raise a TableError."""
        table = self.table()
        write_text(record_path(path), json.dumps(table.attrs, indent=1, ensure_ascii=False) + "\n")
        write_text(path, table.to_csv(index=False))


def _measures(confusion: pd.DataFrame) -> dict[str, float]:
    counts = confusion.to_numpy()
    row = {"accuracy": counts.trace() / counts.sum() if counts.any() else float("nan")}
    for name, line in agreement_of(confusion).drop(columns="pixels").iterrows():
        title = "mean {}" if name == "mean" else f"{{}} of {name}"
        row |= {title.format(measure): value for measure, value in line.items()}
    for name, line in confusion.iterrows():
        row |= {f"{name} taken for {taken}": count for taken, count in line.items()}
    return row
