"""``napari-tiqa segment electrode-model``: train the bundled segmenter again."""

import argparse
import sys
from pathlib import Path

import pandas as pd
from tqdm import tqdm


def add_segment_electrode_model_parser(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``segment electrode-model``."""
    parser = commands.add_parser(
        "electrode-model",
        help="train the bundled model again, on simulated electrodes",
        description="Train the bundled segmenter again: the two phases of simulated electrodes, scanned at "
        "all qualities. Takes half an hour on two cores, and needs no data.",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="MODEL", help="bundle to write")
    parser.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> int:
    from napari_tiqa.segmentation.electrode_model import train_electrode_model

    with tqdm(total=1, bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}") as bar:

        def show(said: str, share: float) -> None:
            bar.set_description_str(said, refresh=False)
            bar.update(share - bar.n)

        card = train_electrode_model(options.output, show)
    print(f"Wrote {options.output}. {card['domain']}", file=sys.stderr)
    print(pd.DataFrame(card["evaluation"]).to_string(index=False))
    return 0
