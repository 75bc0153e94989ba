"""``napari-tiqa segment train``: train a segmenter from an image and its labels."""

import argparse
from dataclasses import replace

from napari_tiqa.cli.exit_code import cancelled_by_interrupt
from napari_tiqa.cli.output_options import add_model_output_options, chosen_run_folder, tell_trained
from napari_tiqa.cli.progress_bar import ProgressBar
from napari_tiqa.cli.setting_options import add_setting_options, given_settings
from napari_tiqa.cli.volume_options import (
    add_labels_options,
    add_volume_options,
    chosen_labels,
    chosen_volume,
    chosen_window,
)
from napari_tiqa.jobs.segmentation.train import train_segmenter
from napari_tiqa.scoring.bundle import SEGMENTATION
from napari_tiqa.segmentation.progress import SegmentProgress
from napari_tiqa.segmentation.recipe import PAPER, SegmentationRecipe

DESCRIPTION = """\
Train D-LinkNet on an image and its labels: the phases that it then segments, and how unsure it is of them.
A few strokes of each class in a few slices are enough; a share of them is left out to judge each epoch.
"""
EXAMPLES = """\
examples:
  napari-tiqa segment train scan.tif labels.tif -o phases.tiqa      minutes on two cores
  a mask, in which 0 is a class like any other
    napari-tiqa segment train slice.tif mask.tif -o cell.tiqa --unlabelled none --names winding,foil
  the paper's network and settings, for a GPU
    napari-tiqa segment train scan.h5 labels.h5 -o phases.tiqa --dataset exchange/data --paper
  napari-tiqa segment predict scan.tif --model phases.tiqa -o phases.zarr   segment with it

Ctrl-C keeps the best network so far; run the same command again to resume after the last epoch.
"""
_STAGES = {"prepare": "looking at labels", "train": "training", "judge": "judging"}
_SETTINGS = (
    *("encoder", "epochs", "patches", "crop", "batch", "width", "encoder_weights", "learning_rate"),
    *("dice_weight", "distortions", "validation_share", "seed"),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_volume_options(parser)
    add_labels_options(parser)
    add_model_output_options(parser)
    parser.add_argument(
        "--names", type=_names, metavar="A,B,...", help="names of the classes, in the order of their values"
    )
    parser.add_argument(
        "--validation-labels",
        metavar="LABELS",
        help="other labels of INPUT to judge each epoch with; default: a share of LABELS",
    )
    parser.add_argument(
        "--paper", action="store_true", help="start from the paper's settings: hours on a GPU"
    )
    add_setting_options(parser, _SETTINGS, SegmentationRecipe(), paper=PAPER)


def run(options: argparse.Namespace) -> int:
    """Train, and print the evaluation of the model."""
    preset = PAPER if options.paper else SegmentationRecipe()
    recipe = replace(preset, **given_settings(options, SegmentationRecipe))
    folder = chosen_run_folder(options, SEGMENTATION)
    volume = chosen_volume(options)
    labels = chosen_labels(options)
    with cancelled_by_interrupt() as cancel, ProgressBar("patches") as bar:
        card = train_segmenter(
            volume,
            labels,
            options.output,
            run_folder=folder,
            recipe=recipe,
            unlabelled=options.unlabelled,
            names=options.names,
            axis=options.axis,
            window=chosen_window(options),
            validation_labels=options.validation_labels,
            progress=bar.follow(_STAGES, _figures),
            cancel=cancel,
        )
    return tell_trained(card, f"Wrote {options.output}. {card['domain']}", options)


def _figures(progress: SegmentProgress) -> str:
    return "" if progress.loss is None else f"loss {progress.loss:.3f}, IoU {progress.iou:.3f}"


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]
