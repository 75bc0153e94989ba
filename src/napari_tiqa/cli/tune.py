"""``napari-tiqa tune``: find the values of a pipeline's parameters that score best."""

import argparse
import sys
from pathlib import Path

from napari_tiqa.cli.exit_code import cancelled_by_interrupt
from napari_tiqa.cli.output_options import (
    add_output_option,
    add_resume_option,
    check_outputs,
    chosen_resume,
    replaceable,
)
from napari_tiqa.cli.progress_bar import ProgressBar
from napari_tiqa.cli.setting_options import positive
from napari_tiqa.cli.volume_options import (
    add_aim_option,
    add_model_option,
    add_scheduler_option,
    add_slices_option,
    add_volume_options,
    chosen_volume,
    chosen_window,
)
from napari_tiqa.errors import FilterError, TiqaError
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.filtering.gain import level
from napari_tiqa.jobs.filtering.search import METHODS
from napari_tiqa.jobs.filtering.tune import DEFAULT_TRIALS, tune
from napari_tiqa.scoring.table import record_path, write_scores

DESCRIPTION = """\
Find the values of a pipeline's parameters that score best on a few slices, and say whether they are better
than no filter at all, by a significant margin. FILE is the best pipeline, to be applied by napari-tiqa
export; beside it a table (.csv) has every setting that was tried, its score and the detail it costs.
"""
EXAMPLES = """\
examples:
  all parameters worth tuning, on five slices
    napari-tiqa tune scan.tif --pipeline gaussian.json -o best.json
  one of them within a range, on three slices, as a curve of 20 values
    napari-tiqa tune scan.tif --pipeline p.json --parameter gaussian.sigma=0.3:4 --slices 10,200,390 \\
        --method sweep --trials 20 -o best.json

Ctrl-C keeps the best so far.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_scheduler_option(parser)
    add_volume_options(parser)
    add_model_option(parser)
    add_slices_option(parser, "try settings on these (default: five, evenly spread)")
    parser.add_argument(
        "--pipeline",
        type=Path,
        required=True,
        metavar="FILE",
        help="filters to tune, as saved by the filter dock",
    )
    parser.add_argument(
        "--parameter",
        action="append",
        metavar="NAME[=LOW:HIGH]",
        help="what to vary, such as gaussian.sigma=0.3:4, or 0.sigma (steps counted from 0) where a filter "
        "occurs twice; may be repeated. Default: every parameter worth tuning, over its whole range",
    )
    parser.add_argument(
        "--trials",
        type=positive,
        default=DEFAULT_TRIALS,
        metavar="N",
        help=f"settings to try at most (default {DEFAULT_TRIALS})",
    )
    add_aim_option(parser)
    parser.add_argument(
        "--method",
        choices=METHODS,
        default=METHODS[0],
        help="optimise: Optuna's optimiser TPE (default); sweep: a regular grid over one or two parameters",
    )
    add_output_option(
        parser, "write the best pipeline to this JSON file, and a table to the same name with .csv"
    )
    add_resume_option(parser, "trials")


def run(options: argparse.Namespace) -> int:
    """Tune, write pipeline and table, and say what is best."""
    table_path = options.output.with_suffix(".csv")
    if table_path == options.output:
        raise FilterError(
            f"The pipeline cannot be written to {options.output}: choose a name that ends in .json."
        )
    check_outputs([options.output, table_path, record_path(table_path)], replaceable(options))
    pipeline = Pipeline.load(options.pipeline)
    volume = chosen_volume(options)
    try:
        with cancelled_by_interrupt() as cancel, ProgressBar("settings") as bar:
            tuning = tune(
                volume,
                pipeline,
                options.parameter,
                slices=options.slices,
                axis=options.axis,
                model=options.model,
                window=chosen_window(options),
                aim=options.aim,
                method=options.method,
                trials=options.trials,
                resume=chosen_resume(options),
                client=options.client,
                progress=bar.follow("tuning", lambda progress: f"best {level(progress.best, options.aim)}"),
                cancel=cancel,
            )
    except TiqaError as error:
        if error.table is not None:
            write_scores(error.table, table_path)
            print(f"{len(error.table)} pipelines were tried; they are in {table_path}.", file=sys.stderr)
        raise
    tuning.best.pipeline.save(options.output)
    write_scores(tuning.table(), table_path)
    print(tuning.sentence())
    print(f"Wrote {options.output} and {table_path}.", file=sys.stderr)
    return 0 if tuning.complete else 130
