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
    """Uncertainty, score and agreement of the slices, frozen in the main thread.

    Attributes
    ----------
    segmentation : Segmentation
    scores : mapping of int to float
        Quality scores of slices; empty where there are none.
    judged : tuple of Judged
        Slices that were compared with a truth.
    truth_name : str
        What the truth is called.
    threshold : float
        Of two classes.
    """

    segmentation: Segmentation
    scores: Mapping[int, float]
    judged: tuple[Judged, ...]
    truth_name: str
    threshold: float

    def table(self) -> pd.DataFrame:
        """Return a row for each slice that is segmented.

        Returns
        -------
        pandas.DataFrame
            The columns of ``Segmentation.table``; ``score``, where there is one; with a truth ``accuracy``,
            ``iou``, ``f1``, ``precision`` and ``recall`` of each class and their mean (``f1 of NAME``,
            ``mean f1``), and the confusion matrix in pixels (``NAME taken for NAME``). ``attrs`` is the
            record.
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
        """Write the table as CSV and its record next to it; files of these names are replaced.

        Raises
        ------
        TableError
            If a file cannot be written; what was there before is then left as it was.
        """
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
