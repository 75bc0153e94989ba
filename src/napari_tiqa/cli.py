"""The shell's door: ``napari-tiqa score | train | demo``; parses, calls the core, prints.

Results go to standard output, everything for people to standard error. Exit code 0: done; 1: the model
process failed; 2: something the user can put right; 130: interrupted.
"""

import argparse
import importlib
import os
import re
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from napari_tiqa import __version__
from napari_tiqa.errors import Cancelled, ModelProcessError, TableError, TiqaError, TrainingError
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
_TRAIN_EXAMPLES = """\
examples:
  napari-tiqa train good/*.tif -o mine.tiqa            the paper's recipe on your images, half an hour
  napari-tiqa train a.h5 b.h5 --slices 16 -o mine.tiqa   sixteen slices of each of two tomograms
  napari-tiqa score scan.tif --model mine.tiqa         score with it
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = _parser()
    given = _mark_numbers(sys.argv[1:] if arguments is None else arguments)
    options = parser.parse_args(given)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except TiqaError as error:
        print(f"napari-tiqa: {error}", file=sys.stderr)
        return 130 if isinstance(error, Cancelled) else 1 if isinstance(error, ModelProcessError) else 2
    except KeyboardInterrupt:
        print("napari-tiqa: Interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output (such as head) has what it wanted.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="napari-tiqa",
        description="Image quality of X-ray tomograms: a score from 1 (worst) to 5 (best) for every slice.",
    )
    parser.add_argument("--version", action="version", version=f"napari-tiqa {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_score_parser(commands)
    add_train_parser(commands)
    add_demo_parser(commands)
    return parser


def _mark_numbers(arguments: Sequence[str]) -> list[str]:
    """Keep argparse from taking ``-1e-4`` or ``-10:`` for options: with a blank before it, it does not."""
    return [f" {one}" if re.match(r"-\.?\d", one) else one for one in arguments]


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


def add_train_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``train``."""
    parser = commands.add_parser(
        "train",
        help="train a model on your own good images",
        description="Train a model on good slices of your own: distorted versions are made of each, labelled "
        "by full-reference metrics, ranked, then scored. The paper's settings are the defaults.",
        epilog=_TRAIN_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "inputs", metavar="INPUT", nargs="*", help="images or tomograms, at least 5 slices in all"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="bundle to write (.tiqa)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    parser.add_argument(
        "--slices",
        type=_positive,
        default=1,
        metavar="N",
        help="slices to take from each tomogram (default 1)",
    )
    parser.add_argument(
        "--ranking-epochs", type=_positive, default=30, metavar="N", help="passes of stage 1 (default 30)"
    )
    parser.add_argument(
        "--regression-epochs", type=_positive, default=20, metavar="N", help="passes of stage 2 (default 20)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="fixes all that is drawn (default 0)"
    )
    parser.add_argument(
        "--default-model",
        type=Path,
        metavar="DATA",
        help="train the bundled default model again, by its recipe on the scans in the folder DATA",
    )
    parser.set_defaults(run=_train)


def add_demo_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``demo``."""
    parser = commands.add_parser(
        "demo",
        help="open napari with a tomogram and the quality dock, and score it",
        description="Open napari with a tomogram and the quality dock, and score it.",
    )
    parser.add_argument(
        "volume", metavar="VOLUME", nargs="?", help="a file to open; default: the sample tomogram"
    )
    parser.set_defaults(run=_demo)


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


def _positive(text: str) -> int:
    if not text.strip().isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return int(text)


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


def _train(options: argparse.Namespace) -> int:
    # Keras takes seconds to import, and only this command trains in the shell's own process.
    from napari_tiqa.learning.train import train_default_model, train_on_files
    from napari_tiqa.learning.training import StageProgress

    if bool(options.inputs) == bool(options.default_model):
        raise TrainingError("Give images to train on, or --default-model with the folder of its scans.")
    if not options.output.parent.is_dir():
        raise TrainingError(
            f"There is no folder {options.output.parent}: make it, or write the model elsewhere."
        )
    if options.output.exists() and not options.overwrite:
        raise TrainingError(f"{options.output} exists already: add --overwrite to replace it.")
    with tqdm(desc="distorting and labelling", unit=" originals", file=sys.stderr) as bar:

        def advance(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        def report(progress: StageProgress) -> None:
            if bar.desc != f"{progress.stage}: ":
                bar.set_description(progress.stage, refresh=False)
                bar.unit = " epochs"
                bar.reset(progress.epochs)
            bar.set_postfix(loss=f"{progress.loss:.3f}", refresh=False)
            bar.update()

        if options.default_model:
            card = train_default_model(options.default_model, options.output, advance=advance, report=report)
        else:
            card = train_on_files(
                options.inputs,
                options.output,
                slices=options.slices,
                ranking_epochs=options.ranking_epochs,
                regression_epochs=options.regression_epochs,
                seed=options.seed,
                advance=advance,
                report=report,
            )
    evaluation = card["evaluation"]
    print(f"Wrote {options.output} ({card['training']['originals']} originals).", file=sys.stderr)
    print(evaluation if isinstance(evaluation, str) else pd.DataFrame(evaluation).to_string(index=False))
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


def _demo(options: argparse.Namespace) -> int:
    # By name, so that this door to the core never imports napari unless the demo is asked for.
    code: int | None = importlib.import_module("napari_tiqa.widgets.demo").main(options.volume)
    return code or 0


if __name__ == "__main__":
    sys.exit(main())
