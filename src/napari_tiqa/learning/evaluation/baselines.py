"""Baselines that a model is compared with, fitted on the same training images.

A baseline is fitted on groups and then scores others; none ever sees the labels of images it is judged on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from napari_tiqa.errors import TrainingError
from napari_tiqa.learning.evaluation.brisque import brisque
from napari_tiqa.learning.images.groups import Group
from napari_tiqa.scoring.scale import SCORE_RANGE

if TYPE_CHECKING:
    import keras

Fitting = Callable[[float], object]
"""Called with the share of the fitting that is done, 0..1; what it raises ends it."""


@dataclass(frozen=True)
class Baseline:
    """A baseline, ready to score: takes a group, returns one score per image, (n,), higher is better."""

    title: str
    score: Callable[[Group], np.ndarray]

    def __call__(self, groups: Sequence[Group]) -> list[np.ndarray]:
        """Score groups: for each one score per image."""
        return [self.score(group) for group in groups]


def fit(name: str, training: Sequence[Group], fitting: Fitting | None = None) -> Baseline:
    """Fit a baseline of `BASELINES` to labelled groups, none of them of a specimen that is to be judged.

    `fitting` is called with the progress, where fitting takes long. Raises TrainingError if there is too
    little to learn from.
    """
    learns = name != "brisque"
    if learns and not any(np.isfinite(group.labels).any() for group in training):
        raise TrainingError("None of the images to learn from has a label: rate images of more specimens.")
    return BASELINES[name](training, fitting or (lambda share: None))


def _stock_brisque(training: Sequence[Group], fitting: Fitting) -> Baseline:
    """Nothing is fitted: BRISQUE's own 0 (best) to 100 is read as 5 to 1."""
    best, worst = SCORE_RANGE[1], SCORE_RANGE[0]

    def score(group: Group) -> np.ndarray:
        return np.array([best - (best - worst) * brisque(image) / 100 for image in group.images])

    return Baseline("BRISQUE (stock)", score)


def _frozen_features(training: Sequence[Group], fitting: Fitting) -> Baseline:
    """Fit ridge regression on the pooled features of the backbone as ImageNet has left it."""
    x = np.concatenate([_pooled(group) for group in training])
    y = np.concatenate([group.labels for group in training])
    x, y = x[np.isfinite(y)], y[np.isfinite(y)]
    mean, spread = x.mean(0), x.std(0) + 1e-6
    standard = (x - mean) / spread
    weights = np.linalg.solve(
        standard.T @ standard + RIDGE * np.eye(standard.shape[1]), standard.T @ (y - y.mean())
    )

    def score(group: Group) -> np.ndarray:
        return np.clip((_pooled(group) - mean) / spread @ weights + y.mean(), *SCORE_RANGE)

    return Baseline("frozen ImageNet features + ridge", score)


def _pooled(group: Group) -> np.ndarray:
    return _imagenet_network().predict_on_batch(group.tiles()[..., None])


@lru_cache(maxsize=1)
def _imagenet_network() -> "keras.Model":
    import keras

    from napari_tiqa.scoring.backbone import build_network, load_imagenet

    network = build_network()
    load_imagenet(network)
    return keras.Model(network.input, network.get_layer("pool").output)


def _look_up(training: Sequence[Group], fitting: Fitting) -> Baseline:
    """Give each image the mean label of its distortion and level, without looking at it."""
    names = [name for group in training for name in zip(group.families, group.levels, strict=True)]
    labels = np.concatenate([group.labels for group in training])
    known: dict[tuple[str, int], list[float]] = {name: [] for name in names}
    for name, label in zip(names, labels, strict=True):
        if np.isfinite(label):
            known[name].append(label)
    overall = float(np.nanmean(labels))
    mean = {name: float(np.mean(values)) if values else overall for name, values in known.items()}

    def score(group: Group) -> np.ndarray:
        return np.array([mean.get(name, overall) for name in zip(group.families, group.levels, strict=True)])

    return Baseline("look-up of distortion and level", score)


def _rank_iqa(training: Sequence[Group], fitting: Fitting) -> Baseline:
    from napari_tiqa.learning.evaluation.rank_iqa import fit_rank_iqa, predict_rank_iqa

    backbone, network = fit_rank_iqa(training, fitting)
    return Baseline(f"RankIQA ({backbone})", lambda group: predict_rank_iqa(network, group))


RIDGE = 100.0
"""Weight of the ridge, for features of unit spread."""

BASELINES: dict[str, Callable[[Sequence[Group], Fitting], Baseline]] = {
    "brisque": _stock_brisque,
    "rankiqa": _rank_iqa,
    "ridge": _frozen_features,
    "lookup": _look_up,
}
"""The baselines by name."""

QUICK_BASELINES = ("brisque", "ridge", "lookup")
"""Those that take seconds; RankIQA is a training of its own for each fold."""
