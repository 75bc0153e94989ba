"""``napari-tiqa train``: train a model on your own images."""

import argparse
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from napari_tiqa.cli.interrupt import cancelled_by_interrupt
from napari_tiqa.cli.recipe_options import DEFAULTS, add_recipe_options, recipe_of
from napari_tiqa.cli.setting_options import add_setting_options
from napari_tiqa.cli.training_bar import TrainingBar
from napari_tiqa.cli.training_place import add_place_options, chosen_run_folder
from napari_tiqa.errors import TrainingError
from napari_tiqa.jobs.learning.train import train
from napari_tiqa.learning.training.progress import TrainProgress
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.scoring.bundle import SCORE

_TRAIN_EXAMPLES = """\
examples:
  napari-tiqa train good/*.tif -o mine.tiqa            the paper's recipe on your images, half an hour
  napari-tiqa train a.h5 b.h5 --slices 16 -o mine.tiqa   sixteen slices of each of two tomograms
  napari-tiqa train session -o ours.tiqa               a rated session: learn what your people said
  napari-tiqa score scan.tif --model mine.tiqa         score with it

Ctrl-C keeps the best network so far; run it again to resume after the last epoch.
"""
_STAGES = {"generate": "making images", "rank": "ranking", "regress": "regression", "judge": "judging"}


def add_train_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``train``."""
    parser = commands.add_parser(
        "train",
        help="train a model on your own good images",
        description="Train a model on good slices of your own: distorted versions are made of each, labelled "
        "by full-reference metrics or after what people said, ranked, then scored. The paper's settings are "
        "the defaults.",
        epilog=_TRAIN_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="*",
        help="images, tomograms, folders, rated sessions or datasets; at least 5 images in all",
    )
    add_place_options(parser)
    add_recipe_options(parser)
    add_setting_options(
        parser, ("backbone", "ranking_epochs", "regression_epochs", "validation_share"), DEFAULTS
    )
    parser.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> int:
    if not options.inputs:
        raise TrainingError("Give images to train on: tomograms, folders, rated sessions or datasets.")
    run_folder = chosen_run_folder(options, SCORE)
    card = _train_with_progress(recipe_of(options), run_folder, options.output)
    if not card["training"]["finished"]:
        print(
            f"Stopped; the best network so far is in {options.output}. Run the same command again to resume.",
            file=sys.stderr,
        )
        return 130
    print(f"Wrote {options.output} ({card['training']['originals']} originals).", file=sys.stderr)
    evaluation = card["evaluation"]
    print(evaluation if isinstance(evaluation, str) else pd.DataFrame(evaluation).to_string(index=False))
    return 0


def _train_with_progress(recipe: TrainingRecipe, run_folder: Path, output: Path) -> dict[str, Any]:
    with cancelled_by_interrupt() as cancel, TrainingBar() as bar:
        return train(
            recipe,
            run_folder=run_folder,
            output=output,
            progress=lambda progress: _show(bar, progress),
            cancel=cancel,
        )


def _show(bar: TrainingBar, progress: TrainProgress) -> None:
    figures = ""
    if progress.loss is not None:
        figures = f"loss {progress.loss:.3f}, SROCC {progress.srocc:.3f}, PLCC {progress.plcc:.3f}"
    bar.show(
        _STAGES[progress.stage],
        progress.images_done,
        progress.images,
        epoch=progress.epoch,
        epochs=progress.epochs,
        figures=figures,
        seconds_left=progress.seconds_left,
        warnings=progress.warnings,
    )
