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

from models.command import run_command
from models.default_stages import LEARNING_RATE, STEPS, Report, Stages
from models.left_out import ADDED, groups_of_rows, on_the_scale_of_others, read
from models.originals import TEXTURES
from models.score_training import SETTINGS
from models.specimens import LEFT_OUT, SCANS
from napari_tiqa.cli.progress_bar import ProgressBar
from napari_tiqa.learning.images.groups import Group
from napari_tiqa.learning.measures.measures import evaluate
from napari_tiqa.learning.training.calibration import KNOTS, score_scale
from napari_tiqa.learning.training.card import model_card
from napari_tiqa.learning.training.familiarity import familiarity
from napari_tiqa.scoring.bundle import DEFAULT_MODEL, save_bundle
from napari_tiqa.scoring.calibration import Calibration
from napari_tiqa.scoring.predict import load_model

WORK = Path("build/default")

PER_SORT = 280
"""Images of each sort that is not a slice, several times as many as trainings on few specimens take."""


def train_default_model(
    data: Path,
    output: str | os.PathLike[str] = DEFAULT_MODEL,
    *,
    work: Path = WORK,
    advance: Callable[[int, int], None] | None = None,
    report: Report | None = None,
) -> dict[str, Any]:
    """Train the bundled default model.

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
        The bundle's card. Its evaluation and its uncertainty rest on the specimens left out (``left_out``).

    Raises
    ------
    TrainingError
        If `data` lacks one of the scans.
    """
    stages = Stages(data, work, advance, report)
    network = load_model(stages.network()).network
    left_out = read()
    left_out = left_out[left_out["test"].isin(ADDED)]
    judged, scores = groups_of_rows(on_the_scale_of_others(left_out))
    clean = left_out[left_out["clean"]]
    scale = score_scale(clean["score"].to_numpy(), clean["label"].to_numpy())
    made = stages.made()
    real = [group for group in (*stages.real(), *stages.paper()) if group.specimen not in LEFT_OUT]
    calibration = Calibration(KNOTS, *scale, *familiarity(network, familiar([*made, *real]), PER_SORT))
    card = model_card(
        name="napari-tiqa default",
        training={
            "scans": [scan.path for scan in SCANS if scan.specimen not in LEFT_OUT],
            "simulated": sorted({g.specimen for g in made if g.specimen.startswith("simulated")}),
            "textures": list(TEXTURES),
            "originals": len(made) + len(real),
            "images": sum(len(group.images) for group in (*made, *real)),
        },
        settings=SETTINGS | {"steps": STEPS, "learning_rate": LEARNING_RATE},
        evaluation=evaluate(judged, scores),
    )
    save_bundle(output, network, card, calibration)
    return card


def familiar(groups: Sequence[Group]) -> list[Group]:
    """Choose the groups that say what a tomography slice looks like."""
    strange = ("texture", "noise alone")
    return [group for group in groups if not group.specimen.startswith(strange)]


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
