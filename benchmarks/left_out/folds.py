"""Scores of cases by the models that did not train on their specimens."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.left_out.cases import Case
from models.specimens import folds
from napari_tiqa.scoring.predict import ScoreModel, load_model, predict
from napari_tiqa.scoring.scale import PREDICTED

FOLDS = 3
_AT_ONCE = 512


class FoldModels:
    """The models of a folder, fold_1.tiqa to fold_3.tiqa; without a folder the default model for all."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._fold = {name: i + 1 for i, names in enumerate(folds(FOLDS)) for name in names}
        self._loaded: dict[int, ScoreModel] = {}

    def fold(self, specimen: str) -> int:
        """Return the number of the fold that has not seen a specimen; 1 for what is no real specimen."""
        return self._fold.get(specimen, 1)

    def score(self, cases: Sequence[Case]) -> pd.DataFrame:
        """Score every version by the network itself, without a calibration of the score.

        Returns
        -------
        pandas.DataFrame
            The rows of the cases with the columns fold, original (number of the case in this call), score,
            parts and novelty of the overview, and levels: scores of finer levels of the pyramid, as text.
        """
        numbered = list(enumerate(cases))
        tables = []
        for fold in range(1, FOLDS + 1):
            chosen = [(number, one) for number, one in numbered if self.fold(one.specimen) == fold]
            if not chosen:
                continue
            tiles = np.concatenate([one.tiles for _, one in chosen])
            values = np.concatenate(
                [
                    predict(self._model(fold), tiles[i : i + _AT_ONCE] / np.float32(255))
                    for i in range(0, len(tiles), _AT_ONCE)
                ]
            )
            start = 0
            for number, one in chosen:
                own = values[start : start + len(one.tiles)]
                start += len(one.tiles)
                tables.append(_rows(one, own).assign(fold=fold, original=number))
        return pd.concat(tables, ignore_index=True)

    def _model(self, fold: int) -> ScoreModel:
        # One model for all is loaded once.
        key = fold if self._folder else 0
        if key not in self._loaded:
            model = load_model(self._folder / f"fold_{fold}.tiqa" if self._folder else None)
            calibration = model.calibration
            if calibration:
                calibration = replace(calibration, expected=calibration.knots)
            self._loaded[key] = ScoreModel(model.network, calibration)
        return self._loaded[key]


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
