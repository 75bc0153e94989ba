"""``napari-tiqa evaluate``: judge a model on labelled images, beside baselines."""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from napari_tiqa.cli.interrupt import cancelled_by_interrupt
from napari_tiqa.errors import TableError
from napari_tiqa.jobs.learning.evaluate import Evaluation, EvaluationProgress, evaluate
from napari_tiqa.learning.evaluation.baselines import BASELINES, QUICK_BASELINES
from napari_tiqa.learning.evaluation.comparison import RESAMPLES

_DESCRIPTION = """\
Judge a model on labelled images it was not trained on, beside baselines. Printed for each distortion and all:
  within         how well scores follow the levels within an original (SROCC), mean over specimens
  SROCC, PLCC,   rank and linear correlation with the labels, across specimens;
  KROCC, RMSE    in brackets the 95 % bootstrap interval over originals
  AUC_DS, AUC_BW, CC_0   Krasula's analysis, where images have two raters or more
"""
_EXAMPLES = """\
examples:
  the default model on a generated or rated set of images
    napari-tiqa evaluate default images/
  your model against the default one, with tables and figures in a folder
    napari-tiqa evaluate mine.tiqa images/ --against default -o evaluation/
"""


def add_evaluate_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``evaluate``."""
    parser = commands.add_parser(
        "evaluate",
        help="judge a model on labelled images, beside baselines",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", metavar="MODEL", help="model bundle (.tiqa), or: default")
    parser.add_argument(
        "dataset", metavar="DATASET", help="folder made by napari-tiqa generate, or a rated session"
    )
    parser.add_argument(
        "--against",
        action="append",
        default=[],
        metavar="MODEL",
        help="judge this model too, on the same images; may be repeated",
    )
    parser.add_argument(
        "--baselines",
        type=_baselines,
        default=QUICK_BASELINES,
        metavar="NAMES",
        help=f"of {', '.join(BASELINES)}, separated by commas, or all, or none (default "
        f"{','.join(QUICK_BASELINES)}; rankiqa is a training for each of five folds: 40 minutes and more)",
    )
    parser.add_argument(
        "--resamples",
        type=int,
        default=RESAMPLES,
        metavar="N",
        help=f"resamples of the bootstrap; 0 for no intervals (default {RESAMPLES})",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="write tables, record and figures to this folder"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an evaluation in FOLDER")
    parser.add_argument("--json", action="store_true", help="print everything as one JSON document")
    parser.set_defaults(run=_evaluate)


def _baselines(text: str) -> tuple[str, ...]:
    if text in ("all", "none"):
        return tuple(BASELINES) if text == "all" else ()
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in BASELINES:
            raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(BASELINES)}, all, none")
    return names


def _evaluate(options: argparse.Namespace) -> int:
    # matplotlib takes a second to import.
    from napari_tiqa.learning.evaluation.report import (
        FILES,
        evaluation_json,
        evaluation_text,
        write_evaluation,
    )

    if options.output and not options.overwrite:
        existing = [name for name in FILES if (options.output / name).exists()]
        if existing:
            raise TableError(
                f"{options.output / existing[0]} exists already: add --overwrite to replace the evaluation."
            )
    evaluation = _with_progress(options)
    print(evaluation_json(evaluation) if options.json else evaluation_text(evaluation))
    if options.output:
        write_evaluation(evaluation, options.output)
        print(f"Wrote tables and figures to {options.output}.", file=sys.stderr)
    return 0


def _with_progress(options: argparse.Namespace) -> Evaluation:
    interval = 0.1 if sys.stderr.isatty() else 30  # a log file gets a line now and then
    form = "{desc}{percentage:3.0f}%|{bar}|{postfix}"
    bar = tqdm(
        desc="starting", total=1.0, file=sys.stderr, mininterval=interval, leave=False, bar_format=form
    )

    def show(progress: EvaluationProgress) -> None:
        left = progress.seconds_left
        bar.set_description(progress.stage, refresh=False)
        bar.set_postfix_str("" if left is None else f"{tqdm.format_interval(left)} left", refresh=False)
        bar.update(progress.share - bar.n)

    with cancelled_by_interrupt() as cancel, bar:
        return evaluate(
            model=_bundle(options.model),
            dataset=options.dataset,
            baselines=options.baselines,
            progress=show,
            cancel=cancel,
            against=[_bundle(model) for model in options.against],
            resamples=options.resamples,
        )


def _bundle(text: str) -> str | None:
    return None if text == "default" else text
