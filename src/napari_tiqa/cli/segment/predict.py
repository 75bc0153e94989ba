"""``napari-tiqa segment predict``: probabilities, segmentation and uncertainty of a volume."""

import argparse
import sys
import threading
from functools import reduce
from operator import add
from pathlib import Path
from typing import NoReturn

import pandas as pd
from tqdm import tqdm

from napari_tiqa.cli.interrupt import cancelled_by_interrupt
from napari_tiqa.cli.volume_options import (
    add_slices_option,
    add_volume_options,
    chosen_volume,
    chosen_window,
)
from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.jobs.segmentation.agreement import confusions, fitting_truth
from napari_tiqa.jobs.segmentation.images import write_images
from napari_tiqa.jobs.segmentation.predict import PredictProgress, segment
from napari_tiqa.jobs.segmentation.result import Segmentation, check_threshold
from napari_tiqa.segmentation.agreement import agreement_of
from napari_tiqa.segmentation.segmenter import classes_of, segmenter_card
from napari_tiqa.volumes.volume import Volume

_DESCRIPTION = """\
Segment the slices of a tomogram with a trained model. OUT.zarr holds OME-Zarr images with the voxel size and
the unit of INPUT:
  probability   of each class, 0 to 1; NaN where not segmented
  segmentation  the label value of the class; 0 where not segmented
  uncertainty   entropy in nats, 0 (sure) to ln(classes); with --uncertainty
The table has a row per slice: its index, its position in the volume's unit, its mean uncertainty, the share
of each class and, with --truth, IoU and F1, means over the classes.
"""
_EXAMPLES = """\
examples:
  napari-tiqa segment predict scan.tif phases.tiqa -o phases.zarr --uncertainty > slices.csv
  napari-tiqa segment predict scan.tif default -o phases.zarr --truth labels.tif
  every tenth slice of one dataset of an HDF5 file
    napari-tiqa segment predict scan.h5 phases.tiqa -o phases.zarr --dataset exchange/data --slices ::10
  look at segmentation and uncertainty
    napari phases.zarr

Ctrl-C keeps the slices that are done; the same command again goes on from there. Another --threshold or
--uncertainty later needs the network no more.
"""


def add_segment_predict_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``segment predict``."""
    parser = commands.add_parser(
        "predict",
        help="segment the slices of a volume",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_volume_options(parser, model=False)
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="a segmenter (.tiqa), as napari-tiqa segment train makes them, or: default, the bundled one for "
        "battery electrodes",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="OUT.zarr",
        help="folder to write: a new one, or one that an earlier run with the same model has begun",
    )
    add_slices_option(parser, "segment only these")
    parser.add_argument(
        "--uncertainty", action="store_true", help="write also how unsure the network is at each pixel"
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
    parser.add_argument("--again", action="store_true", help="segment also slices that are there already")
    parser.set_defaults(run=_predict)


def _predict(options: argparse.Namespace) -> int:
    check_threshold(options.threshold)
    volume, model = chosen_volume(options), None if options.model == "default" else options.model
    with cancelled_by_interrupt() as cancel:
        truth = _truth(volume, model, options, cancel)
        segmentation = _segmented(volume, model, options, cancel)
        _write_images(segmentation, options, cancel)
        table = segmentation.table()
        if truth:
            table = _compared(table, segmentation, truth, options, cancel)
    print(table.to_csv(index=False, float_format="%.6g"), end="")
    device = shared_model_process().device
    print(
        f"{len(table)} of {len(segmentation.done)} slices are segmented ({device or 'no network needed'}): "
        f"mean uncertainty {table['uncertainty'].mean():.3f} nats. Wrote {options.output}.",
        file=sys.stderr,
    )
    return 0


def _truth(
    volume: Volume, model: str | None, options: argparse.Namespace, cancel: threading.Event
) -> Volume | None:
    if not options.truth:
        return None
    classes = classes_of(segmenter_card(model))
    return fitting_truth(options.truth, volume, classes, options.slices, options.axis, cancel)


def _segmented(
    volume: Volume, model: str | None, options: argparse.Namespace, cancel: threading.Event
) -> Segmentation:
    with _bar("starting") as bar:

        def show(progress: PredictProgress) -> None:
            if progress.index is None:
                # Slices of an earlier run say nothing about the speed of this one.
                bar.initial = bar.n = bar.last_print_n = progress.done
                bar.total = progress.total
            elif bar.desc.startswith("starting"):
                bar.set_description("segmenting")  # shows it at once, also in a log file
            bar.update(progress.done - bar.n)

        return segment(
            volume,
            model=model,
            slices=options.slices,
            axis=options.axis,
            window=chosen_window(options),
            output=options.output,
            again=options.again,
            progress=show,
            cancel=cancel,
        )


def _write_images(segmentation: Segmentation, options: argparse.Namespace, cancel: threading.Event) -> None:
    with _bar("writing images", total=len(segmentation.done)) as bar:
        write_images(
            segmentation,
            options.output,
            threshold=options.threshold,
            uncertainty=options.uncertainty,
            progress=lambda done: bar.update(done - bar.n),
            cancel=cancel,
        )


def _compared(
    table: pd.DataFrame,
    segmentation: Segmentation,
    truth: Volume,
    options: argparse.Namespace,
    cancel: threading.Event,
) -> pd.DataFrame:
    """Add the agreement of each slice to the table, and say that of each class."""
    compared = confusions(segmentation, truth, options.slices, options.threshold, cancel)
    means = {index: agreement_of(counts).loc["mean"] for index, counts in compared.items()}
    print(agreement_of(reduce(add, compared.values())).to_string(float_format="%.3f"), file=sys.stderr)
    return table.join(pd.DataFrame(means).T[["iou", "f1"]], on="slice")


def _bar(what: str, total: int | None = None) -> "tqdm[NoReturn]":
    # A log file gets a line now and then, a terminal a bar.
    interval = 0.1 if sys.stderr.isatty() else 30
    return tqdm(desc=what, total=total, unit=" slices", file=sys.stderr, mininterval=interval, leave=False)
