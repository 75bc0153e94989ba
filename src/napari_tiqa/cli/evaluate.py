"""``napari-tiqa evaluate``: judge a model on labelled images, beside baselines."""

import argparse
import sys

from napari_tiqa.cli.exit_code import cancelled_by_interrupt
from napari_tiqa.cli.output_options import add_output_option, check_output_folder
from napari_tiqa.cli.progress_bar import ProgressBar
from napari_tiqa.cli.volume_options import add_model_option, bundle

DESCRIPTION = """\
Judge a model on labelled images it was not trained on, beside baselines. Printed for each distortion and all:
  within         how well scores follow the levels within an original (SROCC), mean over specimens
  SROCC, PLCC,   rank and linear correlation with the labels, across specimens;
  KROCC, RMSE    in brackets the 95 % bootstrap interval over originals
  residuals      mean of score - label for each specimen and artefact, the ten largest
  AUC_DS, AUC_BW, CC_0   Krasula's analysis, where images have two raters or more
"""
EXAMPLES = """\
examples:
  the default model on a generated or rated set of images
    napari-tiqa evaluate images/
  your model beside the default one, with tables and figures in a folder
    napari-tiqa evaluate images/ --model mine.tiqa --against default -o evaluation/
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    from napari_tiqa.learning.evaluation.baselines import BASELINES, QUICK_BASELINES
    from napari_tiqa.learning.evaluation.comparison import RESAMPLES

    parser.add_argument(
        "dataset", metavar="DATASET", help="folder made by napari-tiqa generate, or a rated session"
    )
    add_model_option(parser)
    parser.add_argument(
        "--against",
        type=bundle,
        action="append",
        default=[],
        metavar="MODEL",
        help="judge this model too (default: the bundled one), on the same images; may be repeated",
    )
    parser.add_argument(
        "--baselines",
        type=_baselines,
        default=QUICK_BASELINES,
        metavar="NAMES",
        help=f"of {', '.join(BASELINES)}, separated by commas, or all, or none (default "
        f"{','.join(QUICK_BASELINES)}; rankiqa trains once for each of five folds: 40 minutes or more)",
    )
    parser.add_argument(
        "--resamples",
        type=int,
        default=RESAMPLES,
        metavar="N",
        help=f"resamples of the bootstrap; 0 for no intervals (default {RESAMPLES})",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="random seed of bootstrap and baselines (default 0)"
    )
    add_output_option(
        parser,
        "write tables, record and figures to this folder",
        metavar="FOLDER",
        required=False,
        overwrite="an evaluation in FOLDER",
    )
    parser.add_argument("--json", action="store_true", help="print everything as one JSON document")


def run(options: argparse.Namespace) -> int:
    """Judge, print the table, and write the folder."""
    from napari_tiqa.jobs.learning.evaluate import evaluate
    from napari_tiqa.learning.evaluation.report import (
        FILES,
        evaluation_json,
        evaluation_text,
        write_evaluation,
    )

    if options.output:
        check_output_folder(options.output, FILES, options.overwrite)

    with cancelled_by_interrupt() as cancel, ProgressBar() as bar:
        evaluation = evaluate(
            options.dataset,
            model=options.model,
            baselines=options.baselines,
            against=options.against,
            resamples=options.resamples,
            seed=options.seed,
            progress=bar.follow(),
            cancel=cancel,
        )
    print(evaluation_json(evaluation) if options.json else evaluation_text(evaluation))
    if options.output:
        write_evaluation(evaluation, options.output)
        print(f"Wrote tables and figures to {options.output}.", file=sys.stderr)
    return 0


def _baselines(text: str) -> tuple[str, ...]:
    from napari_tiqa.learning.evaluation.baselines import BASELINES

    if text in ("all", "none"):
        return tuple(BASELINES) if text == "all" else ()
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in BASELINES:
            raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(BASELINES)}, all, none")
    return names
