"""One plain sentence per slice."""

import numpy as np
import pytest

from napari_tiqa.scoring.sentence import score_sentence
from napari_tiqa.scoring.table import UNLIKE_TRAINING, ScoredSlice

NAN = np.nan


@pytest.mark.parametrize(
    ("score", "uncertainty", "parts", "sentence"),
    [
        (2.3, 0.21, (0.1, 0.1, 0.1, 0.0, 0.1, 2.3), "2.3 ± 0.2, mostly over-smoothing"),
        (2.0, 0.5, (0.1, 0.1, 0.1, 1.4, 1.3, 0.0), "2.0 ± 0.5, streaks and shading"),
        (2.3, 0.21, (2.5, 0.1, 0.1), "2.3 ± 0.2, mostly rings"),
        (2.3, 0.21, (1.4, 0.1, 1.2), "2.3 ± 0.2, rings and noise"),
        (2.3, 0.21, (0.1, 1.2, 1.4), "2.3 ± 0.2, noise and blur"),
        (2.0, 0.5, (1.0, 1.0, 1.0), "2.0 ± 0.5, rings, blur and noise"),
        (2.0, 0.5, (0.6, 0.6, 1.8), "2.0 ± 0.5, mostly noise"),
        (4.8, 0.2, (0.2, 0.0, 0.0), "4.8 ± 0.2, hardly any artefact"),
        (5.0, 0.2, (0.0, 0.0, 0.0), "5.0 ± 0.2, hardly any artefact"),
        (2.3, NAN, (0.2, 2.4, 0.1), "2.3, mostly blur"),
        (2.3, NAN, (NAN, NAN, NAN), "2.3"),
    ],
)
def test_score_how_sure_and_why(score: float, uncertainty: float, parts: tuple, sentence: str) -> None:
    parts = (*parts, *(0.0,) * (6 - len(parts)))
    assert score_sentence(ScoredSlice(0, 0.0, score, uncertainty, *parts)) == sentence


@pytest.mark.parametrize(
    ("overview", "scale", "sentence"),
    [
        (4.6, 1, "2.3 ± 0.2, mostly noise at full size; 4.6 as a whole"),
        (4.6, 2, "2.3 ± 0.2, mostly noise at half size; 4.6 as a whole"),
        (4.6, 4, "2.3 ± 0.2, mostly noise at a quarter of the size; 4.6 as a whole"),
        (4.6, 8, "2.3 ± 0.2, mostly noise at 1/8 of the size; 4.6 as a whole"),
        (2.6, 1, "2.3 ± 0.2, mostly noise"),  # about the same at every scale
        (2.1, 3.2, "2.3 ± 0.2, mostly noise"),  # lowest as a whole
        (NAN, NAN, "2.3 ± 0.2, mostly noise"),
    ],
)
def test_the_scale_at_which_quality_is_lost_is_named(overview: float, scale: float, sentence: str) -> None:
    row = ScoredSlice(0, 0.0, 2.3, 0.21, 0.1, 0.1, 2.5, 0, 0, 0, overview, scale)
    assert score_sentence(row) == sentence


def test_the_scale_is_named_where_the_parts_are_not_known() -> None:
    row = ScoredSlice(0, 0.0, 2.3, overview=4.6, scale=1)
    assert score_sentence(row) == "2.3, quality lost at full size; 4.6 as a whole"


def test_a_flagged_slice_is_not_to_be_relied_on() -> None:
    row = ScoredSlice(0, 0.0, 3.1, 0.2, 1.5, 0.2, 0.2, reason=UNLIKE_TRAINING)
    assert score_sentence(row) == "unlike anything the model was trained on: do not rely on 3.1"


def test_a_slice_without_a_score_says_why() -> None:
    assert score_sentence(ScoredSlice(0, 0.0, NAN, reason="constant value")) == "no score: constant value"
