"""The options that say where a command writes, and what it refuses to write over."""

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from napari_tiqa.errors import BundleError, TiqaError


def add_output_option(
    parser: argparse.ArgumentParser,
    meaning: str,
    *,
    metavar: str = "FILE",
    required: bool = True,
    overwrite: str | None = "FILE if it exists",
) -> None:
    """Add ``-o`` and, where `overwrite` says what it replaces, ``--overwrite``."""
    parser.add_argument("-o", "--output", type=Path, required=required, metavar=metavar, help=meaning)
    if overwrite:
        parser.add_argument("--overwrite", action="store_true", help=f"replace {overwrite}")


def add_resume_option(parser: argparse.ArgumentParser, parts: str) -> None:
    """Add ``--resume``: where a run keeps its parts, such as "slices", to go on from."""
    parser.add_argument(
        "--resume",
        type=Path,
        metavar="FILE",
        help=f"keep {parts} in FILE as soon as they are done; the same command resumes there, after any "
        "end; default: the output's name with .unfinished, where there is one",
    )


def chosen_resume(options: argparse.Namespace) -> Path | None:
    """Return the file that a run goes on from: the one given, or the one beside the output."""
    if options.resume is not None or options.output is None:
        return options.resume
    output: Path = options.output
    return output.with_name(f"{output.name}.unfinished")


def replaceable(options: argparse.Namespace) -> bool:
    """Tell whether outputs may be replaced: it was asked for, or an interrupted run has left them."""
    resume = chosen_resume(options)
    return options.overwrite or (resume is not None and resume.exists())


def check_outputs(paths: Iterable[Path], overwrite: bool) -> None:
    """Refuse files that could not be written before the work is done, not after; raises TiqaError."""
    for path in paths:
        if not path.parent.is_dir():
            raise TiqaError(f"There is no folder {path.parent}: make it, or choose another place.")
        if not os.access(path.parent, os.W_OK):
            raise TiqaError(f"The folder {path.parent} is not writable: choose another place.")
        if path.exists() and not overwrite:
            raise TiqaError(f"{path} exists already: add --overwrite to replace it.")


def check_output_folder(folder: Path, names: Iterable[str], overwrite: bool) -> None:
    """Refuse a folder that has one of the files named, unless they are to be overwritten; as above."""
    check_outputs([folder / name for name in names if (folder / name).exists()], overwrite)


def add_model_output_options(parser: argparse.ArgumentParser) -> None:
    """Add where a training puts its model, and what it needs to go on."""
    add_output_option(parser, "bundle to write (.tiqa)")
    parser.add_argument(
        "--run-folder",
        type=Path,
        metavar="FOLDER",
        help="where the training keeps what it needs to resume; default: FILE with .training as its end",
    )


def chosen_run_folder(options: argparse.Namespace, purpose: str) -> Path:
    """Return the run folder that the options name, or that beside their output.

    Raises TiqaError if the output has no folder to be in, or is there and not the model of this run.
    """
    from napari_tiqa.learning.training.run_folder import MODEL_FILE, run_folder_of
    from napari_tiqa.scoring.bundle import load_card

    folder = run_folder_of(options.output, options.run_folder)
    try:
        # What a cancelled training in this folder has left is there to be replaced by a better model.
        own = load_card(options.output, purpose) == load_card(folder / MODEL_FILE, purpose)
    except BundleError:
        own = False
    check_outputs([options.output], options.overwrite or own)
    return folder


def tell_trained(card: dict[str, Any], sentence: str, options: argparse.Namespace) -> int:
    """Say what a training has written, and print how good it is; return the exit code."""
    if not card["training"]["finished"]:
        print(
            f"Stopped; the best network so far is in {options.output}. Run the same command again to resume.",
            file=sys.stderr,
        )
        return 130
    import pandas as pd

    print(sentence, file=sys.stderr)
    evaluation = card["evaluation"]
    print(evaluation if isinstance(evaluation, str) else pd.DataFrame(evaluation).to_string(index=False))
    return 0
