"""How far off a model is on images that it was not trained on, and what it has been trained on."""

from collections.abc import Sequence

import keras
import numpy as np
from numpy.polynomial import Polynomial

from napari_tiqa.learning.images.groups import Group
from napari_tiqa.learning.training.familiarity import familiarity
from napari_tiqa.scoring.calibration import Calibration
from napari_tiqa.scoring.predict import predict_scores
from napari_tiqa.scoring.scale import SCORE_RANGE

COVERAGE = 0.9
"""Share of left-out labels that the interval around a score is to hold."""

KNOTS = np.arange(1.0, 5.01, 0.5)
"""What a network may say, where its scale is found."""

_FEWEST = 30
_NEIGHBOURS = 0.25


def calibrate(network: keras.Model, training: Sequence[Group], left_out: Sequence[Group] = ()) -> Calibration:
    """Learn how far to trust a network that was trained on `training`, whose images count as familiar.

    `left_out` are labelled groups of specimens that the network was not trained on. With fewer than 30 labels
    the scores stay what the network says, and their uncertainty unknown (NaN).
    """
    scores = [predict_scores(network, group.tiles()) for group in left_out]
    labels = [group.labels for group in left_out]
    nothing = np.empty(0)
    scale = score_scale(np.concatenate([nothing, *scores]), np.concatenate([nothing, *labels]))
    return Calibration(KNOTS, *scale, *familiarity(network, training))


def score_scale(raw: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find what labels are where the network says 1, 1.5 ... 5, and how far they scatter, each of shape (9,).

    Their mean is a parabola through all of them, made never to fall. Their scatter, in points, is what
    conformal prediction (Vovk et al. 2005; Lei et al. 2018, doi 10.1080/01621459.2017.1307116) takes: the
    distance that nine of ten labels keep, among the quarter of the images of which the network says most
    alike. With fewer than 30 labels these are `KNOTS` and NaN. The network was not trained on these images;
    labels may be NaN.
    """
    known = np.isfinite(labels)
    raw, labels = raw[known], labels[known]
    if len(raw) < _FEWEST or np.ptp(raw) == 0:
        return KNOTS, np.full(len(KNOTS), np.nan)
    expected = np.maximum.accumulate(np.clip(Polynomial.fit(raw, labels, 2)(KNOTS), *SCORE_RANGE))
    missed = np.abs(labels - np.interp(raw, KNOTS, expected))
    count = max(_FEWEST, round(_NEIGHBOURS * len(raw)))
    nearest = np.argsort(np.abs(raw - KNOTS[:, None]), axis=1, kind="stable")[:, :count]
    rank = min(count, int(np.ceil(COVERAGE * (count + 1))))
    return expected, np.sort(missed[nearest], axis=1)[:, rank - 1]
