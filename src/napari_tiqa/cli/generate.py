"""``napari-tiqa generate``: make distorted, labelled versions of good images, as a dataset folder."""

import argparse
import sys
from dataclasses import asdict

from napari_tiqa.cli.output_options import add_output_option
from napari_tiqa.cli.progress_bar import ProgressBar
from napari_tiqa.cli.recipe_options import add_recipe_options, recipe_of

DESCRIPTION = """\
Make the sixteen versions of each original (itself, and blur, noise and rings at five levels), label them, and
write them to a dataset folder to train on or to judge a model with.
"""
EXAMPLES = """\
examples:
  napari-tiqa generate good/*.tif -o dataset           sixteen versions of each image, labelled
  napari-tiqa generate session -o dataset              of the images of a rated session, from its ratings
  napari-tiqa train dataset -o mine.tiqa               train on them
  napari-tiqa evaluate dataset --model mine.tiqa       judge a model on them
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="+",
        help="images, tomograms, folders, rated sessions; at least 5 images",
    )
    add_output_option(parser, "dataset folder to make", metavar="FOLDER", overwrite=None)
    add_recipe_options(parser)


def run(options: argparse.Namespace) -> int:
    """Make the dataset, write it, and say how large it is."""
    from napari_tiqa.learning.images.dataset import check_free, write_dataset
    from napari_tiqa.learning.training.generation import generate

    recipe = recipe_of(options)
    check_free(options.output)
    with ProgressBar("images") as bar:
        made = generate(
            recipe,
            lambda done, total: bar.show("distorting and labelling" if total else "reading", done, total),
        )
    record = {"recipe": asdict(recipe), "warnings": made.warnings}
    write_dataset(options.output, made.dataset, record)
    for warning in made.warnings:
        print(f"Note: {warning}", file=sys.stderr)
    groups = made.dataset.groups
    images = sum(len(group.images) for group in groups)
    print(f"Wrote {options.output}: {images} images of {len(groups)} originals.", file=sys.stderr)
    return 0
