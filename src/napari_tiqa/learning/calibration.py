"""How far off a model is on images that it was not trained on, and what it has been trained on."""

from collections.abc import Sequence

import keras
import numpy as np

from napari_tiqa.learning.groups import Group
from napari_tiqa.scoring.backbone import content_features
from napari_tiqa.scoring.calibration import Calibration
from napari_tiqa.scoring.predict import predict_scores

COVERAGE = 0.9
"""Share of left-out labels that the interval around a score is to hold."""

KNOTS = np.arange(1.0, 5.01, 0.5)
"""Scores at which the interval is found."""

_FEWEST = 30
_NEIGHBOURS = 0.25
_FAMILIAR = 0.98
_DIRECTIONS = 64


def calibrate(network: keras.Model, training: Sequence[Group], left_out: Sequence[Group] = ()) -> Calibration:
    """Learn how far to trust a network.

    Parameters
    ----------
    network : keras.Model
        Trained on `training`.
    training : sequence of Group
        Images that count as familiar.
    left_out : sequence of Group
        Labelled groups of specimens that the network was not trained on. With fewer than 30 labels the
        uncertainty stays unknown (NaN).
    """
    scores = [predict_scores(network, group.tiles()) for group in left_out]
    labels = [group.labels for group in left_out]
    nothing = np.empty(0)
    half_widths = interval(np.concatenate([nothing, *scores]), np.concatenate([nothing, *labels]))
    return Calibration(KNOTS, half_widths, *familiarity(network, training))


def interval(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Find how far labels lie from scores, at each of the scores 1, 1.5 ... 5.

    Conformal prediction (Vovk et al. 2005; Lei et al. 2018, doi 10.1080/01621459.2017.1307116): the
    distance that nine of ten labels keep, among the quarter of the images with the nearest scores.

    Parameters
    ----------
    scores, labels : numpy.ndarray
        Shape (n,), of images that the model was not trained on; labels may be NaN.

    Returns
    -------
    numpy.ndarray
        Shape (9,), points; NaN with fewer than 30 labels.
    """
    known = np.isfinite(labels)
    scores, labels = scores[known], labels[known]
    if len(scores) < _FEWEST:
        return np.full(len(KNOTS), np.nan)
    missed = np.abs(labels - scores)
    count = max(_FEWEST, round(_NEIGHBOURS * len(scores)))
    nearest = np.argsort(np.abs(scores - KNOTS[:, None]), axis=1, kind="stable")[:, :count]
    rank = min(count, int(np.ceil(COVERAGE * (count + 1))))
    return np.sort(missed[nearest], axis=1)[:, rank - 1]


def familiarity(network: keras.Model, groups: Sequence[Group]) -> tuple[np.ndarray, np.ndarray, float]:
    """Describe where the content features of training images lie.

    Parameters
    ----------
    network : keras.Model
        Trained.
    groups : sequence of Group
        Training images; n in all.

    Returns
    -------
    centre : numpy.ndarray
        Shape (f,).
    whitening : numpy.ndarray
        Shape (f, d), along the d <= 64 directions of largest variance.
    familiar : float
        Distance within which 98 % of the images lie.
    """
    extract = keras.Model(network.input, content_features(network))
    features = np.concatenate([extract.predict_on_batch(group.tiles()[..., None]) for group in groups])
    centre = features.mean(0)
    _, spread, directions = np.linalg.svd(features - centre, full_matrices=False)
    count = min(_DIRECTIONS, len(features) - 1)
    whitening = directions[:count].T / (spread[:count] / np.sqrt(len(features) - 1))
    distance = np.linalg.norm((features - centre) @ whitening, axis=1)
    return centre, whitening, float(np.quantile(distance, _FAMILIAR))
