"""``napari-tiqa train``: train a model on your own images."""

import argparse
import sys
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from napari_tiqa.errors import TrainingError

_TRAIN_EXAMPLES = """\
examples:
  napari-tiqa train good/*.tif -o mine.tiqa            the paper's recipe on your images, half an hour
  napari-tiqa train a.h5 b.h5 --slices 16 -o mine.tiqa   sixteen slices of each of two tomograms
  napari-tiqa score scan.tif --model mine.tiqa         score with it
"""


def add_train_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``train``."""
    parser = commands.add_parser(
        "train",
        help="train a model on your own good images",
        description="Train a model on good slices of your own: distorted versions are made of each, labelled "
        "by full-reference metrics, ranked, then scored. The paper's settings are the defaults.",
        epilog=_TRAIN_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "inputs", metavar="INPUT", nargs="*", help="images or tomograms, at least 5 slices in all"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="bundle to write (.tiqa)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    parser.add_argument(
        "--slices",
        type=_positive,
        default=1,
        metavar="N",
        help="slices to take from each tomogram (default 1)",
    )
    parser.add_argument(
        "--ranking-epochs", type=_positive, default=30, metavar="N", help="passes of stage 1 (default 30)"
    )
    parser.add_argument(
        "--regression-epochs", type=_positive, default=20, metavar="N", help="passes of stage 2 (default 20)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="fixes all that is drawn (default 0)"
    )
    parser.add_argument(
        "--default-model",
        type=Path,
        metavar="DATA",
        help="train the bundled default model again, by its recipe on the scans in the folder DATA",
    )
    parser.set_defaults(run=_train)


def _positive(text: str) -> int:
    if not text.strip().isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return int(text)


def _train(options: argparse.Namespace) -> int:
    # Keras takes seconds to import, and only this command trains in the shell's own process.
    from napari_tiqa.learning.train import train_default_model, train_on_files
    from napari_tiqa.learning.training import StageProgress

    if bool(options.inputs) == bool(options.default_model):
        raise TrainingError("Give images to train on, or --default-model with the folder of its scans.")
    if not options.output.parent.is_dir():
        raise TrainingError(
            f"There is no folder {options.output.parent}: make it, or write the model elsewhere."
        )
    if options.output.exists() and not options.overwrite:
        raise TrainingError(f"{options.output} exists already: add --overwrite to replace it.")
    with tqdm(desc="distorting and labelling", unit=" originals", file=sys.stderr) as bar:

        def advance(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        def report(progress: StageProgress) -> None:
            if bar.desc != f"{progress.stage}: ":
                bar.set_description(progress.stage, refresh=False)
                bar.unit = " epochs"
                bar.reset(progress.epochs)
            bar.set_postfix(loss=f"{progress.loss:.3f}", refresh=False)
            bar.update()

        if options.default_model:
            card = train_default_model(options.default_model, options.output, advance=advance, report=report)
        else:
            card = train_on_files(
                options.inputs,
                options.output,
                slices=options.slices,
                ranking_epochs=options.ranking_epochs,
                regression_epochs=options.regression_epochs,
                seed=options.seed,
                advance=advance,
                report=report,
            )
    evaluation = card["evaluation"]
    print(f"Wrote {options.output} ({card['training']['originals']} originals).", file=sys.stderr)
    print(evaluation if isinstance(evaluation, str) else pd.DataFrame(evaluation).to_string(index=False))
    return 0
