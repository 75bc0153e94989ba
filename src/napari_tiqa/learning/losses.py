"""Losses of the two stages. A batch is one group; what is known of it comes as the targets."""

import keras
import numpy as np
from keras import ops

from napari_tiqa.learning.groups import Group


def targets(group: Group) -> np.ndarray:
    """Pack what is known of a group into one array, as Keras wants its targets.

    Returns
    -------
    numpy.ndarray
        Shape (n, n + 2), float32: n columns of ``group.better()``, the labels (0 where there is none),
        and 1 where there is a label.
    """
    known = np.isfinite(group.labels)
    columns = [group.better(), np.where(known, group.labels, 0)[:, None], known[:, None]]
    return np.concatenate(columns, axis=1, dtype=np.float32)


class PairRanking(keras.losses.Loss):
    """Hinge loss over all ordered pairs of a group, from one forward pass ("efficient Siamese").

    mean of max(0, margin + worse score - better score), Zhang et al. 2022. For the scores 5, 4, 3, 2, 1, 0
    of six images from best to worst and margin 6 it is 3.6667.

    Parameters
    ----------
    margin : float
        By how much the better image's score should be higher.
    """

    def __init__(self, margin: float = 6.0):
        super().__init__(name="pair_ranking")
        self.margin = margin

    def call(self, y_true, y_pred):  # type: ignore[no-untyped-def]  # noqa: D102
        better = y_true[:, :-2]
        # [i, j]: score of j minus score of i
        difference = ops.transpose(y_pred) - y_pred
        return ops.sum(better * ops.relu(self.margin + difference)) / ops.maximum(ops.sum(better), 1.0)


class LabelRegression(keras.losses.Loss):
    """Mean squared error of the labelled images, and optionally a share of the ranking loss.

    Parameters
    ----------
    ranking_weight : float
        Weight of the ranking loss; 0 in the paper. Above 0 it keeps pairs in order that labels call equal,
        and lets images without a label take part.
    margin : float
        Margin of the ranking loss, in points of the score.
    """

    def __init__(self, ranking_weight: float = 0.0, margin: float = 0.2):
        super().__init__(name="label_regression")
        self.ranking_weight = ranking_weight
        self.ranking = PairRanking(margin)

    def call(self, y_true, y_pred):  # type: ignore[no-untyped-def]  # noqa: D102
        label, known = y_true[:, -2:-1], y_true[:, -1:]
        squared = ops.sum(known * ops.square(y_pred - label)) / ops.maximum(ops.sum(known), 1.0)
        if not self.ranking_weight:
            return squared
        return squared + self.ranking_weight * self.ranking.call(y_true, y_pred)
