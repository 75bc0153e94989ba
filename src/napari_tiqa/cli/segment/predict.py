"""``napari-tiqa segment predict``: probabilities, segmentation and uncertainty of a volume."""

import argparse
import sys
from functools import reduce
from operator import add

from napari_tiqa.cli.exit_code import cancelled_by_interrupt
from napari_tiqa.cli.output_options import add_output_option
from napari_tiqa.cli.progress_bar import ProgressBar
from napari_tiqa.cli.volume_options import (
    add_model_option,
    add_scheduler_option,
    add_slices_option,
    add_volume_options,
    chosen_volume,
    chosen_window,
)

DESCRIPTION = """\
Segment the slices of a tomogram with a trained model. OUT.zarr holds OME-Zarr images with the voxel size and
the unit of INPUT:
  probability   of each class, 0 to 1; NaN where not segmented
  segmentation  the label value of the class; 0 where not segmented
  uncertainty   entropy in nats, 0 (certain) to ln(classes); with --uncertainty
The table has a row per slice: its index, its position in the volume's unit, the share of each class
(of the content, without padding), the least and largest share it may be as far as the network is uncertain,
its mean uncertainty and, with --truth, IoU and F1, means over the classes.
"""
EXAMPLES = """\
examples:
  napari-tiqa segment predict scan.tif --model phases.tiqa -o phases.zarr --uncertainty > slices.csv
  the bundled model for battery electrodes, compared with labels
    napari-tiqa segment predict scan.tif -o phases.zarr --truth labels.tif
  every tenth slice of one dataset of an HDF5 file
    napari-tiqa segment predict scan.h5 --dataset exchange/data --model phases.tiqa -o part.zarr --slices ::10
  look at segmentation and uncertainty
    napari phases.zarr

Ctrl-C keeps the slices that are done; run the same command again to resume. Another --threshold or
--uncertainty later does not need the network.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_scheduler_option(parser)
    add_volume_options(parser)
    add_model_option(
        parser,
        "a segmenter (.tiqa), as napari-tiqa segment train writes it",
        bundled="the bundled one for battery electrodes",
    )
    add_output_option(
        parser,
        "folder to write: a new one, or one that an earlier run with the same model has begun",
        metavar="OUT.zarr",
        overwrite=None,
    )
    add_slices_option(parser, "segment only these")
    parser.add_argument(
        "--uncertainty", action="store_true", help="also write how uncertain the network is at each pixel"
    )
    parser.add_argument(
        "--threshold",
        type=float,
        default=0.5,
        metavar="P",
        help="of two classes, take the second where its probability reaches this (default 0.5)",
    )
    parser.add_argument(
        "--truth",
        metavar="LABELS",
        help="compare with these labels of the same voxels, which may be sparse: IoU and F1 of each slice, "
        "and of each class over all of them",
    )
    parser.add_argument("--again", action="store_true", help="segment also slices that are already segmented")


def run(options: argparse.Namespace) -> int:
    """Segment, write images, print the table, and compare with labels where they are given."""
    import pandas as pd

    from napari_tiqa.jobs.process.client import shared_model_process
    from napari_tiqa.jobs.segmentation.agreement import confusions, fitting_truth, trained_slices
    from napari_tiqa.jobs.segmentation.images import write_images
    from napari_tiqa.jobs.segmentation.predict import segment
    from napari_tiqa.jobs.segmentation.result import check_threshold
    from napari_tiqa.segmentation.agreement import agreement_of
    from napari_tiqa.segmentation.segmenter import classes_of, segmenter_card
    from napari_tiqa.segmentation.trained_on import trained_sentence

    check_threshold(options.threshold)
    volume = chosen_volume(options)
    with cancelled_by_interrupt() as cancel, ProgressBar("slices") as bar:
        truth = None
        if options.truth:
            card = segmenter_card(options.model)
            classes = classes_of(card)
            truth = fitting_truth(options.truth, volume, classes, options.slices, options.axis, cancel)
        segmentation = segment(
            volume,
            slices=options.slices,
            axis=options.axis,
            model=options.model,
            window=chosen_window(options),
            output=options.output,
            again=options.again,
            client=options.client,
            progress=bar.follow("segmenting"),
            cancel=cancel,
        )
        count = len(segmentation.done)
        write_images(
            segmentation,
            options.output,
            threshold=options.threshold,
            uncertainty=options.uncertainty,
            progress=lambda done: bar.show("writing images", done, count),
            cancel=cancel,
        )
        table = segmentation.table()
        if truth:
            compared = confusions(segmentation, truth, options.slices, options.threshold, cancel)
            means = {index: agreement_of(counts).loc["mean"] for index, counts in compared.items()}
            learned = trained_slices(truth, volume, card, compared, options.axis, cancel)
            table = table.join(pd.DataFrame(means).T[["iou", "f1"]], on="slice")
    if truth:
        print(agreement_of(reduce(add, compared.values())).to_string(float_format="%.3f"), file=sys.stderr)
        if caution := trained_sentence(learned, len(compared)):
            print(f"Warning: {caution}", file=sys.stderr)
    print(table.to_csv(index=False, float_format="%.6g"), end="")
    device = shared_model_process().device
    print(
        f"{len(table)} of {count} slices are segmented ({device or 'no network needed'}): "
        f"mean uncertainty {table['uncertainty'].mean():.3f} nats. Wrote {options.output}.",
        file=sys.stderr,
    )
    return 0
