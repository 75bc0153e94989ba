"""``napari-tiqa demo``: open napari with a tomogram and the quality dock, and score it."""

import argparse
import importlib


def add_demo_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``demo``."""
    parser = commands.add_parser(
        "demo",
        help="open napari with a tomogram and the quality dock, and score it",
        description="Open napari with a tomogram and the quality dock, and score it.",
    )
    parser.add_argument(
        "volume", metavar="VOLUME", nargs="?", help="a file to open; default: the sample tomogram"
    )
    parser.set_defaults(run=_demo)


def _demo(options: argparse.Namespace) -> int:
    # By name, so that this door to the core never imports napari unless the demo is asked for.
    code: int | None = importlib.import_module("napari_tiqa.widgets.demo").main(options.volume)
    return code or 0
