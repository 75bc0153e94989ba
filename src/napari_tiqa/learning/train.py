"""The bundled default model, trained again by the default recipe."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from napari_tiqa.learning import default_recipe
from napari_tiqa.learning.card import model_card
from napari_tiqa.learning.training import Report
from napari_tiqa.scoring.bundle import DEFAULT_MODEL, save_bundle

Advance = Callable[[int, int], None]
"""Called with what is done and what there is in all."""

DEFAULT_EVALUATION = DEFAULT_MODEL.with_name("default_evaluation.csv")
"""What benchmarks/leave_specimens_out.py found for the default recipe; the default model's card quotes it."""


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
    advance : callable, optional
        Called as groups are made.
    report : callable, optional
        Called after each epoch.

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
    card = model_card(
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
