"""``napari-tiqa map``: where in one slice quality is lost."""

import argparse
import sys

from napari_tiqa.cli.exit_code import cancelled_by_interrupt
from napari_tiqa.cli.output_options import add_output_option, check_outputs
from napari_tiqa.cli.progress_bar import ProgressBar
from napari_tiqa.cli.volume_options import (
    add_model_option,
    add_region_option,
    add_scheduler_option,
    add_volume_options,
    chosen_volume,
    chosen_window,
)

DESCRIPTION = """\
Map where in one slice quality is lost: overlapping tiles of 224 px are scored at native resolution and
blended. The map has the size of the slice, 1 (worst) to 5 (best), NaN where there is nothing to judge.
"""
EXAMPLES = """\
examples:
  napari-tiqa map scan.tif --slice 120 -o map.tif
  napari-tiqa map scan.h5 --axis 1 --slice -1 --stride 56 -o map.tif     finer, takes four times as long
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    from napari_tiqa.jobs.quality.map import STRIDE

    add_scheduler_option(parser)
    add_volume_options(parser)
    add_model_option(parser)
    parser.add_argument(
        "--slice",
        type=int,
        default=0,
        metavar="N",
        dest="index",
        help="which slice, from 0, negative from the end (default 0)",
    )
    parser.add_argument(
        "--stride",
        type=int,
        default=STRIDE,
        metavar="PX",
        help=f"pixels from tile to tile, 1 to 224 (default {STRIDE})",
    )
    add_region_option(parser)
    add_output_option(parser, "TIFF file to write, float32")


def run(options: argparse.Namespace) -> int:
    """Map a slice, write the map, and say how good the slice is."""
    from napari_tiqa.jobs.quality.map import score_map, write_map

    check_outputs([options.output], options.overwrite)
    with cancelled_by_interrupt() as cancel, ProgressBar("tiles") as bar:
        quality_map = score_map(
            chosen_volume(options),
            options.index,
            axis=options.axis,
            model=options.model,
            window=chosen_window(options),
            stride=options.stride,
            region=options.region,
            client=options.client,
            progress=bar.follow("scoring"),
            cancel=cancel,
        )
    write_map(quality_map, options.output)
    record = quality_map.record
    print(
        f"Mapped slice {record['slice']} from {len(quality_map.values)} tiles ({record['device']}): "
        f"{quality_map.sentence()}.",
        file=sys.stderr,
    )
    return 0
