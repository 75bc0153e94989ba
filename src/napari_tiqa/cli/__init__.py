"""The shell's door: ``napari-tiqa COMMAND``; parses, calls the core, prints. One file a command.

Results go to standard output, everything for people to standard error. Exit code 0: done; 1: the model
process failed; 2: something the user can put right; 130: interrupted. A command's file is imported only when
that command is given, so that ``napari-tiqa --help`` answers at once.
"""

import argparse
import re
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

from napari_tiqa.cli.exit_code import exit_code
from napari_tiqa.errors import VolumeWarning
from napari_tiqa.version import __version__


@dataclass(frozen=True)
class Command:
    """A command, or a group of them.

    Attributes
    ----------
    name, help : str
        As ``--help`` lists it.
    home : str or tuple of Command
        Its module under ``napari_tiqa.cli``, with ``DESCRIPTION``, ``EXAMPLES``, ``add_options(parser)`` and
        ``run(options)``, which returns the exit code; or the commands of the group.
    aliases : tuple of str
        Other names.
    """

    name: str
    help: str
    home: "str | tuple[Command, ...]"
    aliases: tuple[str, ...] = ()


COMMANDS = (
    Command("score", "score the slices of a tomogram", "score"),
    Command("map", "map where in one slice quality is lost", "map"),
    Command("measure", "measure noise, contrast, edge width, resolution and rings", "measure"),
    Command("tune", "tune filters against the score", "tune"),
    Command("compare", "compare pipelines of filters on the same slices", "compare"),
    Command("export", "apply a pipeline of filters to a volume", "export", ("filter",)),
    Command(
        "segment",
        "segment slices into phases, and see where the network is unsure",
        (
            Command("train", "train a model on an image and its labels", "segment.train"),
            Command("predict", "segment the slices of a volume", "segment.predict"),
            Command("study", "see what image quality does to a segmentation", "segment.study"),
        ),
    ),
    Command("generate", "make distorted, labelled versions of good images", "generate"),
    Command("train", "train a model on your own good images", "train"),
    Command("evaluate", "judge a model on labelled images, beside baselines", "evaluate"),
    Command("demo", "open napari with a tomogram and the quality dock, and score it", "demo"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = _mark_numbers(sys.argv[1:] if arguments is None else arguments)
    options = parser_for(given).parse_args(given)
    with warnings.catch_warnings():
        warnings.filterwarnings("default", category=VolumeWarning)
        warnings.showwarning = partial(_show, otherwise=warnings.showwarning)
        return exit_code(lambda: options.run(options))


def _show(message: Any, category: type[Warning], *where: Any, otherwise: Any, **more: Any) -> None:
    """Tell of what a reader had to guess as of other things, without the place in our code."""
    if issubclass(category, VolumeWarning):
        print(f"Note: {message}", file=sys.stderr)
    else:
        otherwise(message, category, *where, **more)


def parser_for(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of the command line, with the options of the command that the arguments name."""
    parser = argparse.ArgumentParser(
        prog="napari-tiqa",
        description="Image quality of X-ray tomograms: a score from 1 (worst) to 5 (best) for every slice.",
    )
    parser.add_argument("--version", action="version", version=f"napari-tiqa {__version__}")
    _add_commands(parser, COMMANDS, [word for word in arguments if not word.startswith("-")])
    return parser


def _add_commands(parser: argparse.ArgumentParser, commands: Sequence[Command], words: Sequence[str]) -> None:
    """Add commands by name; only the one that the first word names gets its options."""
    parsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in commands:
        names = (command.name, *command.aliases)
        subparser = parsers.add_parser(
            command.name,
            aliases=command.aliases,
            help=command.help,
            description=f"{command.help[0].upper()}{command.help[1:]}.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if not words or words[0] not in names:
            continue
        if isinstance(command.home, str):
            module = import_module(f"{__name__}.{command.home}")
            subparser.description, subparser.epilog = module.DESCRIPTION, module.EXAMPLES
            subparser.set_defaults(run=module.run)
            module.add_options(subparser)
        else:
            _add_commands(subparser, command.home, words[1:])


def _mark_numbers(arguments: Sequence[str]) -> list[str]:
    """Keep argparse from taking ``-1e-4`` or ``-10:`` for options: with a blank before it, it does not."""
    return [f" {argument}" if re.match(r"-\.?\d", argument) else argument for argument in arguments]
