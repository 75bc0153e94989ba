"""``napari-tiqa filter``: apply a pipeline of filters to a volume and store the result."""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from napari_tiqa.cli.interrupt import cancelled_by_interrupt
from napari_tiqa.cli.volume_options import add_volume_options, chosen_volume, chosen_window
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.filtering.export import export
from napari_tiqa.progress import Progress
from napari_tiqa.volumes.writing.formats import FORMATS

_DESCRIPTION = """\
Filter every slice of a tomogram and store the result: OME-Zarr (OUTPUT ends with .zarr), one TIFF file
(.tif), or a folder of TIFF slices (no end). Voxel size, unit and type of number are kept; pipeline and
intensity window are written into OUTPUT, so that it cannot be filtered in the same way twice unnoticed.
INPUT is left as it is.
"""
_EXAMPLES = """\
examples:
  napari-tiqa filter scan.tif better.zarr --pipeline best.json
  napari-tiqa filter scan.h5 better.tif --pipeline best.json --window -0.0005 0.004
  napari-tiqa filter slices/ better_slices --pipeline best.json

Ctrl-C keeps the slices that are written; the same command again goes on from there.
"""


def add_filter_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``filter``."""
    parser = commands.add_parser(
        "filter",
        help="apply a pipeline of filters to a volume",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_volume_options(parser, model=False)
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="file or folder to write")
    parser.add_argument(
        "--pipeline",
        type=Path,
        required=True,
        metavar="FILE",
        help="filters to apply, as saved by the filter dock or by napari-tiqa tune",
    )
    parser.add_argument(
        "--format", choices=tuple(FORMATS), help="format, where the end of OUTPUT does not tell it"
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace an earlier export, or throw away an unfinished one with other settings",
    )
    parser.add_argument(
        "--again",
        action="store_true",
        help="filter also what was filtered with the same pipeline before",
    )
    parser.set_defaults(run=_filter)


def _filter(options: argparse.Namespace) -> int:
    pipeline = Pipeline.load(options.pipeline)
    volume = chosen_volume(options)
    for record in volume.applied:
        print(f"Note: {volume.name} has been filtered already: {record.get('steps')}.", file=sys.stderr)
    # A log file gets a line now and then, a terminal a bar.
    interval = 0.1 if sys.stderr.isatty() else 30
    with (
        cancelled_by_interrupt() as cancel,
        tqdm(desc="starting", unit=" slices", file=sys.stderr, mininterval=interval, leave=False) as bar,
    ):

        def show(progress: Progress) -> None:
            if bar.total is None:
                # What an earlier, interrupted run has written says nothing about the speed of this one.
                bar.initial = bar.n = bar.last_print_n = progress.done
                bar.total = progress.total
                bar.set_description("filtering")  # shows it at once, also in a log file
            bar.update(progress.done - bar.n)

        record = export(
            volume,
            pipeline,
            options.output,
            axis=options.axis,
            window=chosen_window(options),
            format=options.format,
            overwrite=options.overwrite,
            again=options.again,
            progress=show,
            cancel=cancel,
        )
    print(f"Wrote {options.output}: {record['steps']}.", file=sys.stderr)
    return 0
