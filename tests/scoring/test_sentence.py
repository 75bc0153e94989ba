"""One plain sentence per slice."""

import numpy as np
import pytest

from napari_tiqa.scoring.sentence import score_sentence
from napari_tiqa.scoring.table import UNLIKE_TRAINING, ScoredSlice

NAN = np.nan


@pytest.mark.parametrize(
    ("score", "uncertainty", "parts", "sentence"),
    [
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
    assert score_sentence(ScoredSlice(0, 0.0, score, uncertainty, *parts)) == sentence


def test_a_flagged_slice_is_not_to_be_relied_on() -> None:
    row = ScoredSlice(0, 0.0, 3.1, 0.2, 1.5, 0.2, 0.2, UNLIKE_TRAINING)
    assert score_sentence(row) == "unlike anything the model was trained on: do not rely on 3.1"


def test_a_slice_without_a_score_says_why() -> None:
    assert score_sentence(ScoredSlice(0, 0.0, NAN, reason="constant value")) == "no score: constant value"
