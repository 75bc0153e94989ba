"""``napari-tiqa score``: score the slices of a tomogram."""

import argparse
import sys
from typing import TYPE_CHECKING

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
    add_model_option,
    add_region_option,
    add_scheduler_option,
    add_slices_option,
    add_volume_options,
    chosen_volume,
    chosen_window,
)
from napari_tiqa.errors import TableError, TiqaError
from napari_tiqa.scoring.views import PYRAMID, VIEWS

if TYPE_CHECKING:
    import pandas as pd

DESCRIPTION = """\
Score the slices of a tomogram. The table has a row per slice:
  slice     index along the axis, from 0
  position  in the volume's unit
  score     1 (worst) to 5 (best); empty where the slice cannot be scored
  uncertainty  half the width of its 90 % interval, points
  ring, blur, noise, streaks, shading, smoothing  points lost to each kind of artefact, together 5 - score
  overview  the score of the slice as a whole, shrunk to 224 px
  scale     at which it is lowest: 1 its own pixels, 2 means of 2 x 2 of them ...; empty where there is one
  reason    why it cannot be scored, or why the score should not be relied on
"""
EXAMPLES = """\
examples:
  score every slice and keep the table
    napari-tiqa score scan.tif -o scores.csv
  every tenth slice along y of one dataset of an HDF5 file
    napari-tiqa score scan.h5 --dataset exchange/data --axis 1 --slices ::10
  as a whole at 224 px alone, as in the paper, for a quick look
    napari-tiqa score scan.tif --view overview
  inside the reconstruction circle alone
    napari-tiqa score scan.tif --region circle
  a folder of TIFF slices, in a given intensity window
    napari-tiqa score slices/ --window -0.0005 0.004 -o scores.csv
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_scheduler_option(parser)
    add_volume_options(parser)
    add_model_option(parser)
    add_slices_option(parser, "score only these")
    parser.add_argument(
        "--view",
        choices=VIEWS,
        default=PYRAMID,
        help="pyramid: each slice at every scale, from its own pixels to 224 px (default); overview: shrunk "
        "to 224 px alone, up to twelve times as fast; native: up to nine tiles of its own pixels alone",
    )
    add_region_option(parser)
    add_output_option(
        parser,
        "write the table to this CSV file, and the record of the run to FILE.json; default: the table to "
        "standard output",
        required=False,
    )
    add_resume_option(parser, "scores")
    parser.add_argument("--json", action="store_true", help="print record and rows as one JSON document")


def run(options: argparse.Namespace) -> int:
    """Score, write or print the table, and say how it went."""
    from napari_tiqa.jobs.quality.score import score_volume
    from napari_tiqa.scoring.table import record_path

    if options.output:
        check_outputs([options.output, record_path(options.output)], replaceable(options))
    volume = chosen_volume(options)
    try:
        with cancelled_by_interrupt() as cancel, ProgressBar("slices") as bar:
            table = score_volume(
                volume,
                slices=options.slices,
                axis=options.axis,
                model=options.model,
                window=chosen_window(options),
                view=options.view,
                region=options.region,
                resume=chosen_resume(options),
                client=options.client,
                progress=bar.follow("scoring"),
                cancel=cancel,
            )
    except TiqaError as error:
        if error.table is not None and len(error.table):
            place = _deliver(error.table, options, partial=True)
            total = error.table.attrs["slices"]
            print(f"{len(error.table)} of {total} slices were scored; they are {place}.", file=sys.stderr)
            if (kept := chosen_resume(options)) is not None and kept.exists():
                print(f"Run the same command again to go on from them ({kept}).", file=sys.stderr)
        raise
    _deliver(table, options, partial=False)
    print(_summary(table), file=sys.stderr)
    return 0


def _deliver(table: "pd.DataFrame", options: argparse.Namespace, partial: bool) -> str:
    """Write the table where it was asked for; returns where that is, in words."""
    from napari_tiqa.scoring.table import scores_csv, scores_json, write_scores

    place = "printed above"
    if options.output:
        path = options.output
        if partial:  # beside it: an earlier, complete table is worth more than half a new one
            path = path.with_name(f"{path.stem}.partial{path.suffix}")
        try:
            write_scores(table, path)
        except TableError:
            print(scores_csv(table), end="")  # a full disk, say; the scores themselves are not lost
            raise
        place = f"in {path}"
    if options.json:
        print(scores_json(table))
    elif not options.output:
        print(scores_csv(table), end="")
    return place


def _summary(table: "pd.DataFrame") -> str:
    from napari_tiqa.scoring.sentence import score_sentence
    from napari_tiqa.scoring.table import UNLIKE_TRAINING, ScoredSlice

    rows = [ScoredSlice._make(row) for row in table.itertuples(index=False)]
    scored = table["score"].notna().sum()
    sentence = f"Scored {scored} of {len(table)} slices ({table.attrs['device'] or 'no network needed'})"
    if scored:
        worst = rows[table["score"].argmin()]
        sentence += (
            f": median {table['score'].median():.2f}, worst slice {worst.slice}: {score_sentence(worst)}"
        )
    flagged = sum(row.flagged for row in rows)
    if flagged:
        sentence += f". {flagged} of them are {UNLIKE_TRAINING}: do not rely on their scores"
    return f"{sentence}."
