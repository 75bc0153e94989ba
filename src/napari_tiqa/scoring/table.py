"""The score table: one row per slice, with the record of the run that made it; to and from files.

A table is kept as a CSV file that starts with the columns slice, position, score, for any program to read,
and its record as JSON in a second file beside it (``scores.csv`` and ``scores.csv.json``): a comment in the
CSV would be a row of its own in most spreadsheets. Both are replaced only once the new ones are complete.
Tables that were written before scores had an uncertainty, parts and scales can still be read.
"""

import io
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from napari_tiqa import whole_file
from napari_tiqa.errors import TableError, explained
from napari_tiqa.json_text import read_json
from napari_tiqa.scoring.scale import ARTEFACTS

SCORE_DECIMALS = 4
"""Scores are kept to this many decimals: more is noise of the network's arithmetic, and so a table is the
same in memory, in a CSV file and from another batch."""

UNLIKE_TRAINING = "unlike anything the model was trained on"
"""The reason of a slice whose score should not be relied on."""

_NOT_IN_OLD_TABLES = ("uncertainty", *ARTEFACTS, "overview", "scale")
_NUMBERS = ("position", "score", *_NOT_IN_OLD_TABLES)
_DTYPES = {"slice": "int64", **dict.fromkeys(_NUMBERS, "float64"), "reason": "str"}


class ScoredSlice(NamedTuple):
    """One row of a score table.

    Attributes
    ----------
    slice : int
        Index along the scored axis.
    position : float
        The slice's centre along the axis, index times voxel size, in the volume's unit.
    score : float
        1 (worst) to 5 (best); NaN where the slice cannot be scored.
    uncertainty : float
        Half the width of the interval that holds the true score nine times in ten, in points; NaN where
        the model does not know it.
    ring, blur, noise, streaks, shading, smoothing : float
        Points lost to each kind of artefact, >= 0, together 5 - score; NaN where that is not known.
    overview : float
        The score of the slice as a whole, shrunk to 224 px; NaN where it was not looked at.
    scale : float
        At which scale the slice scores lowest: how many of its pixels, along each side, were averaged to one
        (1 at full size); NaN where it was seen at one scale only.
    reason : str
        Why there is no score, or why the score should not be relied on; else empty.
    """

    slice: int
    position: float
    score: float
    uncertainty: float = np.nan
    ring: float = np.nan
    blur: float = np.nan
    noise: float = np.nan
    streaks: float = np.nan
    shading: float = np.nan
    smoothing: float = np.nan
    overview: float = np.nan
    scale: float = np.nan
    reason: str = ""

    @property
    def flagged(self) -> bool:
        """Whether there is a score that should not be relied on."""
        return bool(self.reason) and bool(np.isfinite(self.score))


def score_table(rows: Iterable[ScoredSlice], record: dict[str, Any]) -> pd.DataFrame:
    """Make a score table of rows in their order; `record`, how they were made, becomes its ``attrs``.

    A column for each field of ScoredSlice: slice (int), reason (str), the others float, NaN for what is
    unknown.
    """
    table = pd.DataFrame(list(rows), columns=list(_DTYPES)).astype(_DTYPES)
    table.attrs.update(record)
    return table


def scores_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV text; a missing number is an empty field."""
    return table.to_csv(index=False, lineterminator="\n")


def scores_json(table: pd.DataFrame) -> str:
    """Return a table as a JSON document in ASCII: its ``record`` and ``slices``; what is missing is null."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return json.dumps({"record": table.attrs, "slices": rows}, indent=1)


def record_path(path: str | os.PathLike[str]) -> Path:
    """Return where the record of the CSV file `path` is kept."""
    return Path(f"{os.fspath(path)}.json")


def write_scores(table: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write a table as CSV, and its record beside it; files of these names are replaced.

    Raises
    ------
    TableError
        If a file cannot be written; what was there before is then left as it was.
    """
    record = json.dumps(table.attrs, indent=1, ensure_ascii=False)
    write_text(record_path(path), record + "\n")
    write_text(path, scores_csv(table))


def read_scores(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a table back as it was written; without the file beside it, its record is empty.

    Further columns of numbers, such as physical figures, are kept.

    Raises
    ------
    TableError
        If it cannot be read or is not a score table.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        missing = {column: [""] for column in _NUMBERS}
        table = pd.read_csv(io.StringIO(text), dtype=_DTYPES, keep_default_na=False, na_values=missing)
        measured = {str(column): table[column] for column in table if column not in _DTYPES}
        for column in _NOT_IN_OLD_TABLES:
            if column not in table:
                table[column] = np.nan
        table = table[list(_DTYPES)]
        for column, values in measured.items():
            numbers = pd.to_numeric(values, errors="coerce")
            if numbers.notna().any():
                table[column] = numbers
    except OSError as error:
        raise TableError(f"The score table {path} cannot be read ({error.strerror}).") from error
    except (ValueError, KeyError) as error:
        raise TableError(
            f"{path} is not a score table: choose a CSV file with the columns {', '.join(_DTYPES)}."
        ) from error
    table.attrs.update(_record(record_path(path)))
    return table


def _record(path: Path) -> dict[str, Any]:
    """Read the record beside a table, empty without one."""
    try:
        record = read_json(path)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        record = None
    if not isinstance(record, dict):
        raise TableError(
            f"{path} is damaged: copy it again, or delete it to read the table without its record."
        )
    return record


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file as a whole or not at all; raises TableError where it cannot be written."""
    with explained(TableError, f"{path} cannot be written", "choose another place"):
        whole_file.write_text(path, text)
