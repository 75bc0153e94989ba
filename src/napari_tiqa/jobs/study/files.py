"""A study of quality against segmentation as a folder of tables, figures and the record."""

import os
from pathlib import Path

from napari_tiqa.jobs.study.result import Study
from napari_tiqa.report_folder import write_report

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


def write_study(study: Study, folder: str | os.PathLike[str]) -> list[Path]:
    """Write tables, figures and record into a folder, each file as a whole, and return their paths.

    The folder is made where it is not there, files of `FILES` are replaced. Raises TableError if it cannot be
    made or written to.
    """
    # matplotlib takes a second to import, which the dock and the shell do not wait for.
    from napari_tiqa.jobs.study.figures import f1_figure, measures_figure, two_point_figure

    return write_report(
        folder,
        "The study",
        {
            "table.csv": study.table,
            "correlations.csv": study.correlations,
            "two_point.csv": study.two_point,
        },
        study.record | {"sentence": study.sentence()},
        {
            "measures.png": lambda: measures_figure(study),
            "f1_over_score.png": lambda: f1_figure(study),
            "two_point.png": lambda: two_point_figure(study),
        },
        float_format="%.6g",
    )
