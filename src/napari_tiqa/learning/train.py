"""From files to a model bundle: a user's own images, or the default recipe."""

import os
from collections.abc import Callable, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from napari_tiqa.errors import TrainingError
from napari_tiqa.learning import default_recipe
from napari_tiqa.learning.evaluation import evaluate
from napari_tiqa.learning.groups import Group, distortion_group
from napari_tiqa.learning.labels import LabelProjection, make_and_observe
from napari_tiqa.learning.training import MIN_ORIGINALS, Report, rank, regress
from napari_tiqa.scoring.backbone import build_network, load_imagenet
from napari_tiqa.scoring.bundle import DEFAULT_MODEL, save_bundle
from napari_tiqa.scoring.network_input import prepare_slice
from napari_tiqa.scoring.predict import predict_scores
from napari_tiqa.volumes.open import open_volume
from napari_tiqa.volumes.window import estimate_window

Advance = Callable[[int, int], None]
"""Called with what is done and what there is in all."""

DEFAULT_EVALUATION = DEFAULT_MODEL.with_name("default_evaluation.csv")
"""What benchmarks/leave_specimens_out.py found for the default recipe; the default model's card quotes it."""

_SCORE_SCALE = (
    "5: no visible degradation, 1: worst. Labels follow the published human scores (quality kept per "
    "distortion and level); five full-reference observers give the differences between images."
)
_HELD_OUT = 5  # every fifth scan


def train_on_files(
    paths: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    slices: int = 1,
    ranking_epochs: int = 30,
    regression_epochs: int = 20,
    seed: int = 0,
    advance: Advance | None = None,
    report: Report | None = None,
) -> dict[str, Any]:
    """Train a model on images or tomograms of your own, labelled by the observers.

    The settings of both stages are the paper's. With ten scans or more every fifth is left out of training
    and judged; the card has the result.

    Parameters
    ----------
    paths : sequence of path-like
        What ``open_volume`` opens; good slices, since each is taken for a 5.
    output : path-like
        Where to write the bundle.
    slices : int
        Slices to take from each tomogram, evenly spaced along z.
    ranking_epochs, regression_epochs : int
        Passes of the two stages.
    seed : int
        Fixes distortions, order and initial weights.
    advance : callable, optional
        Called as the distorted images are made and labelled.
    report : callable, optional
        Called after each epoch.

    Returns
    -------
    dict
        The bundle's card.

    Raises
    ------
    VolumeError
        If a file cannot be opened.
    TrainingError
        With fewer than 5 originals.
    """
    originals = [(str(path), tile) for path in paths for tile in _originals(path, slices)]
    if len(originals) < MIN_ORIGINALS:
        raise TrainingError(
            f"{len(originals)} originals are too few to learn from: give at least {MIN_ORIGINALS} images, or "
            "take more slices of each tomogram."
        )

    def make(number: int) -> Group:
        name, tile = originals[number]
        return distortion_group(name, tile, seed + number)

    groups, damages = make_and_observe(make, len(originals), advance)
    projection = LabelProjection.from_levels(groups, damages)
    groups = [g.with_labels(projection.labels(g, d)) for g, d in zip(groups, damages, strict=True)]
    scans = list(dict.fromkeys(group.specimen for group in groups))
    held = scans[_HELD_OUT - 1 :: _HELD_OUT] if len(scans) >= 2 * _HELD_OUT else []
    training = [group for group in groups if group.specimen not in held]

    keras.utils.set_random_seed(seed)
    network = build_network()
    load_imagenet(network)
    rank(network, training, epochs=ranking_epochs, seed=seed, report=report)
    regress(network, training, epochs=regression_epochs, seed=seed + 1, report=report)
    judged = [group for group in groups if group.specimen in held]
    scores = [predict_scores(network, group.tiles()) for group in judged]
    card = _card(
        name=Path(output).stem,
        training={"scans": scans, "originals": len(groups), "left_out": held},
        settings={
            "ranking": {"epochs": ranking_epochs},
            "regression": {"epochs": regression_epochs},
            "seed": seed,
        },
        evaluation=evaluate(judged, scores) if judged else None,
    )
    save_bundle(output, network, card)
    return card


def train_default_model(
    data: Path,
    output: str | os.PathLike[str] = DEFAULT_MODEL,
    *,
    advance: Advance | None = None,
    report: Report | None = None,
) -> dict[str, Any]:
    """Train the bundled default model again, by the default recipe on all its specimens.

    Parameters
    ----------
    data : pathlib.Path
        Folder with the scans of ``default_recipe.SCANS``.
    output : path-like
        Where to write the bundle.
    advance, report
        As in ``train_on_files``.

    Returns
    -------
    dict
        The bundle's card. Its evaluation is that of the recipe on specimens left out of training
        (benchmarks/leave_specimens_out.py), since this model has seen them all.

    Raises
    ------
    TrainingError
        If `data` lacks one of the scans.
    """
    groups, projection = default_recipe.default_groups(data, advance)
    composites = default_recipe.composite_groups(data, projection, advance)
    network = default_recipe.train_default(default_recipe.teachable([*groups, *composites]), report)
    card = _card(
        name="napari-tiqa default",
        training={
            "scans": [scan.path for scan in default_recipe.SCANS],
            "simulated": sorted({g.specimen for g in groups if g.specimen.startswith("simulated")}),
            "originals": sum("ring" in group.families for group in groups),
            "originals_scanned_again": sum("gain rings" in group.families for group in groups),
        },
        settings=default_recipe.SETTINGS,
        evaluation=pd.read_csv(DEFAULT_EVALUATION) if DEFAULT_EVALUATION.exists() else None,
    )
    save_bundle(output, network, card)
    return card


def _originals(path: str | os.PathLike[str], slices: int) -> list[np.ndarray]:
    volume = open_volume(path).tomogram()
    window = estimate_window(volume)
    count = volume.slice_count(0)
    places = (np.arange(min(slices, count)) + 0.5) / min(slices, count) * count
    return [tile for place in places for tile in prepare_slice(volume.slice(0, int(place)), window).tiles]


def _card(
    name: str, training: dict[str, Any], settings: dict[str, Any], evaluation: pd.DataFrame | None
) -> dict[str, Any]:
    return {
        "name": name,
        "date": date.today().isoformat(),
        "score_scale": _SCORE_SCALE,
        "training": training,
        "settings": settings,
        "evaluation": (
            evaluation.round(3).astype(object).where(evaluation.notna(), None).to_dict("records")
            if evaluation is not None
            else "no specimen was left out"
        ),
        "versions": {
            "napari-tiqa": version("napari-tiqa"),
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
            "numpy": np.__version__,
        },
    }
