"""``napari-tiqa map``: where in one slice quality is lost."""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from napari_tiqa.cli.interrupt import cancelled_by_interrupt
from napari_tiqa.cli.volume_options import add_volume_options, chosen_volume, chosen_window
from napari_tiqa.errors import TableError
from napari_tiqa.jobs.quality.map import STRIDE, MapProgress, QualityMap, score_map, write_map

_MAP_DESCRIPTION = """\
Map where in one slice quality is lost: overlapping tiles of 224 px are scored at native resolution and
blended. The map has the size of the slice, 1 (worst) to 5 (best), NaN where there is nothing to judge.
"""
_MAP_EXAMPLES = """\
examples:
  napari-tiqa map scan.tif --slice 120 -o map.tif
  napari-tiqa map scan.h5 --axis 1 --slice -1 --stride 56 -o map.tif     finer, four times as long
"""


def add_map_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``map``."""
    parser = commands.add_parser(
        "map",
        help="map where in one slice quality is lost",
        description=_MAP_DESCRIPTION,
        epilog=_MAP_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_volume_options(parser)
    parser.add_argument(
        "--slice",
        type=int,
        default=0,
        metavar="N",
        dest="index",
        help="which slice, from 0, negative from the end",
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="TIFF file to write, float32"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    parser.add_argument(
        "--stride",
        type=int,
        default=STRIDE,
        metavar="PX",
        help=f"pixels from tile to tile, 1 to 224 (default {STRIDE})",
    )
    parser.set_defaults(run=_map)


def _map(options: argparse.Namespace) -> int:
    output = options.output
    if not output.parent.is_dir():
        raise TableError(f"There is no folder {output.parent}: make it, or choose another place for the map.")
    if output.exists() and not options.overwrite:
        raise TableError(f"{output} exists already: add --overwrite to replace it.")
    quality_map = _map_with_progress(options)
    write_map(quality_map, output)
    low, high = quality_map.values[:, 0].min(), quality_map.values[:, 0].max()
    record = quality_map.record
    print(
        f"Mapped slice {record['slice']} from {len(quality_map.values)} tiles ({record['device']}): "
        f"mean {quality_map.mean:.2f}, {low:.2f} to {high:.2f}.",
        file=sys.stderr,
    )
    return 0


def _map_with_progress(options: argparse.Namespace) -> QualityMap:
    interval = 0.1 if sys.stderr.isatty() else 30
    with (
        cancelled_by_interrupt() as cancel,
        tqdm(desc="starting", unit=" tiles", file=sys.stderr, mininterval=interval, leave=False) as bar,
    ):

        def show(progress: MapProgress) -> None:
            bar.total = progress.total
            bar.update(progress.done - bar.n)

        return score_map(
            chosen_volume(options),
            options.index,
            axis=options.axis,
            model=options.model,
            window=chosen_window(options),
            stride=options.stride,
            progress=show,
            cancel=cancel,
        )
