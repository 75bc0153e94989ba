"""Train the bundled default model again, by its recipe on the scans in a folder, and write its bundle.

All that it makes is kept in a work folder (``default_stages``): a run that was cut off goes on where it was.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from models.command import run_command
from models.default_stages import STEPS, Report, Stages
from models.originals import TEXTURES
from models.score_training import SETTINGS
from models.specimens import SCANS
from napari_tiqa.cli.progress_bar import ProgressBar
from napari_tiqa.learning.images.groups import Group
from napari_tiqa.learning.measures.measures import evaluate
from napari_tiqa.learning.training.calibration import KNOTS, familiarity, score_scale
from napari_tiqa.learning.training.card import model_card
from napari_tiqa.scoring.bundle import DEFAULT_MODEL, save_bundle
from napari_tiqa.scoring.calibration import Calibration
from napari_tiqa.scoring.predict import load_model

LEFT_OUT = Path(__file__).with_name("default_left_out.csv")
"""Scores by the default recipe of images of specimens that were left out of training in turn, by
benchmarks/validity.py: the default model's card and its uncertainty rest on it."""

WORK = Path("build/default")


def train_default_model(
    data: Path,
    output: str | os.PathLike[str] = DEFAULT_MODEL,
    *,
    work: Path = WORK,
    advance: Callable[[int, int], None] | None = None,
    report: Report | None = None,
) -> dict[str, Any]:
    """Train the bundled default model on all its specimens.

    Parameters
    ----------
    data : pathlib.Path
        Folder with the scans of ``specimens.SCANS``.
    output : path-like
        Where to write the bundle.
    work : pathlib.Path
        Where the stages are kept.
    advance : callable, optional
        Called with groups made and groups in all.
    report : callable, optional
        Called now and then while a network is trained.

    Returns
    -------
    dict
        The bundle's card. Its evaluation and its uncertainty are those of the recipe on specimens left out
        of training (`LEFT_OUT`), since this model has seen them all.

    Raises
    ------
    TrainingError
        If `data` lacks one of the scans.
    """
    stages = Stages(data, work, advance, report)
    network = load_model(stages.default()).network
    left_out, _ = read_left_out()
    judged, scores = groups_of_rows(on_the_scale_of_others(left_out))
    scale = score_scale(left_out["score"].to_numpy(), left_out["label"].to_numpy())
    made, real = stages.made(), stages.real()
    calibration = Calibration(KNOTS, *scale, *familiarity(network, familiar([*made, *real])))
    card = model_card(
        name="napari-tiqa default",
        training={
            "scans": [scan.path for scan in SCANS],
            "simulated": sorted({g.specimen for g in made if g.specimen.startswith("simulated")}),
            "textures": list(TEXTURES),
            "originals": len(made) + len(real),
            "images": sum(len(group.images) for group in (*made, *real)),
        },
        settings=SETTINGS | {"steps": STEPS},
        evaluation=evaluate(judged, scores),
    )
    save_bundle(output, network, card, calibration)
    return card


def familiar(groups: Sequence[Group]) -> list[Group]:
    """Choose the groups that say what a tomography slice looks like."""
    strange = ("texture", "noise alone")
    return [group for group in groups if not group.specimen.startswith(strange)]


def read_left_out(path: str | os.PathLike[str] = LEFT_OUT) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read what benchmarks/validity.py wrote: images of specimens, and of other things."""
    table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    table["family"] = table["family"].fillna("")
    foreign = table["specimen"] == "foreign"
    return table[~foreign], table[foreign]


def on_the_scale_of_others(left_out: pd.DataFrame) -> pd.DataFrame:
    """Put each specimen's scores on the scale learned from the other specimens.

    Parameters
    ----------
    left_out : pandas.DataFrame
        Images of specimens, of ``read_left_out``, whose scores are those of the network.

    Returns
    -------
    pandas.DataFrame
        The same with scores as a calibrated model gives them, and their uncertainty in another column.
    """
    raw, label = (left_out[column].to_numpy(float) for column in ("score", "label"))
    score, uncertainty = raw.copy(), np.full(len(raw), np.nan)
    for specimen in left_out["specimen"].unique():
        own = (left_out["specimen"] == specimen).to_numpy()
        expected, half_widths = score_scale(raw[~own], label[~own])
        score[own] = np.interp(raw[own], KNOTS, expected)
        uncertainty[own] = np.interp(raw[own], KNOTS, half_widths)
    return left_out.assign(score=score, uncertainty=uncertainty)


def groups_of_rows(rows: pd.DataFrame, column: str = "score") -> tuple[list[Group], list[np.ndarray]]:
    """Turn rows of ``image_rows``, such as a file has kept, into what ``evaluate`` takes.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns as of ``image_rows``, also fold (originals are numbered within each) and clean.
    column : str
        Whose scores.

    Returns
    -------
    groups : list of Group
        Without images.
    scores : list of numpy.ndarray
    """
    originals = [original for _, original in rows.groupby(["fold", "original"])]
    nothing = np.empty((0, 0, 0), np.uint8)
    groups = [
        Group(
            original["specimen"].iloc[0],
            nothing,
            tuple(original["family"]),
            original["level"].to_numpy(int),
            original["label"].to_numpy(float),
            bool(original["clean"].iloc[0]),
        )
        for original in originals
    ]
    return groups, [original[column].to_numpy(float) for original in originals]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``python -m models.default``; returns the exit code."""
    return run_command("default", __doc__, _train, arguments, work=WORK)


def _train(options: argparse.Namespace, bar: ProgressBar) -> dict[str, Any]:
    def report(training: str, done: int, steps: int, figures: str) -> None:
        bar.show(training, done, steps, figures=figures)

    return train_default_model(
        options.data,
        options.output,
        work=options.work,
        advance=partial(bar.show, "distorting and labelling"),
        report=report,
    )


if __name__ == "__main__":
    sys.exit(main())
