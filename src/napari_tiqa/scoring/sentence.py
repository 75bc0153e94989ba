"""A slice's score in one plain sentence: how good, how sure, what pulls it down, and at which scale."""

import numpy as np

from napari_tiqa.scoring.scale import ARTEFACT_WORDS
from napari_tiqa.scoring.table import ScoredSlice

_HARDLY_ANY = 4.5  # from this score on no artefact is named
_MOST = 2 / 3  # of the points lost: no other artefact is named beside this one
_PART = 1 / 4  # of the points lost: an artefact is named
_APART = 0.5  # points between a slice and its overview: the scale is named
_SCALES = {1: "at full size", 2: "at half size", 4: "at a quarter of the size"}


def score_sentence(row: ScoredSlice) -> str:
    """Say what a row of a score table means, without a full stop, to stand after the slice's name.

    "2.3 ± 0.2, mostly rings" where one artefact alone costs two thirds of the points lost, or no other a
    quarter; "2.3 ± 0.2, rings and noise" where each costs at least a quarter; "4.8 ± 0.2, hardly any
    artefact" from 4.5 on. Where the slice as a whole is better by half a point or more, so that quality is
    lost at another scale: "2.3 ± 0.4, mostly noise at full size; 4.6 as a whole". What the model does not
    know is left out: "2.3". A slice unlike the training images: "unlike anything the model was trained on: do
    not rely on 3.1". A slice without a score: "no score: constant value".
    """
    if not np.isfinite(row.score):
        return f"no score: {row.reason}"
    if row.flagged:
        return f"{row.reason}: do not rely on {row.score:.1f}"
    sentence = f"{row.score:.1f}"
    if np.isfinite(row.uncertainty):
        sentence += f" ± {row.uncertainty:.1f}"
    artefacts = _artefacts(row)
    if row.overview - row.score >= _APART and np.isfinite(row.scale):
        lost = f"{artefacts or 'quality lost'} {_scale(row.scale)}"
        return f"{sentence}, {lost}; {row.overview:.1f} as a whole"
    return f"{sentence}, {artefacts}" if artefacts else sentence


def _scale(factor: float) -> str:
    return _SCALES.get(round(factor), f"at 1/{factor:.3g} of the size")


def _artefacts(row: ScoredSlice) -> str:
    parts = {word: getattr(row, artefact) for artefact, word in ARTEFACT_WORDS.items()}
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
