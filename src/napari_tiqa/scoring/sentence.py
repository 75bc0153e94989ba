"""A slice's score in one plain sentence: how good, how sure, and what pulls it down."""

import numpy as np

from napari_tiqa.scoring.scale import ARTEFACTS
from napari_tiqa.scoring.table import ScoredSlice

_HARDLY_ANY = 4.5  # from this score on no artefact is named
_MOST = 2 / 3  # of the points lost: no other artefact is named beside this one
_PART = 1 / 4  # of the points lost: an artefact is named
_IN_WORDS = {"ring": "rings"}


def score_sentence(row: ScoredSlice) -> str:
    """Say what a row of a score table means, without a full stop, to stand after the slice's name.

    "2.3 ± 0.2, mostly rings" where one artefact alone costs two thirds of the points lost, or no other a
    quarter; "2.3 ± 0.2, rings and noise" where each costs at least a quarter; "4.8 ± 0.2, hardly any
    artefact" from 4.5 on. What the model does not know is left out: "2.3". A slice unlike the training
    images: "unlike anything the model was trained on: do not rely on 3.1". A slice without a score: "no
    score: constant value".
    """
    if not np.isfinite(row.score):
        return f"no score: {row.reason}"
    if row.flagged:
        return f"{row.reason}: do not rely on {row.score:.1f}"
    sentence = f"{row.score:.1f}"
    if np.isfinite(row.uncertainty):
        sentence += f" ± {row.uncertainty:.1f}"
    artefacts = _artefacts(row)
    return f"{sentence}, {artefacts}" if artefacts else sentence


def _artefacts(row: ScoredSlice) -> str:
    parts = {_IN_WORDS.get(artefact, artefact): getattr(row, artefact) for artefact in ARTEFACTS}
    lost = sum(parts.values())
    if not np.isfinite(lost):
        return ""
    if row.score >= _HARDLY_ANY or lost <= 0:
        return "hardly any artefact"
    names = sorted(parts, key=lambda name: -parts[name])
    named = [name for name in names if parts[name] >= _PART * lost]
    if len(named) == 1 or parts[names[0]] >= _MOST * lost:
        return f"mostly {names[0]}"
    return " and ".join([", ".join(named[:-1]), named[-1]])
