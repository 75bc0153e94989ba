"""``napari-tiqa measure``: physical figures of the slices of a tomogram."""

import argparse
import sys
from typing import TYPE_CHECKING

from napari_tiqa.cli.exit_code import cancelled_by_interrupt
from napari_tiqa.cli.output_options import add_output_option, check_outputs
from napari_tiqa.cli.progress_bar import ProgressBar
from napari_tiqa.cli.volume_options import (
    add_region_option,
    add_slices_option,
    add_volume_options,
    chosen_volume,
)

if TYPE_CHECKING:
    import pandas as pd

DESCRIPTION = """\
Measure physical figures of the slices of a tomogram. The table has a row per slice:
  slice      index along the axis, from 0
  position   in the volume's unit
  noise_level  standard deviation of flat regions, grey values
  contrast_to_noise  of the two main phases
  edge_width 10 to 90 %, in the volume's unit
  resolution period of the finest detail resolved (Fourier ring correlation), in the volume's unit
  ring_amplitude  root mean square of the ring artefacts, grey values
  saturated  share of saturated voxels
A figure that cannot be measured is empty.
"""
EXAMPLES = """\
examples:
  measure every tenth slice and keep the table
    napari-tiqa measure scan.tif --slices ::10 -o figures.csv
  print the figures of three slices along y of an HDF5 dataset
    napari-tiqa measure scan.h5 --dataset exchange/data --axis 1 --slices 100,200,300
  inside a region that was painted in napari and saved as a label image
    napari-tiqa measure scan.tif --region labels.tif
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_volume_options(parser, window=False)
    add_slices_option(parser, "measure only these")
    add_region_option(parser)
    add_output_option(
        parser,
        "write the table to this CSV file, and the record of the run to FILE.json; default: the table to "
        "standard output",
        required=False,
    )


def run(options: argparse.Namespace) -> int:
    """Measure, write or print the table, and say how it went."""
    from napari_tiqa.jobs.quality.measure import measure_volume
    from napari_tiqa.scoring.table import record_path, scores_csv, write_scores

    if options.output:
        check_outputs([options.output, record_path(options.output)], options.overwrite)
    volume = chosen_volume(options)
    with cancelled_by_interrupt() as cancel, ProgressBar("slices") as bar:
        table = measure_volume(
            volume,
            slices=options.slices,
            axis=options.axis,
            region=options.region,
            progress=bar.follow("measuring"),
            cancel=cancel,
        )
    if options.output:
        write_scores(table, options.output)
    else:
        print(scores_csv(table), end="")
    print(_summary(table), file=sys.stderr)
    return 0


def _summary(table: "pd.DataFrame") -> str:
    unit = table.attrs["unit"]
    medians = table.median(numeric_only=True)
    figures = [
        f"edge width {medians['edge_width']:.3g} {unit}",
        f"resolution {medians['resolution']:.3g} {unit}",
        f"noise {medians['noise_level']:.3g}",
        f"contrast-to-noise ratio {medians['contrast_to_noise']:.3g}",
        f"{100 * medians['saturated']:.2g} % saturated",
    ]
    return f"Measured {len(table)} slices; medians: {', '.join(figures)}."
