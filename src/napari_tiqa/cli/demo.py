"""``napari-tiqa demo``: open napari with a tomogram and the quality dock, and score it."""

import argparse
import importlib

DESCRIPTION = "Open napari with a tomogram and the quality dock, and score it."
EXAMPLES = """\
examples:
  napari-tiqa demo             the sample tomogram, a simulated battery electrode
  napari-tiqa demo scan.tif
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "volume", metavar="VOLUME", nargs="?", help="a file to open; default: the sample tomogram"
    )


def run(options: argparse.Namespace) -> int:
    """Run the demo."""
    # By name, so that this door to the core never imports napari unless the demo is asked for.
    code: int | None = importlib.import_module("napari_tiqa.widgets.demo").main(options.volume)
    return code or 0
