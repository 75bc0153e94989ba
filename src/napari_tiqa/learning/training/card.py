"""The card of a model that was trained: what from, how, how well, with which versions."""

from datetime import date
from typing import Any

import keras
import numpy as np
import pandas as pd

from napari_tiqa.version import __version__

_SCORE_SCALE = (
    "5: no visible degradation, 1: worst. Labels follow the published human scores (quality kept per "
    "distortion and level); five full-reference observers give the differences between images."
)


def model_card(
    name: str,
    training: dict[str, Any],
    settings: dict[str, Any],
    evaluation: pd.DataFrame | None,
    score_scale: str = _SCORE_SCALE,
) -> dict[str, Any]:
    """Make a card, JSON-able: what the model was trained on, how, with the seed, and how well.

    The evaluation is a table such as that of ``learning.measures.measures.evaluate``, rounded here to three
    decimals; None where no specimen was left out. `score_scale` says what the scores mean; it is empty for a
    model that gives none.
    """
    scale = {"score_scale": score_scale} if score_scale else {}
    return {
        "name": name,
        "date": date.today().isoformat(),
        **scale,
        "training": training,
        "settings": settings,
        "evaluation": (
            evaluation.round(3).astype(object).where(evaluation.notna(), None).to_dict("records")
            if evaluation is not None
            else "no specimen was left out"
        ),
        "versions": {
            "napari-tiqa": __version__,
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
            "numpy": np.__version__,
        },
    }
