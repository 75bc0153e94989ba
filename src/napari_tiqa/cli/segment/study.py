"""``napari-tiqa segment study``: what image quality does to a segmentation, on labelled slices."""

import argparse
import sys
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from napari_tiqa.cli.interrupt import cancelled_by_interrupt
from napari_tiqa.cli.labels_options import add_labels_options, chosen_labels
from napari_tiqa.cli.volume_options import (
    add_slices_option,
    add_volume_options,
    chosen_volume,
    chosen_window,
)
from napari_tiqa.errors import TableError
from napari_tiqa.jobs.study.files import FILES, write_study
from napari_tiqa.jobs.study.result import Study
from napari_tiqa.jobs.study.study import DEFAULT_SLICES, StudyProgress, study_segmentation

_DESCRIPTION = """\
Distort labelled slices by blur, noise and rings at five levels each, score and segment every version, and
compare the segmentations with the labels. Printed for each distortion, and for all pooled:
  SROCC, PLCC    rank and linear correlation of the score with F1, IoU and mean uncertainty
  within         the rank correlation with F1 in single slices, averaged
  n              versions of slices that they rest on
FOLDER gets table.csv (a row per version), correlations.csv, two_point.csv, figures of each, and record.json.
"""
_EXAMPLES = """\
examples:
  the bundled model for battery electrodes, one slice
    napari-tiqa segment study scan.tif phases.tif default --slices 40 -o study/
  your model; every pixel is labelled, 0 is a phase too
    napari-tiqa segment study scan.tif phases.tif mine.tiqa --unlabelled none -o study/
"""


def add_segment_study_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``segment study``."""
    parser = commands.add_parser(
        "study",
        help="see what image quality does to a segmentation",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_volume_options(parser, model=False)
    add_labels_options(parser)
    parser.add_argument("model", metavar="MODEL", help="a segmenter (.tiqa), or: default")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FOLDER", help="where tables and figures go"
    )
    by_default = f"the labelled ones; of more than {DEFAULT_SLICES} as many, evenly spread"
    add_slices_option(parser, f"study these (default: {by_default})")
    parser.add_argument(
        "--phase",
        type=int,
        metavar="N",
        help="label value of the phase that F1, IoU and two-point correlation are of (default: the model's "
        "last class)",
    )
    parser.add_argument(
        "--quality-model", metavar="PATH", help="model bundle that scores (.tiqa); default: the bundled one"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="fixes noise and rings (default 0)")
    parser.add_argument("--overwrite", action="store_true", help="replace a study in FOLDER")
    parser.set_defaults(run=_study)


def _study(options: argparse.Namespace) -> int:
    if not options.overwrite:
        existing = [name for name in FILES if (options.output / name).exists()]
        if existing:
            raise TableError(
                f"{options.output / existing[0]} exists already: add --overwrite to replace the study."
            )
    found = _with_progress(options)
    write_study(found, options.output)
    print(_text(found.correlations))
    print(found.sentence())
    print(f"Wrote tables and figures to {options.output}.", file=sys.stderr)
    if not found.complete:
        print("Stopped; the tables hold what was done.", file=sys.stderr)
        return 130
    return 0


def _with_progress(options: argparse.Namespace) -> Study:
    # A log file gets a line now and then, a terminal a bar.
    interval = 0.1 if sys.stderr.isatty() else 30
    with (
        cancelled_by_interrupt() as cancel,
        tqdm(desc="starting", unit=" versions", file=sys.stderr, mininterval=interval, leave=False) as bar,
    ):

        def show(progress: StudyProgress) -> None:
            bar.total = progress.total
            bar.update(progress.done - bar.n)
            bar.set_description("studying", refresh=progress.done == 1)  # at once, also in a log file

        return study_segmentation(
            chosen_volume(options),
            chosen_labels(options),
            model=None if options.model == "default" else options.model,
            slices=options.slices,
            axis=options.axis,
            unlabelled=options.unlabelled,
            value=options.phase,
            window=chosen_window(options),
            quality_model=options.quality_model,
            seed=options.seed,
            progress=show,
            cancel=cancel,
        )


def _text(correlations: pd.DataFrame) -> str:
    """Return the correlations for people: a row for each distortion, two columns for each measure."""
    shown = {"distortion": correlations["distortion"].unique()}
    for against, of in correlations.groupby("against", sort=False):
        for name, column in (("SROCC", "srocc"), ("PLCC", "plcc")):
            shown[f"{name} {against}"] = of[column].map("{:.3f}".format).to_numpy()
        if against == "f1":
            shown["within"] = of["within"].map("{:.3f}".format).to_numpy()
            shown["n"] = of["n"].to_numpy()
    return pd.DataFrame(shown).replace("nan", "-").to_string(index=False)
