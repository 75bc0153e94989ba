"""How far off a model is on images that it was not trained on, and what it has been trained on."""

from collections.abc import Sequence

import keras
import numpy as np
from numpy.polynomial import Polynomial
from scipy.optimize import minimize
from scipy.special import expit

from napari_tiqa.learning.images.groups import Group
from napari_tiqa.learning.training.foreign import foreign_images
from napari_tiqa.scoring.backbone import content_features
from napari_tiqa.scoring.calibration import Calibration
from napari_tiqa.scoring.predict import predict_scores
from napari_tiqa.scoring.scale import SCORE_RANGE

COVERAGE = 0.9
"""Share of left-out labels that the interval around a score is to hold."""

KNOTS = np.arange(1.0, 5.01, 0.5)
"""What a network may say, where its scale is found."""

_FEWEST = 30
_NEIGHBOURS = 0.25
_VERSIONS = 4
_RIDGE = 10.0

FOREIGN_SHARE = 0.2
"""How many of the images that are scored are taken to be no tomography slices; it sets the threshold."""


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


def familiarity(network: keras.Model, groups: Sequence[Group]) -> tuple[np.ndarray, float]:
    """Learn to tell training images from images that are not tomography slices: direction (f,) and offset.

    Logistic regression on the content features, with the images of `foreign.foreign_images` as the others:
    outlier exposure (Hendrycks et al., ICLR 2019, arXiv 1812.04606). The distance from the training images
    alone (Mahalanobis) found no more of them than of slices of new specimens. A few images of each group are
    taken.
    """
    extract = keras.Model(network.input, content_features(network))
    rng = np.random.default_rng(0)
    some = [group.tiles()[_some(len(group.images), rng)] for group in groups]
    foreign = list(foreign_images("train").values())
    own, other = (_features(extract, images) for images in (some, foreign))
    mean, spread = own.mean(0), own.std(0) + 1e-6
    x = np.concatenate([(own - mean) / spread, (other - mean) / spread])
    y = np.repeat([0.0, 1.0], [len(own), len(other)])
    weight = np.repeat([1 - FOREIGN_SHARE, FOREIGN_SHARE], [len(own), len(other)])
    weight *= np.repeat([len(x) / len(own), len(x) / len(other)], [len(own), len(other)])

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        odds = x @ weights[1:] + weights[0]
        missed = weight * (expit(odds) - y)
        value = (weight * (np.logaddexp(0, odds) - y * odds)).sum() + _RIDGE / 2 * (weights[1:] ** 2).sum()
        return value, np.concatenate([[missed.sum()], x.T @ missed + _RIDGE * weights[1:]])

    found = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B").x
    direction = found[1:] / spread
    return direction, float(found[0] - mean @ direction)


def _features(extract: keras.Model, images: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([extract.predict_on_batch(item[..., None]) for item in images])


def _some(count: int, rng: np.random.Generator) -> np.ndarray:
    """Choose the reference and a few versions: also a distorted slice is a slice."""
    return np.concatenate([[0], rng.permutation(np.arange(1, count))[:_VERSIONS]])
