"""``napari-tiqa export``: apply a pipeline of filters to a volume and store the result."""

import argparse
import sys
from pathlib import Path

from napari_tiqa.cli.exit_code import cancelled_by_interrupt
from napari_tiqa.cli.progress_bar import ProgressBar
from napari_tiqa.cli.volume_options import (
    add_scheduler_option,
    add_volume_options,
    chosen_volume,
    chosen_window,
)

DESCRIPTION = """\
Filter every slice of a tomogram and store the result: OME-Zarr (OUTPUT ends with .zarr), one TIFF file
(.tif), or a folder of TIFF slices (no extension). Voxel size, unit and data type are kept; pipeline and
intensity window are written into OUTPUT, so that it cannot be filtered in the same way twice unnoticed.
INPUT is not changed.
"""
EXAMPLES = """\
examples:
  napari-tiqa export scan.tif better.zarr --pipeline best.json
  napari-tiqa export scan.h5 better.tif --pipeline best.json --window -0.0005 0.004
  napari-tiqa export slices/ better_slices --pipeline best.json

Ctrl-C keeps the slices that are written; run the same command again to resume.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    from napari_tiqa.volumes.writing.formats import FORMATS

    add_scheduler_option(parser)
    add_volume_options(parser)
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="file or folder to write")
    parser.add_argument(
        "--pipeline",
        type=Path,
        required=True,
        metavar="FILE",
        help="filters to apply, as saved by the filter dock or by napari-tiqa tune",
    )
    parser.add_argument(
        "--format", choices=tuple(FORMATS), help="format, where OUTPUT's extension does not tell it"
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace an earlier export, or discard an unfinished one with other settings",
    )
    parser.add_argument(
        "--again", action="store_true", help="apply the pipeline even if it was already applied"
    )


def run(options: argparse.Namespace) -> int:
    """Export, after a note on filters that were applied before."""
    from napari_tiqa.filtering.pipeline import Pipeline
    from napari_tiqa.jobs.filtering.export import export

    pipeline = Pipeline.load(options.pipeline)
    volume = chosen_volume(options)
    for record in volume.applied:
        print(f"Note: {volume.name} has been filtered already: {record.get('steps')}.", file=sys.stderr)
    with cancelled_by_interrupt() as cancel, ProgressBar("slices") as bar:
        record = export(
            volume,
            pipeline,
            options.output,
            axis=options.axis,
            window=chosen_window(options),
            format=options.format,
            overwrite=options.overwrite,
            again=options.again,
            client=options.client,
            progress=bar.follow("filtering"),
            cancel=cancel,
        )
    print(f"Wrote {options.output}: {record['steps']}.", file=sys.stderr)
    return 0
