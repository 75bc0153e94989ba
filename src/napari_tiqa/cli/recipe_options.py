"""The options that ``generate`` and ``train`` share, and the recipe that they make."""

import argparse

from napari_tiqa.cli.setting_options import add_setting_options, given_settings
from napari_tiqa.learning.images.observers import OBSERVER_SETS, OBSERVERS
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.learning.training.settings import settings

DEFAULTS = TrainingRecipe(originals=("-",))
"""A recipe with the default of each setting."""


def add_recipe_options(parser: argparse.ArgumentParser) -> None:
    """Add what says which originals to take and how to label their versions."""
    described = settings(TrainingRecipe)
    parser.add_argument(
        "--ratings",
        action="append",
        default=[],
        metavar="CSV",
        help=f"{described['ratings'].help}; may be repeated. Default: every original counts as a 5",
    )
    parser.add_argument(
        "--observers",
        type=_observers,
        default=OBSERVER_SETS["paper"],
        metavar="NAMES",
        help=f"{described['observers'].help}: names with commas between them from {', '.join(OBSERVERS)}, or "
        f"one of the sets {', '.join(map(repr, OBSERVER_SETS))} (default 'paper')",
    )
    add_setting_options(parser, ("slices", "scale", "seed"), DEFAULTS)


def recipe_of(options: argparse.Namespace) -> TrainingRecipe:
    """Make the recipe of what was given; raises TrainingError."""
    given = given_settings(options, TrainingRecipe)
    return TrainingRecipe(tuple(options.inputs), **given | {"ratings": tuple(options.ratings)})


def _observers(text: str) -> tuple[str, ...]:
    names = OBSERVER_SETS.get(text) or tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in OBSERVERS:
            raise argparse.ArgumentTypeError(f"there is no observer {name!r}: {', '.join(OBSERVERS)}")
    return names
