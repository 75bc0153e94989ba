"""The shell's door: ``napari-tiqa COMMAND``; parses, calls the core, prints. One file a command.

Results go to standard output, everything for people to standard error. Exit code 0: done; 1: the model
process failed; 2: something the user can put right; 130: interrupted.
"""

import argparse
import re
import sys
from collections.abc import Sequence

from napari_tiqa import __version__
from napari_tiqa.cli.compare import add_compare_parser
from napari_tiqa.cli.demo import add_demo_parser
from napari_tiqa.cli.evaluate import add_evaluate_parser
from napari_tiqa.cli.exit_code import exit_code
from napari_tiqa.cli.filter import add_filter_parser
from napari_tiqa.cli.generate import add_generate_parser
from napari_tiqa.cli.map import add_map_parser
from napari_tiqa.cli.score import add_score_parser
from napari_tiqa.cli.segment import add_segment_parser
from napari_tiqa.cli.train import add_train_parser
from napari_tiqa.cli.tune import add_tune_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = _parser()
    given = _mark_numbers(sys.argv[1:] if arguments is None else arguments)
    options = parser.parse_args(given)
    return exit_code(lambda: options.run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="napari-tiqa",
        description="Image quality of X-ray tomograms: a score from 1 (worst) to 5 (best) for every slice.",
    )
    parser.add_argument("--version", action="version", version=f"napari-tiqa {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_score_parser(commands)
    add_map_parser(commands)
    add_tune_parser(commands)
    add_compare_parser(commands)
    add_filter_parser(commands)
    add_segment_parser(commands)
    add_generate_parser(commands)
    add_train_parser(commands)
    add_evaluate_parser(commands)
    add_demo_parser(commands)
    return parser


def _mark_numbers(arguments: Sequence[str]) -> list[str]:
    """Keep argparse from taking ``-1e-4`` or ``-10:`` for options: with a blank before it, it does not."""
    return [f" {one}" if re.match(r"-\.?\d", one) else one for one in arguments]
