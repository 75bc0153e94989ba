"""Scores of cases by a model that was not trained on their specimens."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.left_out.cases import Case
from napari_tiqa.scoring.predict import ScoreModel, load_model, predict
from napari_tiqa.scoring.scale import PREDICTED

_AT_ONCE = 512


class Judge:
    """The model at a path, which has not seen `models.specimens.LEFT_OUT`; the default where omitted."""

    def __init__(self, path: Path | None) -> None:
        model = load_model(path)
        if calibration := model.calibration:
            calibration = replace(calibration, expected=calibration.knots)
        self._model = ScoreModel(model.network, calibration)

    def score(self, cases: Sequence[Case]) -> pd.DataFrame:
        """Score every version by the network itself, without a calibration of the score.

        Returns
        -------
        pandas.DataFrame
            The rows of the cases with the columns original (number of the case in this call), score, parts
            and novelty of the overview, and levels: scores of finer levels of the pyramid, as text.
        """
        tiles = np.concatenate([one.tiles for one in cases])
        parts = [tiles[i : i + _AT_ONCE] / np.float32(255) for i in range(0, len(tiles), _AT_ONCE)]
        values = np.concatenate([predict(self._model, part) for part in parts])
        ends = np.cumsum([len(one.tiles) for one in cases])
        tables = [
            _rows(one, values[end - len(one.tiles) : end]).assign(original=number)
            for number, (one, end) in enumerate(zip(cases, ends, strict=True))
        ]
        return pd.concat(tables, ignore_index=True)


def _rows(one: Case, values: np.ndarray) -> pd.DataFrame:
    overview = np.full((len(one.rows), len(PREDICTED)), np.nan)
    levels = [""] * len(one.rows)
    for number in range(len(one.rows)):
        own = one.version == number
        whole = values[own & (one.factor == 0)]
        if len(whole):
            overview[number] = whole.mean(0)
        finer = [factor for factor in np.unique(one.factor[own]) if factor]
        scores = {factor: values[own & (one.factor == factor), 0].mean() for factor in finer}
        levels[number] = " ".join(f"{factor:.0f}:{score:.2f}" for factor, score in scores.items())
    rows = one.rows.assign(**dict(zip(PREDICTED, overview.T, strict=True)), levels=levels)
    return rows.drop(columns="uncertainty")
