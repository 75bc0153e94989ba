"""Train the bundled fidelity network again, which filters are tuned by, on the scans in a folder."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras

from models.command import run_command
from models.fidelity_training import SETTINGS, train_fidelity
from models.filtered_scans import RING_SWEEPS, SWEEPS, FilteredScan, filtered_scans
from napari_tiqa.cli.progress_bar import ProgressBar
from napari_tiqa.learning.training.card import model_card
from napari_tiqa.scoring.bundle import save_bundle
from napari_tiqa.scoring.fidelity import FIDELITY_MODEL
from napari_tiqa.scoring.scale import SIMILARITIES

_SCALE = (
    f"Estimates of {' and '.join(SIMILARITIES)} to a perfect scan of the same slice, from tiles of 224 px at "
    "native resolution before and after filtering; 1 is a perfect scan."
)
_EVALUATION = "python benchmarks/tuning.py judges the same recipe on specimens left out of training"


def train_fidelity_model(
    data: Path,
    output: str | os.PathLike[str] = FIDELITY_MODEL,
    *,
    advance: Callable[[int, int], None] | None = None,
    report: Callable[[int, int, float], object] | None = None,
) -> dict[str, Any]:
    """Train the bundled fidelity network on all its specimens.

    Parameters
    ----------
    data : pathlib.Path
        Folder with the scans of ``specimens.SCANS``.
    output : path-like
        Where to write the bundle.
    advance : callable, optional
        Called with scans made and scans in all.
    report : callable, optional
        Called after each epoch with the epochs done, all epochs and the loss.

    Returns
    -------
    dict
        The bundle's card.

    Raises
    ------
    TrainingError
        If `data` lacks one of the scans.
    """
    scans = filtered_scans(data, advance)
    return save_fidelity(train_fidelity(scans, report), scans, output)


def save_fidelity(
    network: keras.Model, scans: Sequence[FilteredScan], output: str | os.PathLike[str]
) -> dict[str, Any]:
    """Write the bundle of a network trained on `scans`, and return its card."""
    card = model_card(
        name="napari-tiqa fidelity",
        training={
            "specimens": sorted({scan.specimen for scan in scans}),
            "originals": len(scans),
            "sweeps": sorted({f"{sweep.filter}.{sweep.parameter}" for sweep in (*SWEEPS, *RING_SWEEPS)}),
        },
        settings=SETTINGS,
        evaluation=None,
        score_scale=_SCALE,
    ) | {"evaluation": _EVALUATION}
    save_bundle(output, network, card)
    return card


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``python -m models.fidelity``; returns the exit code."""
    return run_command("fidelity", __doc__, _train, arguments)


def _train(options: argparse.Namespace, bar: ProgressBar) -> dict[str, Any]:
    def report(done: int, epochs: int, loss: float) -> None:
        bar.show("training", done, epochs, figures=f"loss {loss:.3f}")

    return train_fidelity_model(
        options.data, options.output, advance=partial(bar.show, "distorting and filtering"), report=report
    )


if __name__ == "__main__":
    sys.exit(main())
