"""``napari-tiqa train``: train a model on your own images."""

import argparse

from napari_tiqa.cli.exit_code import cancelled_by_interrupt
from napari_tiqa.cli.output_options import add_model_output_options, chosen_run_folder, tell_trained
from napari_tiqa.cli.progress_bar import ProgressBar
from napari_tiqa.cli.recipe_options import DEFAULTS, add_recipe_options, recipe_of
from napari_tiqa.cli.setting_options import add_setting_options
from napari_tiqa.errors import TrainingError
from napari_tiqa.jobs.learning.train import train
from napari_tiqa.learning.training.progress import TrainProgress
from napari_tiqa.scoring.bundle import SCORE

DESCRIPTION = """\
Train a model on good slices of your own: distorted versions are made of each, labelled by full-reference
metrics or by people's ratings, ranked, then scored. The paper's settings are the defaults.
"""
EXAMPLES = """\
examples:
  napari-tiqa train good/*.tif -o mine.tiqa            the paper's recipe on your images, half an hour
  napari-tiqa train a.h5 b.h5 --slices 16 -o mine.tiqa   sixteen slices of each of two tomograms
  napari-tiqa train session -o ours.tiqa               a rated session: learn from its ratings
  napari-tiqa score scan.tif --model mine.tiqa         score with it

Ctrl-C keeps the best network so far; run it again to resume after the last epoch.
"""
_STAGES = {"generate": "making images", "rank": "ranking", "regress": "regression", "judge": "judging"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="*",
        help="images, tomograms, folders, rated sessions or datasets; at least 5 images in all",
    )
    add_model_output_options(parser)
    add_recipe_options(parser)
    add_setting_options(
        parser, ("backbone", "ranking_epochs", "regression_epochs", "validation_share"), DEFAULTS
    )


def run(options: argparse.Namespace) -> int:
    """Train, and print the evaluation of the model."""
    if not options.inputs:
        raise TrainingError("Give images to train on: tomograms, folders, rated sessions or datasets.")
    run_folder = chosen_run_folder(options, SCORE)
    recipe = recipe_of(options)
    with cancelled_by_interrupt() as cancel, ProgressBar("images") as bar:
        card = train(
            recipe,
            options.output,
            run_folder=run_folder,
            progress=bar.follow(_STAGES, _figures),
            cancel=cancel,
        )
    return tell_trained(card, f"Wrote {options.output} ({card['training']['originals']} originals).", options)


def _figures(progress: TrainProgress) -> str:
    if progress.loss is None:
        return ""
    return f"loss {progress.loss:.3f}, SROCC {progress.srocc:.3f}, PLCC {progress.plcc:.3f}"
