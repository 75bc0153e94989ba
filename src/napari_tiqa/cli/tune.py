"""``napari-tiqa tune``: find the values of a pipeline's parameters that score best."""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from napari_tiqa.cli.interrupt import cancelled_by_interrupt
from napari_tiqa.cli.setting_options import positive
from napari_tiqa.cli.volume_options import (
    add_aim_option,
    add_slices_option,
    add_volume_options,
    chosen_volume,
    chosen_window,
)
from napari_tiqa.errors import FilterError, TiqaError
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.filtering.gain import level
from napari_tiqa.jobs.filtering.tune import DEFAULT_TRIALS, TuneProgress, tune
from napari_tiqa.jobs.filtering.tuning import Tuning
from napari_tiqa.scoring.table import record_path, write_scores

_DESCRIPTION = """\
Find the values of a pipeline's parameters that score best on a few slices, and say whether they are better
than no filter at all, beyond what the score can tell. FILE is the best pipeline, to be applied by napari-tiqa
filter; beside it a table (.csv) has every setting that was tried, its score and the detail it costs.
"""
_EXAMPLES = """\
examples:
  all parameters worth tuning, on five slices
    napari-tiqa tune scan.tif --pipeline gaussian.json -o best.json
  one of them within a range, on three slices, as a curve of 20 values
    napari-tiqa tune scan.tif --pipeline p.json --parameter gaussian.sigma=0.3:4 --slices 10,200,390 \\
        --sweep --trials 20 -o best.json

Ctrl-C keeps the best so far.
"""


def add_tune_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``tune``."""
    parser = commands.add_parser(
        "tune",
        help="tune filters against the score",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_volume_options(parser)
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
        "is there twice; may be repeated. Default: every parameter worth tuning, over its whole range",
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
        "--sweep",
        action="store_true",
        help="a regular grid over one or two parameters; default: an optimiser (Optuna)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help="write the best pipeline to this JSON file",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    parser.set_defaults(run=_tune)


def _tune(options: argparse.Namespace) -> int:
    table_path = options.output.with_suffix(".csv")
    _check_output(options.output, table_path, options.overwrite)
    try:
        tuning = _tune_with_progress(options)
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


def _check_output(pipeline_path: Path, table_path: Path, overwrite: bool) -> None:
    """Refuse what could not be written before the work is done, not after."""
    if table_path == pipeline_path:
        raise FilterError(
            f"The pipeline cannot be written to {pipeline_path}: choose a name that ends in .json."
        )
    if not pipeline_path.parent.is_dir():
        raise FilterError(f"There is no folder {pipeline_path.parent}: make it, or choose another place.")
    for existing in (pipeline_path, table_path, record_path(table_path)):
        if existing.exists() and not overwrite:
            raise FilterError(f"{existing} exists already: add --overwrite to replace it.")


def _tune_with_progress(options: argparse.Namespace) -> Tuning:
    pipeline = Pipeline.load(options.pipeline)
    volume = chosen_volume(options)
    # A log file gets a line now and then, a terminal a bar.
    interval = 0.1 if sys.stderr.isatty() else 30
    with (
        cancelled_by_interrupt() as cancel,
        tqdm(desc="starting", unit=" settings", file=sys.stderr, mininterval=interval, leave=False) as bar,
    ):

        def show(progress: TuneProgress) -> None:
            bar.total = progress.total
            bar.update(progress.done - bar.n)
            # Unfiltered slices and first setting at once, also in a log file; the others now and then.
            bar.set_description(f"best {level(progress.best, options.aim)}", refresh=progress.done <= 2)

        return tune(
            volume,
            pipeline,
            options.parameter,
            slices=options.slices,
            method="sweep" if options.sweep else "optimise",
            trials=options.trials,
            axis=options.axis,
            model=options.model,
            window=chosen_window(options),
            aim=options.aim,
            progress=show,
            cancel=cancel,
        )
