"""The options that ``generate`` and ``train`` share, and the recipe that they make."""

import argparse
from typing import Any

from napari_tiqa.learning.images.observers import OBSERVER_SETS, OBSERVERS
from napari_tiqa.learning.training.recipe import SCALES, TrainingRecipe


def add_recipe_options(parser: argparse.ArgumentParser) -> None:
    """Add what says which originals to take and how to label their versions."""
    parser.add_argument(
        "--slices",
        type=positive,
        default=1,
        metavar="N",
        help="slices to take from each tomogram (default 1)",
    )
    parser.add_argument(
        "--ratings",
        action="append",
        default=[],
        metavar="CSV",
        help="what people said of the images (image,rater,score,time); may be repeated for several raters. "
        "Default: every original counts as a 5",
    )
    parser.add_argument(
        "--observers",
        type=_observers,
        default=OBSERVER_SETS["paper"],
        metavar="NAMES",
        help="metrics that label the distorted images: names with commas between them from "
        f"{', '.join(OBSERVERS)}, or one of the sets {', '.join(map(repr, OBSERVER_SETS))} (default 'paper')",
    )
    parser.add_argument(
        "--scale",
        choices=SCALES,
        default=SCALES[0],
        help="labels follow the published human scores (default), or each observer's range is spread over "
        "the scale, as in the paper",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="fixes all that is drawn (default 0)"
    )


def recipe_of(options: argparse.Namespace, **further: Any) -> TrainingRecipe:
    """Make the recipe of what was given; raises TrainingError."""
    return TrainingRecipe(
        tuple(options.inputs),
        slices=options.slices,
        ratings=tuple(options.ratings),
        observers=options.observers,
        scale=options.scale,
        seed=options.seed,
        **further,
    )


def positive(text: str) -> int:
    """Read a whole number above 0."""
    if not text.strip().isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return int(text)


def _observers(text: str) -> tuple[str, ...]:
    names = OBSERVER_SETS.get(text) or tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in OBSERVERS:
            raise argparse.ArgumentTypeError(f"there is no observer {name!r}: {', '.join(OBSERVERS)}")
    return names
