"""Krasula's analysis: whether a score tells apart what raters tell apart, and which of two is better."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

SIGNIFICANT = 2.0
"""|z| above which raters count as having told two images apart."""


@dataclass(frozen=True)
class RatedPairs:
    """All pairs of rated images, and how the raters compare the two.

    L. Krasula et al., QoMEX 2016, doi 10.1109/QoMEX.2016.7498936. `first` and `second`, shape (pairs,), int,
    are the two images of each; `z` is the difference of the two means in units of its standard error,
    positive where the first image was rated better.
    """

    first: np.ndarray
    second: np.ndarray
    z: np.ndarray

    @classmethod
    def from_statistics(cls, mean: np.ndarray, variance: np.ndarray, raters: np.ndarray) -> Self:
        """Compare images pairwise by the mean, variance (ddof 1) and number of each one's ratings, (n,).

        Images with fewer than two ratings, whose variance is not known, take part in no pair.
        """
        usable = np.flatnonzero((raters >= 2) & np.isfinite(variance) & np.isfinite(mean))
        first, second = (usable[side] for side in np.triu_indices(len(usable), 1))
        error = np.sqrt(variance[first] / raters[first] + variance[second] / raters[second])
        difference = mean[first] - mean[second]
        # Raters who all agree have no error: any difference between their means is then significant.
        certain = np.where(difference == 0, 0.0, np.copysign(np.inf, difference))
        return cls(first, second, np.divide(difference, error, out=certain, where=error > 0))

    @classmethod
    def from_ratings(cls, ratings: np.ndarray) -> Self:
        """Compare images pairwise by their raw ratings, (n, raters), NaN where a rater gave none."""
        frame = pd.DataFrame(np.asarray(ratings, float))
        return cls.from_statistics(*(frame.agg(what, axis=1).to_numpy() for what in ("mean", "var", "count")))

    def of(self, images: np.ndarray) -> "RatedPairs":
        """Return the pairs whose images are both in `images`, shape (n,), bool."""
        kept = images[self.first] & images[self.second]
        return RatedPairs(self.first[kept], self.second[kept], self.z[kept])


class Krasula:
    """The analysis of one score of n images, higher is better, for any weights of the images."""

    def __init__(self, pairs: RatedPairs, scores: np.ndarray) -> None:
        difference = scores[pairs.first] - scores[pairs.second]
        self._pairs = pairs
        self._images = len(scores)
        self._different = np.abs(pairs.z) > SIGNIFICANT
        self._similarity = _RocArea(np.abs(difference), self._different)
        signed, z = difference[self._different], pairs.z[self._different]
        # Which of a pair is called the first is arbitrary, so each pair stands for both orders.
        self._order = _RocArea(np.concatenate([signed, -signed]), np.concatenate([z > 0, z < 0]))
        self._right = np.sign(signed) == np.sign(z)

    def statistics(self, times: np.ndarray | None = None) -> dict[str, float]:
        """Return the figures; `times`, (n,), is how often each image counts, as in a bootstrap; default once.

        ``auc_ds``: area under the ROC curve of the scores' absolute difference, pairs that raters tell apart
        against pairs that they do not. ``auc_bw``: area under that of the signed difference, better against
        worse, among pairs told apart. ``cc_0``: share of the pairs told apart that the scores put in the
        right order. NaN where there are no such pairs.
        """
        times = np.ones(self._images) if times is None else times
        weight = (times[self._pairs.first] * times[self._pairs.second]).astype(float)
        different = weight[self._different]
        return {
            "auc_ds": self._similarity.under(weight),
            "auc_bw": self._order.under(np.tile(different, 2)),
            "cc_0": float(different[self._right].sum() / different.sum()) if different.any() else np.nan,
        }


class _RocArea:
    """Area under the ROC curve, ties counting half; SciPy's rank statistic for it knows no weights."""

    def __init__(self, values: np.ndarray, positive: np.ndarray) -> None:
        _, self._place = np.unique(values, return_inverse=True)
        self._positive = positive

    def under(self, weight: np.ndarray) -> float:
        positives = np.bincount(self._place, weight * self._positive)
        negatives = np.bincount(self._place, weight * ~self._positive)
        total = positives.sum() * negatives.sum()
        below = np.cumsum(negatives) - negatives
        return float((positives * (below + negatives / 2)).sum() / total) if total else np.nan
