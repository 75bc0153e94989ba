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
from napari_tiqa.cli.training_bar import TrainingBar
from napari_tiqa.cli.training_place import add_place_options, chosen_run_folder
from napari_tiqa.errors import TrainingError
from napari_tiqa.jobs.train import train
from napari_tiqa.learning.progress import TrainProgress
from napari_tiqa.learning.recipe import BACKBONES, TrainingRecipe
from napari_tiqa.scoring.bundle import SCORE

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
    add_place_options(parser)
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
    run_folder = chosen_run_folder(options, SCORE)
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


def _train_with_progress(recipe: TrainingRecipe, run_folder: Path, output: Path) -> dict[str, Any]:
    with cancelled_by_interrupt() as cancel, TrainingBar() as bar:
        return train(recipe, run_folder, output, lambda progress: _show(bar, progress), cancel)


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
