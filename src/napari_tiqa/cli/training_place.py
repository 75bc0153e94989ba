"""The options that say where a training puts its model and what it needs to go on."""

import argparse
from pathlib import Path

from napari_tiqa.errors import BundleError, TrainingError
from napari_tiqa.learning.training.run_folder import MODEL_FILE, run_folder_of
from napari_tiqa.scoring.bundle import load_card


def add_place_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--output``, ``--overwrite`` and ``--run-folder``."""
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="bundle to write (.tiqa)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    parser.add_argument(
        "--run-folder",
        type=Path,
        metavar="FOLDER",
        help="where the training keeps what it needs to go on; default: FILE with .training as its end",
    )


def chosen_run_folder(options: argparse.Namespace, purpose: str) -> Path:
    """Return the run folder that the options name, or that beside their output.

    Raises
    ------
    TrainingError
        The output has no folder to be in, or is there and not the model of this run.
    """
    output: Path = options.output
    if not output.parent.is_dir():
        raise TrainingError(f"There is no folder {output.parent}: make it, or write the model elsewhere.")
    folder = run_folder_of(output, options.run_folder)
    if output.exists() and not options.overwrite and not _is_of_run(output, folder, purpose):
        raise TrainingError(f"{output} exists already: add --overwrite to replace it.")
    return folder


def _is_of_run(output: Path, run_folder: Path, purpose: str) -> bool:
    """Whether a bundle is what a cancelled training in this folder has left, to be replaced by a better."""
    try:
        return bool(load_card(output, purpose) == load_card(run_folder / MODEL_FILE, purpose))
    except BundleError:
        return False
