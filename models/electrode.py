"""How the bundled segmenter is trained: simulated electrodes, scanned at all qualities, with known phases."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd

from models.command import run_command
from napari_tiqa.cli.progress_bar import ProgressBar
from napari_tiqa.segmentation.agreement import f1_score, iou_score
from napari_tiqa.segmentation.classes import Classes, LabelledSlice
from napari_tiqa.segmentation.network_input import network_image
from napari_tiqa.segmentation.recipe import SegmentationRecipe
from napari_tiqa.segmentation.segmenter import Segmenter, save_segmenter, segmenter_card
from napari_tiqa.segmentation.uncertainty import found_errors, uncertainty_map
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.simulation.acquisition import Acquisition, acquire
from napari_tiqa.volumes.simulation.microstructures import PHASES, electrode_phases, microstructure
from napari_tiqa.volumes.window_estimate import estimate_window

CLASSES = Classes(tuple(PHASES), tuple(PHASES.values()), unlabelled=0)
"""The two phases of the sample tomogram."""

DOMAIN = (
    "Made for the sample tomogram: simulated battery electrodes of grainy particles in carbon and binder, "
    "256 to 512 px a side. On a real electrode take it for a first look only, and train on a few labelled "
    "slices of your own."
)

RECIPE = SegmentationRecipe(
    crop=224, patches=512, epochs=24, distortions=0.5, contrast=0.3, scale=1.4, validation_share=0
)

TRAINING_SEEDS = range(400)
VALIDATION_SEEDS = range(1000, 1040)

_SIDES = (256, 256, 384, 512)  # px; features scale with the side, as they do with the voxel size
_SCANS = 2  # of each specimen

_GOOD = Acquisition(projections=400, photons=60_000, gain_error=0.001, blur=0.5)
_JUDGED = {
    "good": _GOOD,
    "photon noise": replace(_GOOD, photons=800),
    "gain rings": replace(_GOOD, gain_error=0.03),
    "detector blur": replace(_GOOD, blur=2.5),
    "few projections": replace(_GOOD, projections=48),
    "axis offset": replace(_GOOD, axis_offset=2.0),
}
"""Scans that the finished model is judged on."""


def electrode_slices(seeds: range) -> Iterator[LabelledSlice]:
    """Simulate labelled slices, a few scans of each specimen.

    Parameters
    ----------
    seeds : range
        Of the specimens.

    Yields
    ------
    LabelledSlice
        Labelled inside the reconstruction circle.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for scans in pool.map(_scans, seeds):
            yield from scans


def _scans(seed: int) -> list[LabelledSlice]:
    rng = np.random.default_rng([seed, 5])
    side = _SIDES[seed % len(_SIDES)]
    material = microstructure("electrode", (side, side), seed)
    indices = CLASSES.indices(electrode_phases(material))
    scans = [acquire(material, _any_acquisition(side, rng), rng) for _ in range(_SCANS)]
    return [LabelledSlice(network_image(scan, estimate_window(as_volume(scan))), indices) for scan in scans]


def train_electrode_model(
    output: str | os.PathLike[str],
    report: Callable[[str, float], object],
    recipe: SegmentationRecipe = RECIPE,
    training: range = TRAINING_SEEDS,
    validation: range = VALIDATION_SEEDS,
) -> dict[str, Any]:
    """Train the bundled segmenter. Imports Keras into this process.

    Parameters
    ----------
    output : path-like
        Where to write the bundle.
    report : callable
        Called with what is done, in words, and the share of the work that is done, 0 to 1.
    recipe : SegmentationRecipe
        How to train.
    training, validation : range
        Seeds of the specimens to learn from, and of others to judge by.

    Returns
    -------
    dict
        The bundle's card.

    Raises
    ------
    BundleError
        If the bundle cannot be written.
    """
    import keras

    from napari_tiqa.learning.training.card import model_card
    from napari_tiqa.segmentation.fitting import fit, new_network

    report("Simulating electrodes", 0)
    slices = list(electrode_slices(training))
    keras.utils.set_random_seed(recipe.seed)
    network = new_network(len(CLASSES), recipe)
    segmenter = Segmenter(network, CLASSES)

    def save(evaluation: pd.DataFrame | None, finished: bool) -> None:
        card = model_card(
            name="electrode, two phases",
            training={
                "scans": f"{_specimens(training)}, {_SCANS} scans of each at any quality",
                "left_out": _specimens(validation),
                "finished": finished,
            },
            settings=asdict(recipe),
            evaluation=evaluation,
            score_scale="",
        )
        save_segmenter(output, segmenter, card | {"domain": DOMAIN}, recipe)

    def after_epoch(epoch: int, loss: float, optimizer: object) -> None:
        save(None, finished=False)
        report(f"Epoch {epoch} of {recipe.epochs}, loss {loss:.4f}", epoch / (recipe.epochs + 1))

    fit(network, slices, recipe, after_epoch=after_epoch)
    save(_judge(segmenter, validation), finished=True)
    report("Done", 1)
    return segmenter_card(output)


def _specimens(seeds: range) -> str:
    return f"simulated electrodes, seeds {seeds.start} to {seeds.stop - 1}"


def _judge(segmenter: Segmenter, seeds: range) -> pd.DataFrame:
    """Return the mean agreement with the truth for each kind of scan."""
    rows = []
    for seed in seeds:
        material = microstructure("electrode", (256, 256), seed)
        truth = electrode_phases(material)
        for name, acquisition in _JUDGED.items():
            scan = acquire(material, acquisition, seed)
            image = network_image(scan, estimate_window(as_volume(scan)))
            probabilities = segmenter.probabilities(image)
            found = CLASSES.label_values(probabilities.argmax(0))
            uncertainty, known = uncertainty_map(probabilities), truth > 0
            row = {"scan": name, "f1": f1_score(found, truth, 2), "iou": iou_score(found, truth, 2)}
            row["uncertainty"] = float(uncertainty[known].mean())
            row["found_errors"] = found_errors(uncertainty[known], (found != truth)[known])
            rows.append(row)
    return pd.DataFrame(rows).groupby("scan", sort=False).mean().reset_index()


def _any_acquisition(side: int, rng: np.random.Generator) -> Acquisition:
    """Draw a scan: good, with one strong fault in two scans of three, and with two in a few."""
    full = round(1.25 * side)
    scan = Acquisition(
        projections=full,
        photons=_between(8_000, 3_000_000, rng),
        gain_error=_between(0.0001, 0.004, rng),
        blur=rng.uniform(0.1, 0.8),
        optical_depth=rng.uniform(1.5, 3),
    )
    faults: dict[str, Callable[[], Any]] = {
        "photons": lambda: _between(300, 8_000, rng),
        "gain_error": lambda: _between(0.004, 0.05, rng),
        "gain_drift": lambda: _between(0.004, 0.05, rng),
        "blur": lambda: _between(0.8, 4, rng) * side / 256,
        "projections": lambda: round(_between(0.1, 0.8, rng) * full),
        "axis_offset": lambda: rng.uniform(-2.5, 2.5),
    }
    for name in rng.permutation(list(faults))[: rng.choice(3, p=(0.33, 0.52, 0.15))]:
        scan = replace(scan, **{str(name): faults[name]()})
    return scan


def _between(low: float, high: float, rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``python -m models.electrode``; returns the exit code. Takes half an hour on two cores."""
    return run_command("electrode", __doc__, _train, arguments, needs_data=False)


def _train(options: argparse.Namespace, bar: ProgressBar) -> dict[str, Any]:
    return train_electrode_model(
        options.output, lambda stage, share: bar.show(stage, round(100 * share), 100)
    )


if __name__ == "__main__":
    sys.exit(main())
