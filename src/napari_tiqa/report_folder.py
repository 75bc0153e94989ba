"""A result as files: a folder of tables, figures and the record, or a single figure."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from napari_tiqa.errors import TableError, explained
from napari_tiqa.whole_file import whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 150  # of the figures of a report: several beside each other, of 3 inches each


def write_report(
    folder: str | os.PathLike[str],
    name: str,
    tables: Mapping[str, pd.DataFrame],
    record: Mapping[str, Any],
    figures: Mapping[str, Callable[[], "Figure"]],
    float_format: str | None = None,
) -> list[Path]:
    """Write tables, record.json and figures into a folder, each file as a whole; those there are replaced.

    Parameters
    ----------
    folder : path-like
        Made where there is none.
    name : str
        Of what is written, for the error: "The study".
    tables : mapping of str to pandas.DataFrame
        By their files' names, CSV.
    record : mapping
        JSON-able.
    figures : mapping of str to callable
        What draws each, by their files' names, PNG.
    float_format : str or None
        Of the numbers in tables; None writes all their digits.

    Returns
    -------
    list of pathlib.Path
        What was written.

    Raises
    ------
    TableError
        If the folder cannot be made or written to.
    """
    folder = Path(folder)
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    with explained(
        TableError, f"{name} cannot be written to {folder}", "free some space, or choose another folder"
    ):
        folder.mkdir(parents=True, exist_ok=True)
        for file_name, table in tables.items():
            with whole_file(folder / file_name) as file:
                table.to_csv(file, index=False, lineterminator="\n", float_format=float_format)
        with whole_file(folder / "record.json") as file:
            file.write(text.encode())
        for file_name, draw in figures.items():
            with whole_file(folder / file_name) as file:
                draw().savefig(file, dpi=_DPI, format="png")
    return [folder / file_name for file_name in (*tables, "record.json", *figures)]


def write_figure(figure: "Figure", path: str | os.PathLike[str], dpi: int = 300) -> None:
    """Write a figure as a PNG picture, as a whole or not at all.

    Raises
    ------
    TableError
        If it cannot be written.
    """
    with explained(TableError, f"{path} cannot be written", "choose another place"), whole_file(path) as file:
        figure.savefig(file, dpi=dpi, format="png")
