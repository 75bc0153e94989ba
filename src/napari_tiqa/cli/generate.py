"""``napari-tiqa generate``: make distorted, labelled versions of good images, as a dataset folder."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from napari_tiqa.cli.recipe_options import add_recipe_options, recipe_of
from napari_tiqa.learning.images.dataset import check_free, write_dataset
from napari_tiqa.learning.training.generation import generate

_GENERATE_EXAMPLES = """\
examples:
  napari-tiqa generate good/*.tif -o dataset           sixteen versions of each image, labelled
  napari-tiqa generate session -o dataset              of the images of a rated session, from what people said
  napari-tiqa train dataset -o mine.tiqa               train on them
  napari-tiqa evaluate mine.tiqa dataset               judge a model on them
"""


def add_generate_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``generate``."""
    parser = commands.add_parser(
        "generate",
        help="make distorted, labelled versions of good images",
        description="Make the sixteen versions of each original (itself, and blur, noise and rings at five "
        "levels), label them, and write them to a dataset folder to train on or to judge a model with.",
        epilog=_GENERATE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="+",
        help="images, tomograms, folders, rated sessions; at least 5 images",
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FOLDER", help="dataset folder to make"
    )
    add_recipe_options(parser)
    parser.set_defaults(run=_generate)


def _generate(options: argparse.Namespace) -> int:
    recipe = recipe_of(options)
    check_free(options.output)
    # A log file gets a line now and then, a terminal a bar.
    interval = 0.1 if sys.stderr.isatty() else 30
    with tqdm(desc="reading", unit=" images", file=sys.stderr, mininterval=interval, leave=False) as bar:

        def advance(done: int, images: int) -> None:
            if images and bar.total is None:
                bar.total = images
                bar.set_description("distorting and labelling")
            bar.update(done - bar.n)

        made = generate(recipe, advance)
    record = {"recipe": asdict(recipe), "warnings": made.warnings}
    write_dataset(options.output, made.dataset, record)
    for warning in made.warnings:
        print(f"Note: {warning}", file=sys.stderr)
    images = sum(len(group.images) for group in made.dataset.groups)
    print(
        f"Wrote {options.output}: {images} images of {len(made.dataset.groups)} originals.", file=sys.stderr
    )
    return 0
