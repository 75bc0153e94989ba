"""``napari-tiqa segment study``: what image quality does to a segmentation, on labelled slices."""

import argparse
import sys
from typing import TYPE_CHECKING

from napari_tiqa.cli.exit_code import cancelled_by_interrupt
from napari_tiqa.cli.output_options import (
    add_output_option,
    add_resume_option,
    check_output_folder,
    chosen_resume,
    replaceable,
)
from napari_tiqa.cli.progress_bar import ProgressBar
from napari_tiqa.cli.volume_options import (
    add_labels_options,
    add_model_option,
    add_slices_option,
    add_volume_options,
    chosen_labels,
    chosen_volume,
    chosen_window,
)

if TYPE_CHECKING:
    import pandas as pd

DESCRIPTION = """\
Distort labelled slices by blur, noise and rings at five levels each, score and segment every version, and
compare the segmentations with the labels. Printed for each distortion, and for all pooled:
  SROCC, PLCC    rank and linear correlation of the score with F1, IoU and mean uncertainty
  within         the rank correlation with F1 in single slices, averaged
  n              number of versions of slices
FOLDER gets table.csv (a row per version), correlations.csv, two_point.csv, figures of each, and record.json.
"""
EXAMPLES = """\
examples:
  the bundled model for battery electrodes, one slice
    napari-tiqa segment study scan.tif phases.tif --slices 40 -o study/
  your model; every pixel is labelled: 0 is a phase too
    napari-tiqa segment study scan.tif phases.tif --model mine.tiqa --unlabelled none -o study/
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    from napari_tiqa.jobs.study.study import DEFAULT_SLICES

    add_volume_options(parser)
    add_labels_options(parser)
    add_model_option(
        parser, "the segmenter (.tiqa) to study", bundled="the bundled one for battery electrodes"
    )
    add_model_option(parser, "model bundle that scores (.tiqa)", option="--quality-model")
    by_default = f"the labelled ones; of more than {DEFAULT_SLICES} as many, evenly spread"
    add_slices_option(parser, f"study these (default: {by_default})")
    parser.add_argument(
        "--value",
        type=int,
        metavar="N",
        help="label value of the phase that F1, IoU and two-point correlation are computed for (default: the "
        "model's last class)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="random seed of noise and rings (default 0)"
    )
    add_output_option(parser, "where tables and figures go", metavar="FOLDER", overwrite="a study in FOLDER")
    add_resume_option(parser, "versions")


def run(options: argparse.Namespace) -> int:
    """Study, write the folder, and print the correlations."""
    from napari_tiqa.jobs.study.study import FILES, study_segmentation, write_study

    check_output_folder(options.output, FILES, replaceable(options))
    with cancelled_by_interrupt() as cancel, ProgressBar("versions") as bar:
        study = study_segmentation(
            chosen_volume(options),
            chosen_labels(options),
            slices=options.slices,
            axis=options.axis,
            model=options.model,
            quality_model=options.quality_model,
            window=chosen_window(options),
            unlabelled=options.unlabelled,
            value=options.value,
            seed=options.seed,
            resume=chosen_resume(options),
            progress=bar.follow("studying"),
            cancel=cancel,
        )
    write_study(study, options.output)
    print(_text(study.correlations))
    print(study.sentence())
    if caution := study.caution():
        print(f"Warning: {caution}", file=sys.stderr)
    print(f"Wrote tables and figures to {options.output}.", file=sys.stderr)
    if not study.complete:
        print("Stopped; the tables hold what was done.", file=sys.stderr)
        return 130
    return 0


def _text(correlations: "pd.DataFrame") -> str:
    """Return the correlations for people: a row for each distortion, two columns for each measure."""
    import pandas as pd

    shown = {"distortion": correlations["distortion"].unique()}
    for against, of in correlations.groupby("against", sort=False):
        for name, column in (("SROCC", "srocc"), ("PLCC", "plcc")):
            shown[f"{name} {against}"] = of[column].map("{:.3f}".format).to_numpy()
        if against == "f1":
            shown["within"] = of["within"].map("{:.3f}".format).to_numpy()
            shown["n"] = of["n"].to_numpy()
    return pd.DataFrame(shown).replace("nan", "-").to_string(index=False)
