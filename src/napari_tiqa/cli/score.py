"""``napari-tiqa score``: score the slices of a tomogram."""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from napari_tiqa.cli.interrupt import cancelled_by_interrupt
from napari_tiqa.cli.volume_options import (
    add_slices_option,
    add_volume_options,
    chosen_volume,
    chosen_window,
)
from napari_tiqa.errors import TableError, TiqaError
from napari_tiqa.jobs.quality.score import ScoreProgress, score_volume
from napari_tiqa.scoring.sentence import score_sentence
from napari_tiqa.scoring.table import (
    UNLIKE_TRAINING,
    ScoredSlice,
    record_path,
    scores_csv,
    scores_json,
    write_scores,
)
from napari_tiqa.volumes.volume import Volume

_SCORE_DESCRIPTION = """\
Score the slices of a tomogram. The table has a row per slice:
  slice     index along the axis, from 0
  position  in the volume's unit
  score     1 (worst) to 5 (best); empty where the slice cannot be scored
  uncertainty  half the width of its 90 % interval, points
  ring, blur, noise  points lost to each kind of artefact, together 5 - score
  reason    why it cannot be scored, or why the score should not be relied on
"""
_SCORE_EXAMPLES = """\
examples:
  score every slice and keep the table
    napari-tiqa score scan.tif -o scores.csv
  every tenth slice along y of one dataset of an HDF5 file
    napari-tiqa score scan.h5 --dataset exchange/data --axis 1 --slices ::10
  a folder of TIFF slices, in a given intensity window
    napari-tiqa score slices/ --window -0.0005 0.004 -o scores.csv
"""


def add_score_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``score``."""
    parser = commands.add_parser(
        "score",
        help="score the slices of a tomogram",
        description=_SCORE_DESCRIPTION,
        epilog=_SCORE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_volume_options(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="write the table to this CSV file, and the record of the run to FILE.json; "
        "default: the table to standard output",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    parser.add_argument("--json", action="store_true", help="print record and rows as one JSON document")
    add_slices_option(parser, "score only these")
    parser.add_argument(
        "--tiles",
        choices=("whole", "native"),
        default="whole",
        help="whole: each slice shrunk to 224 px (default); native: up to nine tiles of its own pixels, for "
        "large slices whose noise would vanish by shrinking",
    )
    parser.set_defaults(run=_score)


def _score(options: argparse.Namespace) -> int:
    if options.output:
        _check_output(options.output, options.overwrite)
    volume = chosen_volume(options)
    try:
        table = _score_with_progress(volume, options)
    except TiqaError as error:
        if error.table is not None and len(error.table):
            where = _deliver(error.table, options, partial=True)
            of = error.table.attrs["slices"]
            print(f"{len(error.table)} of {of} slices were scored; they are {where}.", file=sys.stderr)
        raise
    _deliver(table, options, partial=False)
    print(_summary(table), file=sys.stderr)
    return 0


def _check_output(path: Path, overwrite: bool) -> None:
    """Refuse what could not be written before the work is done, not after."""
    if not path.parent.is_dir():
        raise TableError(
            f"There is no folder {path.parent}: make it, or choose another place for the scores."
        )
    for existing in (path, record_path(path)):
        if existing.exists() and not overwrite:
            raise TableError(f"{existing} exists already: add --overwrite to replace it.")


def _score_with_progress(volume: Volume, options: argparse.Namespace) -> pd.DataFrame:
    # A log file gets a line now and then, a terminal a bar.
    interval = 0.1 if sys.stderr.isatty() else 30
    with (
        cancelled_by_interrupt() as cancel,
        tqdm(desc="starting", unit=" slices", file=sys.stderr, mininterval=interval, leave=False) as bar,
    ):

        def show(progress: ScoreProgress) -> None:
            bar.update(len(progress.rows))
            if bar.total is None:
                bar.total = progress.total
                bar.set_description("scoring")  # shows it at once, also in a log file

        return score_volume(
            volume,
            axis=options.axis,
            model=options.model,
            slices=options.slices,
            progress=show,
            window=chosen_window(options),
            cancel=cancel,
            tiles=options.tiles,
        )


def _deliver(table: pd.DataFrame, options: argparse.Namespace, partial: bool) -> str:
    """Write the table where it was asked for; returns where that is, in words."""
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


def _summary(table: pd.DataFrame) -> str:
    rows = [ScoredSlice._make(row) for row in table.itertuples(index=False)]
    scored = sorted((row for row in rows if np.isfinite(row.score)), key=lambda row: row.score)
    sentence = f"Scored {len(scored)} of {len(table)} slices ({table.attrs['device'] or 'no network needed'})"
    if scored:
        worst = scored[0]
        sentence += (
            f": median {table['score'].median():.2f}, worst slice {worst.slice}: {score_sentence(worst)}"
        )
    flagged = sum(row.flagged for row in rows)
    if flagged:
        sentence += f". {flagged} of them are {UNLIKE_TRAINING}: do not rely on their scores"
    return f"{sentence}."
