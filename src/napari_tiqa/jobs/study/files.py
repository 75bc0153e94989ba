"""A study of quality against segmentation as a folder of tables, figures and the record."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pandas as pd

from napari_tiqa.errors import TableError
from napari_tiqa.jobs.study.result import Study
from napari_tiqa.whole_file import whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FILES = (
    "table.csv",
    "correlations.csv",
    "two_point.csv",
    "record.json",
    "measures.png",
    "f1_over_score.png",
    "two_point.png",
)
"""What ``write_study`` writes."""

_DPI = 150


def write_study(study: Study, folder: str | os.PathLike[str]) -> list[Path]:
    """Write tables, figures and record into a folder, each file as a whole; files of `FILES` are replaced.

    Parameters
    ----------
    study : Study
        What was found.
    folder : path-like
        Made where it is not there.

    Returns
    -------
    list of pathlib.Path
        What was written.

    Raises
    ------
    TableError
        If the folder cannot be made or written to.
    """
    # matplotlib takes a second to import, which the dock and the shell do not wait for.
    from napari_tiqa.jobs.study.figures import measures_figure, scatter_figure, two_point_figure

    folder = Path(folder)
    record = study.record | {"sentence": study.sentence()}
    tables = {
        "table.csv": study.table,
        "correlations.csv": study.correlations,
        "two_point.csv": study.two_point,
    }
    figures: dict[str, Callable[[Study], Figure]] = {
        "measures.png": measures_figure,
        "f1_over_score.png": scatter_figure,
        "two_point.png": two_point_figure,
    }

    def write(name: str, file: BinaryIO) -> Any:
        if name in tables:
            return _write_table(tables[name], file)
        if name in figures:
            return figures[name](study).savefig(file, dpi=_DPI, format="png")
        return file.write((json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode())

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            with whole_file(folder / name) as file:
                write(name, file)
    except OSError as error:
        raise TableError(
            f"The study cannot be written to {folder} ({error.strerror}): free some space, or choose another "
            "folder."
        ) from error
    return [folder / name for name in FILES]


def _write_table(table: pd.DataFrame, file: BinaryIO) -> None:
    table.to_csv(file, index=False, lineterminator="\n", float_format="%.6g")
