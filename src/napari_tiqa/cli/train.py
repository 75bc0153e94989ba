"""``napari-tiqa train``: train a model on your own images."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from napari_tiqa.cli.interrupt import cancelled_by_interrupt
from napari_tiqa.cli.recipe_options import add_recipe_options, positive, recipe_of
from napari_tiqa.errors import BundleError, TrainingError
from napari_tiqa.jobs.train import train
from napari_tiqa.learning.progress import TrainProgress
from napari_tiqa.learning.recipe import BACKBONES, TrainingRecipe
from napari_tiqa.learning.run_folder import MODEL_FILE
from napari_tiqa.scoring.bundle import load_card

_TRAIN_EXAMPLES = """\
examples:
  napari-tiqa train good/*.tif -o mine.tiqa            the paper's recipe on your images, half an hour
  napari-tiqa train a.h5 b.h5 --slices 16 -o mine.tiqa   sixteen slices of each of two tomograms
  napari-tiqa train session -o ours.tiqa               a rated session: learn what your people said
  napari-tiqa score scan.tif --model mine.tiqa         score with it

Ctrl-C keeps the best network so far; the same command again goes on from the last epoch.
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
    add_recipe_options(parser)
    parser.add_argument(
        "--backbone", choices=BACKBONES, default=BACKBONES[0], help=f"network (default {BACKBONES[0]})"
    )
    parser.add_argument(
        "--ranking-epochs", type=positive, default=30, metavar="N", help="passes of stage 1 (default 30)"
    )
    parser.add_argument(
        "--regression-epochs", type=positive, default=20, metavar="N", help="passes of stage 2 (default 20)"
    )
    parser.add_argument(
        "--validation-share",
        type=float,
        default=0.2,
        metavar="SHARE",
        help="share of the originals, whole specimens, to judge each epoch with (default 0.2; 0 for none)",
    )
    parser.add_argument(
        "--default-model",
        type=Path,
        metavar="DATA",
        help="train the bundled default model again, by its recipe on the scans in the folder DATA",
    )
    parser.add_argument(
        "--fidelity-model",
        type=Path,
        metavar="DATA",
        help="train the bundled network again that filters are tuned by, on the scans in the folder DATA",
    )
    parser.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> int:
    if bool(options.inputs) + bool(options.default_model) + bool(options.fidelity_model) != 1:
        raise TrainingError(
            "Give images to train on, or --default-model or --fidelity-model with the folder of its scans."
        )
    if not options.output.parent.is_dir():
        raise TrainingError(
            f"There is no folder {options.output.parent}: make it, or write the model elsewhere."
        )
    run_folder = options.run_folder or options.output.with_suffix(".training")
    if options.output.exists() and not options.overwrite and not _is_of_run(options.output, run_folder):
        raise TrainingError(f"{options.output} exists already: add --overwrite to replace it.")
    if options.default_model:
        card = _train_default_model(options)
    elif options.fidelity_model:
        card = _train_fidelity_model(options)
    else:
        recipe = recipe_of(
            options,
            backbone=options.backbone,
            ranking_epochs=options.ranking_epochs,
            regression_epochs=options.regression_epochs,
            validation_share=options.validation_share,
        )
        card = _train_with_progress(recipe, run_folder, options.output)
        if not card["training"]["finished"]:
            print(
                f"Stopped; the best network so far is in {options.output}. The same command again goes on.",
                file=sys.stderr,
            )
            return 130
    evaluation = card["evaluation"]
    print(f"Wrote {options.output} ({card['training']['originals']} originals).", file=sys.stderr)
    print(evaluation if isinstance(evaluation, str) else pd.DataFrame(evaluation).to_string(index=False))
    return 0


def _is_of_run(output: Path, run_folder: Path) -> bool:
    """Whether a bundle is what a cancelled training in this folder has left, to be replaced by a better."""
    try:
        return bool(load_card(output) == load_card(run_folder / MODEL_FILE))
    except BundleError:
        return False


def _train_with_progress(recipe: TrainingRecipe, run_folder: Path, output: Path) -> dict[str, Any]:
    with cancelled_by_interrupt() as cancel, _Bar() as bar:
        return train(recipe, run_folder, output, bar.show, cancel)


class _Bar:
    """One line on standard error: stage, epoch, how well it does, time left."""

    def __init__(self) -> None:
        # A log file gets a line now and then, a terminal a bar.
        interval = 0.1 if sys.stderr.isatty() else 30
        self._bar = tqdm(
            desc="starting",
            file=sys.stderr,
            mininterval=interval,
            leave=False,
            bar_format="{desc}: {percentage:3.0f}%|{bar}|{postfix}",
            total=1,
        )
        self._stage = ""
        self._agreement = ""

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, progress: TrainProgress) -> None:
        for warning in progress.warnings:
            self._bar.write(f"Note: {warning}", file=sys.stderr)
        if progress.stage != self._stage:
            self._stage = progress.stage
            self._bar.reset(progress.images or 1)
            self._bar.set_description(_STAGES[progress.stage], refresh=False)
        self._bar.total = progress.images or 1
        if progress.loss is not None:
            self._agreement = (
                f"loss {progress.loss:.3f}, SROCC {progress.srocc:.3f}, PLCC {progress.plcc:.3f}"
            )
        parts = []
        if progress.epochs:
            parts.append(f"epoch {min(progress.epoch + 1, progress.epochs)} of {progress.epochs}")
            parts.append(self._agreement)
        if progress.seconds_left is not None:
            parts.append(f"{_duration(progress.seconds_left)} left")
        self._bar.set_postfix_str(", ".join(filter(None, parts)), refresh=False)
        self._bar.update(progress.images_done - self._bar.n)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _advance(bar: tqdm) -> Callable[[int, int], None]:
    """Make what moves a bar to what is done of a total that is known only now."""

    def advance(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return advance


def _train_default_model(options: argparse.Namespace) -> dict[str, Any]:
    # Keras takes seconds to import, and only this command trains in the shell's own process.
    from napari_tiqa.learning.default_model import train_default_model
    from napari_tiqa.learning.training import StageProgress

    with tqdm(desc="distorting and labelling", unit=" originals", file=sys.stderr) as bar:

        def report(progress: StageProgress, _optimizer: object) -> None:
            if bar.desc != f"{progress.stage}: ":
                bar.set_description(progress.stage, refresh=False)
                bar.unit = " epochs"
                bar.reset(progress.epochs)
            bar.set_postfix(loss=f"{progress.loss:.3f}", refresh=False)
            bar.update()

        return train_default_model(
            options.default_model, options.output, advance=_advance(bar), report=report
        )


def _train_fidelity_model(options: argparse.Namespace) -> dict[str, Any]:
    from napari_tiqa.learning.fidelity_model import train_fidelity_model

    with tqdm(desc="spoiling and filtering", unit=" scans", file=sys.stderr) as bar:

        def report(done: int, epochs: int, loss: float) -> None:
            if done == 1:
                bar.set_description("training", refresh=False)
                bar.unit = " epochs"
                bar.reset(epochs)
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
            bar.update()

        return train_fidelity_model(
            options.fidelity_model, options.output, advance=_advance(bar), report=report
        )
