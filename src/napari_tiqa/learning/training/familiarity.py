"""What tells tomography slices from other images, learned from both."""

from collections.abc import Sequence

import keras
import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from napari_tiqa.learning.images.groups import Group
from napari_tiqa.learning.training.foreign import foreign_images
from napari_tiqa.scoring.backbone import content_features
from napari_tiqa.scoring.calibration import standardised
from napari_tiqa.scoring.predict import forward
from napari_tiqa.scoring.tile_statistics import tile_statistics

FLAGGED = {"photograph": 0.008, "microscopy": 0.003}
"""Share of the slices of specimens left out that may be taken for a sort; of all other sorts 0.001."""

PER_SORT = 60
"""Images of each sort that is not a slice, which take 10 s to make; fewer where there are fewer slices."""

_FLAGGED_AS_OTHERS = 0.001

Rule = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Directions, shape (k, d), and offsets, shape (k,), of the log odds of k sorts of image against slices, and
centre and spread, shape (d,), of the features: the last fields of ``Calibration``."""

_VERSIONS = 4
_MOST = 4000  # images of slices
_RIDGE = 100.0
_STEPS = 80
_FOLDS = 5
_SLICES = 60  # that label images, sinograms, radiographs and screenshots are made of
_FOREIGN_SHARE = 0.2  # of the images that are scored, as the regression weights them


def familiarity(network: keras.Model, groups: Sequence[Group], per_sort: int = PER_SORT) -> Rule:
    """Learn to tell training images from images that are not tomography slices.

    Multinomial logistic regression on the content features and on the statistics of a tile, with each sort of
    ``foreign.foreign_images`` as a class: outlier exposure (Hendrycks et al., ICLR 2019, arXiv 1812.04606).
    One direction and threshold for each sort finds many more of them than one for all. The distance from the
    training images alone (Mahalanobis) found no more of them than of slices of new specimens.

    Parameters
    ----------
    network : keras.Model
        A trained network of ``backbone.build_network``.
    groups : sequence of Group
        What it was trained on, slices of tomograms alone; some 4000 images of them are taken.
    per_sort : int
        Images of each sort that is not a slice, at most as many as images of slices.

    Returns
    -------
    directions : numpy.ndarray
        Shape (k, f + s): weights of content features and tile statistics in the log odds of each sort.
    offsets : numpy.ndarray
        Shape (k,), such that `FLAGGED` of the slices have odds above 1, each by a regression without its
        specimen.
    centre, spread : numpy.ndarray
        Shape (f + s,): by which the features are standardised first.
    """
    rng = np.random.default_rng(0)
    each = 1 + _VERSIONS
    taken = rng.permutation(len(groups))[: _MOST // each]
    kept = [_some(groups[i], rng) for i in taken]
    own = image_features(network, np.concatenate([group.tiles() for group in kept]))
    specimens = np.repeat([group.specimen for group in kept], [len(group.images) for group in kept])
    per_sort = min(per_sort, len(own))  # no sort outnumbers the slices, and a small training ends soon
    foreign = foreign_images([group.tiles()[0] for group in kept[:_SLICES]], per_sort=per_sort)
    features = image_features(network, np.concatenate([*foreign.values()]))
    ends = np.cumsum([len(tiles) for tiles in foreign.values()])
    return learned_rule(own, dict(zip(foreign, np.split(features, ends[:-1]), strict=True)), specimens)


def image_features(network: keras.Model, tiles: np.ndarray) -> np.ndarray:
    """Return content features and statistics of tiles, (n, 224, 224), float32 in [0, 1]: shape (n, f + s)."""
    (features,) = forward(keras.Model(network.input, content_features(network)), tiles)
    return np.column_stack([features, tile_statistics(tiles)]).astype(np.float64)


def learned_rule(own: np.ndarray, sorts: dict[str, np.ndarray], specimens: np.ndarray) -> Rule:
    """Return what ``familiarity`` returns, from features.

    `own`, shape (n, d), are those of slices of `specimens`, (n,) names; `sorts`, arrays of shape (m, d), of
    what is not a slice.
    """
    centre, spread = own.mean(0), own.std(0) + 1e-3 * np.abs(own).max(0) + 1e-6
    own = standardised(own, centre, spread)
    others = [standardised(features, centre, spread) for features in sorts.values()]
    directions, offsets = _fitted(own, others)
    odds = _left_out_odds(own, others, specimens)
    if len(odds):
        flagged = [FLAGGED.get(sort, _FLAGGED_AS_OTHERS) for sort in sorts]
        offsets = offsets - [np.quantile(odds[:, k], 1 - share) for k, share in enumerate(flagged)]
    return directions, offsets, centre, spread


def _fitted(own: np.ndarray, sorts: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Fit directions and offsets of the log odds of each of `sorts` against `own`."""
    others = np.concatenate([*sorts])
    x = np.concatenate([own, others])
    of_sort = np.repeat(np.arange(len(sorts)), [len(sort) for sort in sorts])
    is_sort = np.zeros((len(x), len(sorts)))
    is_sort[len(own) + np.arange(len(others)), of_sort] = 1
    shares = [(1 - _FOREIGN_SHARE) / len(own), _FOREIGN_SHARE / len(others)]
    weight = len(x) * np.repeat(shares, [len(own), len(others)])

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(len(sorts), -1)
        odds = x @ weights[:, 1:].T + weights[:, 0]
        total = np.logaddexp(0, logsumexp(odds, axis=1))
        missed = weight[:, None] * (np.exp(odds - total[:, None]) - is_sort)
        value = weight @ (total - (odds * is_sort).sum(1)) + _RIDGE / 2 * (weights[:, 1:] ** 2).sum()
        slope = np.column_stack([missed.sum(0), missed.T @ x + _RIDGE * weights[:, 1:]])
        return float(value), slope.ravel()

    start = np.zeros(len(sorts) * (x.shape[1] + 1))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x
    weights = found.reshape(len(sorts), -1)
    return weights[:, 1:], weights[:, 0]


def _left_out_odds(own: np.ndarray, sorts: Sequence[np.ndarray], specimens: np.ndarray) -> np.ndarray:
    """Return the log odds, (n, k), of `own`, (n, d), by fits without its specimen; of only one none."""
    names, place = np.unique(specimens, return_inverse=True)
    if len(names) == 1:
        return np.empty(0)
    fold = np.random.default_rng(0).permutation(len(names))[place] % min(_FOLDS, len(names))
    odds = np.empty((len(own), len(sorts)))
    for left_out in range(fold.max() + 1):
        directions, offsets = _fitted(own[fold != left_out], sorts)
        odds[fold == left_out] = own[fold == left_out] @ directions.T + offsets
    return odds


def _some(group: Group, rng: np.random.Generator) -> Group:
    """Choose the reference and a few versions: also a distorted slice is a slice."""
    return group.subset(np.concatenate([[0], 1 + rng.permutation(len(group.images) - 1)[:_VERSIONS]]))
