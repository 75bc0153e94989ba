"""``napari-tiqa score``: score the slices of a tomogram."""

import argparse
import signal
import sys
import threading
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from napari_tiqa.errors import TableError, TiqaError
from napari_tiqa.jobs.score import ScoreProgress, score_volume
from napari_tiqa.scoring.table import record_path, scores_csv, scores_json, write_scores
from napari_tiqa.volumes.open import open_volume

_SCORE_DESCRIPTION = """\
Score the slices of a tomogram. The table has a row per slice:
  slice     index along the axis, from 0
  position  in the volume's unit
  score     1 (worst) to 5 (best); empty where the slice cannot be scored
  reason    why it cannot
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
    parser.add_argument(
        "input", metavar="INPUT", help="TIFF file or folder of TIFFs, HDF5, Zarr, .npy or .mrc"
    )
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
    parser.add_argument(
        "--axis", type=int, default=0, metavar="N", help="axis to go along: 0 (z, default), 1 (y) or 2 (x)"
    )
    parser.add_argument(
        "--slices",
        type=_slices,
        metavar="A:B:STEP",
        help="score only these, as in Python: 100:200, ::10, -5: or a single index",
    )
    parser.add_argument("--dataset", metavar="NAME", help="dataset inside an HDF5 or Zarr file")
    parser.add_argument(
        "--at",
        type=_place,
        action="append",
        default=[],
        metavar="AXIS=INDEX",
        help="which time or channel of a larger file, such as t=3; may be repeated",
    )
    parser.add_argument(
        "--window",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="intensity window in the volume's grey values; default: estimated from the volume",
    )
    parser.add_argument("--model", metavar="PATH", help="model bundle (.tiqa); default: the bundled one")
    parser.set_defaults(run=_score)


def _slices(text: str) -> slice | list[int]:
    try:
        parts = [int(part) if part.strip() else None for part in text.split(":")]
    except ValueError:
        parts = []
    match parts:
        case [int(index)]:
            return [index]
        case [_, _] | [_, _, None]:
            return slice(*parts)
        case [_, _, int(step)] if step:
            return slice(*parts)
    raise argparse.ArgumentTypeError(f"{text!r} is not A:B, A:B:STEP or an index")


def _place(text: str) -> tuple[str, int]:
    axis, _, index = text.partition("=")
    try:
        return axis, int(index)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not AXIS=INDEX, such as t=3") from None


def _score(options: argparse.Namespace) -> int:
    if options.output:
        _check_output(options.output, options.overwrite)
    volume = open_volume(options.input, options.dataset)
    # Where nothing was said, score_volume asks for a choice if there is one.
    tomogram = volume.tomogram(**dict(options.at)) if options.at else volume
    try:
        table = _score_with_progress(tomogram, options)
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


def _score_with_progress(tomogram: object, options: argparse.Namespace) -> pd.DataFrame:
    cancel = threading.Event()

    def interrupt(*_: object) -> None:
        cancel.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)  # for who presses Ctrl-C again

    before = signal.signal(signal.SIGINT, interrupt)
    # A log file gets a line now and then, a terminal a bar.
    interval = 0.1 if sys.stderr.isatty() else 30
    try:
        with tqdm(desc="starting", unit=" slices", file=sys.stderr, mininterval=interval, leave=False) as bar:

            def show(progress: ScoreProgress) -> None:
                bar.update(len(progress.rows))
                if bar.total is None:
                    bar.total = progress.total
                    bar.set_description("scoring")  # shows it at once, also in a log file

            return score_volume(
                tomogram,
                options.axis,
                options.model,
                options.slices,
                show,
                window=tuple(options.window) if options.window else None,
                cancel=cancel,
            )
    finally:
        signal.signal(signal.SIGINT, before)


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
    scored = table.dropna(subset="score").sort_values("score")
    sentence = f"Scored {len(scored)} of {len(table)} slices ({table.attrs['device'] or 'no network needed'})"
    if len(scored):
        score, index = scored["score"].iloc[0], scored["slice"].iloc[0]
        sentence += f": median {scored['score'].median():.2f}, worst {score:.2f} (slice {index})"
    return f"{sentence}."
