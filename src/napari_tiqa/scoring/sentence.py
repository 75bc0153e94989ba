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
    artefacts, where = _artefacts(row), where_lost(row)
    lost = f"{artefacts or 'quality lost'} {where}" if where else artefacts
    return f"{score_figure(row)}, {lost}" if lost else score_figure(row)


def score_figure(row: ScoredSlice) -> str:
    """Return a row's score with what is known of its uncertainty: "2.3 ± 0.2"."""
    return f"{row.score:.1f}" + (f" ± {row.uncertainty:.1f}" if np.isfinite(row.uncertainty) else "")


def where_lost(row: ScoredSlice) -> str:
    """Return the scale at which quality is lost, where the slice as a whole is better by half a point.

    "at full size; 4.6 as a whole", else "".
    """
    if not (row.overview - row.score >= _APART and np.isfinite(row.scale)):
        return ""
    scale = _SCALES.get(round(row.scale), f"at 1/{row.scale:.3g} of the size")
    return f"{scale}; {row.overview:.1f} as a whole"


def named_artefacts(row: ScoredSlice) -> list[str]:
    """Return which of ``scale.ARTEFACTS`` a row's sentence names, the worst first.

    One that costs two thirds of the points lost stands alone, else each that costs at least a quarter; none
    from 4.5 on, and none where the parts are not known.
    """
    parts = {artefact: getattr(row, artefact) for artefact in ARTEFACT_WORDS}
    lost = sum(parts.values())
    if not np.isfinite(lost) or row.score >= _HARDLY_ANY or lost <= 0:
        return []
    worst_first = sorted(parts, key=lambda artefact: -parts[artefact])
    named = [artefact for artefact in worst_first if parts[artefact] >= _PART * lost]
    return worst_first[:1] if len(named) == 1 or parts[worst_first[0]] >= _MOST * lost else named


def _artefacts(row: ScoredSlice) -> str:
    if not np.isfinite(sum(getattr(row, artefact) for artefact in ARTEFACT_WORDS)):
        return ""
    words = [ARTEFACT_WORDS[artefact] for artefact in named_artefacts(row)]
    if not words:
        return "hardly any artefact"
    if len(words) == 1:
        return f"mostly {words[0]}"
    return " and ".join([", ".join(words[:-1]), words[-1]])
