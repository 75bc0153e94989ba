"""The options that say which labels an image has: the same where they are learned from and compared with."""

import argparse

from napari_tiqa.volumes.open import open_volume
from napari_tiqa.volumes.volume import Volume


def add_labels_options(parser: argparse.ArgumentParser) -> None:
    """Add LABELS and the options that go with it."""
    parser.add_argument("labels", metavar="LABELS", help="a whole number per pixel of INPUT: its class")
    parser.add_argument(
        "--labels-dataset", metavar="NAME", help="dataset of LABELS inside an HDF5 or Zarr file"
    )
    parser.add_argument(
        "--unlabelled",
        type=_label,
        default=0,
        metavar="N",
        help="label value that means not labelled (default 0); none where every pixel is labelled",
    )


def chosen_labels(options: argparse.Namespace) -> Volume:
    """Open the labels that the options name.

    Raises
    ------
    VolumeError
        As ``open_volume``.
    """
    return open_volume(options.labels, options.labels_dataset)


def _label(text: str) -> int | None:
    if text == "none":
        return None
    if not text.strip().isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is neither a label value nor none")
    return int(text)
