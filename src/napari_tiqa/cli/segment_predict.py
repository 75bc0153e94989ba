"""``napari-tiqa segment predict``: probabilities, segmentation and uncertainty of a volume."""

import argparse


def add_segment_predict_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``segment predict``."""
    commands.add_parser("predict", help="segment the slices of a volume")
