"""``napari-tiqa segment``: the verbs of segmentation, a file each (``segment_predict.py`` and so on)."""

import argparse

from napari_tiqa.cli.segment.predict import add_segment_predict_parser
from napari_tiqa.cli.segment.study import add_segment_study_parser
from napari_tiqa.cli.segment.train import add_segment_train_parser


def add_segment_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``segment`` and its subcommands."""
    parser = commands.add_parser(
        "segment",
        help="segment slices into phases, and see where the network is unsure",
        description="Segment slices into phases with D-LinkNet, and see where the network is unsure.",
    )
    # Each subcommand's file has a function that adds its parser here, as those of cli/__init__.py do.
    subcommands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_segment_train_parser(subcommands)
    add_segment_predict_parser(subcommands)
    add_segment_study_parser(subcommands)
