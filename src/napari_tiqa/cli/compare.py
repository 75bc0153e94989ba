"""``napari-tiqa compare``: several pipelines on the same slices."""

import argparse
import sys
from pathlib import Path

import pandas as pd

from napari_tiqa.cli.exit_code import cancelled_by_interrupt
from napari_tiqa.cli.output_options import (
    add_output_option,
    add_resume_option,
    check_outputs,
    chosen_resume,
    replaceable,
)
from napari_tiqa.cli.progress_bar import ProgressBar
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
from napari_tiqa.jobs.filtering.compare import compare
from napari_tiqa.jobs.filtering.gain import Gain, change
from napari_tiqa.jobs.filtering.objective import FIDELITY
from napari_tiqa.report_folder import write_figure
from napari_tiqa.scoring.table import record_path, write_scores

DESCRIPTION = """\
Try several pipelines on the same slices, beside the slices as they are. Printed for each pipeline:
  fidelity     estimated nearness to a perfect scan, 0 to 1, mean over the slices
  score        what people would say, 1 (worst) to 5 (best), mean over the slices
  spread       standard deviation of the slices' scores
  gain         in fidelity over the unfiltered slices (in score by --aim score), with half the width of its
               90 % interval; better: yes where it is larger than that
  detail lost  per cent of the steepness of edges, negative where they are sharpened
  s/slice      seconds to filter a slice
"""
EXAMPLES = """\
examples:
  napari-tiqa compare scan.tif --pipeline median.json --pipeline rings.json -o compare.csv
  napari-tiqa compare scan.tif --pipeline a.json --slices ::50 -o compare.csv --figure compare.png
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_scheduler_option(parser)
    add_volume_options(parser)
    add_model_option(parser)
    add_slices_option(parser, "compare on these (default: five, evenly spread)")
    parser.add_argument(
        "--pipeline",
        type=Path,
        action="append",
        required=True,
        metavar="FILE",
        help="filters, as saved by the filter dock or napari-tiqa tune; repeat it for each pipeline",
    )
    add_aim_option(parser)
    add_output_option(
        parser,
        "write a row per pipeline and slice to this CSV file, and the record to FILE.json",
        required=False,
        overwrite="files that exist",
    )
    parser.add_argument("--figure", type=Path, metavar="PNG", help="draw box plots into this PNG file")
    add_resume_option(parser, "trials")


def run(options: argparse.Namespace) -> int:
    """Compare, print the table, and write table and figure."""
    outputs = [options.output, record_path(options.output)] if options.output else []
    check_outputs([*outputs, *filter(None, [options.figure])], replaceable(options))
    pipelines = _named(options.pipeline)
    volume = chosen_volume(options)
    try:
        with cancelled_by_interrupt() as cancel, ProgressBar("pipelines") as bar:
            comparison = compare(
                volume,
                pipelines,
                slices=options.slices,
                axis=options.axis,
                model=options.model,
                window=chosen_window(options),
                aim=options.aim,
                resume=chosen_resume(options),
                client=options.client,
                progress=bar.follow("comparing"),
                cancel=cancel,
            )
    except TiqaError as error:
        if error.table is not None and options.output:
            write_scores(error.table, options.output)
            print(f"What was compared before that is in {options.output}.", file=sys.stderr)
        raise
    if options.output:
        write_scores(comparison.rows, options.output)
    print(_text(comparison.table(), comparison.aim))
    print(comparison.sentence())
    if options.figure:
        # matplotlib takes a second to import.
        from napari_tiqa.jobs.filtering.comparison_figure import comparison_figure

        write_figure(comparison_figure(comparison), options.figure)
    for name, trial in comparison.trials.items():
        if trial.failure:
            print(f"{name}: {trial.failure}", file=sys.stderr)
    if not comparison.complete:
        print("Stopped; the table lists the pipelines completed.", file=sys.stderr)
        return 130
    return 0


def _named(paths: list[Path]) -> dict[str, Pipeline]:
    """Read pipelines; each has the name of its file, with the folder where two would be the same."""
    stems = [path.stem for path in paths]
    names = [path.stem if stems.count(path.stem) == 1 else str(path.with_suffix("")) for path in paths]
    for name, path in zip(names, paths, strict=True):
        if names.count(name) > 1:
            raise FilterError(f"{path} was given twice: name each pipeline once.")
    return {name: Pipeline.load(path) for name, path in zip(names, paths, strict=True)}


def _text(table: pd.DataFrame, aim: str) -> str:
    """Return the table for people, aligned."""
    gains = zip(table["gain"], table["gain_half_width"], strict=True)
    fidelity = {aim: table["objective"].map("{:.3f}".format)} if aim == FIDELITY else {}
    shown = pd.DataFrame(
        {
            "pipeline": table["pipeline"],
            **fidelity,
            "score": table["score"].map("{:.2f}".format),
            "spread": table["spread"].map("{:.2f}".format),
            "gain": [change(Gain(mean, half), aim) if half > 0 else "" for mean, half in gains],
            "better": table["better"].map({True: "yes", False: ""}),
            "detail lost (%)": table["detail_loss"].map("{:.1f}".format),
            "s/slice": table["seconds"].map("{:.2f}".format),
        }
    )
    return shown.replace("nan", "-").to_string(index=False)
