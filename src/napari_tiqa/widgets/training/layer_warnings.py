"""What may spoil a training from layers, known before any time is spent on it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from napari.layers import Layer

from napari_tiqa.learning.images.groups import MIN_ORIGINALS
from napari_tiqa.widgets.shared.result_layers import METADATA_KEY
from napari_tiqa.wording import counted, some

GOOD_ENOUGH = 4.0
"""Score of an original that may count as a 5; below it has faults of its own."""


def kept_score(layer: Layer) -> float | None:
    """Return the mean of the last scores that the quality dock has kept with a layer; None without any."""
    kept: Any = layer.metadata.get(METADATA_KEY)
    runs = kept.get("runs") if isinstance(kept, Mapping) else None
    try:
        known = [score for score in runs[-1]["score"] if score is not None] if runs else []
    except (KeyError, TypeError, IndexError):
        return None
    return float(np.mean(known)) if known else None


def kept_runs(layer: Layer) -> int:
    """Return how many runs the quality dock has kept with a layer."""
    kept: Any = layer.metadata.get(METADATA_KEY)
    runs = kept.get("runs") if isinstance(kept, Mapping) else None
    return len(runs) if isinstance(runs, list) else 0


def layer_warnings(
    layers: Sequence[Layer],
    slices: Sequence[int],
    validation_share: float,
    *,
    rated: bool,
    score_of: Callable[[Layer], float | None] = kept_score,
) -> list[str]:
    """Return sentences on layers to learn from, `slices` of each.

    `rated` says that people have rated them, `score_of` gives the mean score of a layer, None if unknown.
    """
    count = sum(slices)
    warnings = []
    if layers and count < MIN_ORIGINALS:
        warnings.append(
            f"{counted(count, 'slice', ('is', 'are'))} too few to learn from: take at least {MIN_ORIGINALS}, "
            "from more layers or more slices of each."
        )
    elif layers and (validation_share == 0 or _leaves_none(slices)):
        warnings.append(
            "No slice is left to validate with, so nothing will tell how good the model is: take more slices"
            + (", or set “Validate on” above 0 %." if validation_share == 0 else ".")
        )
    faulty = [layer.name for layer in layers if (score := score_of(layer)) and score < GOOD_ENOUGH]
    if faulty and not rated:
        warnings.append(
            f"By their own scores these have faults, which the model would learn as a 5: {some(faulty)}. "
            "Take cleaner scans, or have them rated (“Rate these…”)."
        )
    return warnings


def _leaves_none(slices: Sequence[int]) -> bool:
    """Whether no specimen can be left out: at least 5 originals stay, and specimens are never split."""
    smallest = min(slices) if len(slices) > 1 else 1
    return smallest > sum(slices) - MIN_ORIGINALS
