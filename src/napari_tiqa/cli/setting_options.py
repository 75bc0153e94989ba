"""Shell options for the settings of a recipe, as their fields describe them."""

import argparse
from collections.abc import Callable, Iterable
from typing import Any

from napari_tiqa.learning.training.settings import Recipe, Setting, settings

_METAVARS = {"encoder_weights": "FILE", "crop": "PX", "learning_rate": "RATE", "dice_weight": "WEIGHT"}


def positive(text: str) -> int:
    """Read a whole number above 0."""
    if not text.strip().isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"must be a positive number, not {text!r}")
    return int(text)


def add_setting_options(
    parser: argparse.ArgumentParser, names: Iterable[str], recipe: Recipe, **others: Recipe
) -> None:
    """Add an option for each setting named; ``--ranking-epochs`` for "ranking_epochs".

    Those that are not given leave no value behind. The recipe's values are named as the defaults; those of
    `others` are the defaults with another option, which is the argument's name.
    """
    described = settings(recipe)
    for name in names:
        setting, value = described[name], getattr(recipe, name)
        default = _default(value, {option: getattr(other, name) for option, other in others.items()})
        form = {"choices": list(setting.choices)} if setting.choices else _number(name, setting, value)
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            default=argparse.SUPPRESS,
            help=f"{setting.help}{default}".replace("%", "%%"),
            **form,
        )


def given_settings(options: argparse.Namespace, recipe: type[Recipe]) -> dict[str, Any]:
    """Return the settings of a recipe that were given as options, by their names."""
    return {name: getattr(options, name) for name in settings(recipe) if hasattr(options, name)}


def _number(name: str, setting: Setting, value: Any) -> dict[str, Any]:
    kind: Callable[[str], Any] = positive if type(value) is int and setting.low == 1 else type(value)
    return {"type": kind, "metavar": _METAVARS.get(name, "SHARE" if isinstance(value, float) else "N")}


def _default(value: Any, others: dict[str, Any]) -> str:
    """Name the values that a setting has where it is not given."""
    if value == "":
        return ""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    further = (f", with --{option} {other}" for option, other in others.items() if other != value)
    return f" (default {text}{''.join(further)})"
