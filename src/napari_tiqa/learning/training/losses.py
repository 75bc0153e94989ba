"""Losses of the two stages. A batch is one or a few groups; what is known of it comes as the targets."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops
from scipy.linalg import block_diag

from napari_tiqa.learning.images.groups import Group
from napari_tiqa.scoring.scale import ARTEFACTS

KNOWN = 1 + len(ARTEFACTS)
"""Columns of the targets that hold values, and as many that say whether they are known."""


def targets(groups: Sequence[Group], most: int | None = None) -> np.ndarray:
    """Pack what is known of a batch into one array, as Keras wants its targets.

    Parameters
    ----------
    groups : sequence of Group
        n images in all.
    most : int, optional
        Images of the largest batch, m; n where omitted. Keras wants targets of one width.

    Returns
    -------
    numpy.ndarray
        Shape (n, m + 8), float32: m columns of which image is better than which (never across groups); the
        label and the points lost to each artefact, 0 where unknown; and 1 for each that is known.
    """
    better = block_diag(*(group.better() for group in groups))
    better = np.pad(better, ((0, 0), (0, (most or len(better)) - len(better))))
    values = np.concatenate([np.column_stack([group.labels, group.parts()]) for group in groups])
    known = np.isfinite(values)
    return np.concatenate([better, np.where(known, values, 0), known], axis=1, dtype=np.float32)


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
        score = y_pred[:, :1]
        better = y_true[:, : ops.shape(score)[0]]
        # [i, j]: score of j minus score of i
        difference = ops.transpose(score) - score
        return ops.sum(better * ops.relu(self.margin + difference)) / ops.maximum(ops.sum(better), 1.0)


class LabelRegression(keras.losses.Loss):
    """Squared errors of the score and of the points lost, and optionally a share of the ranking loss.

    Each squared error is the mean over the images that have the value.

    Parameters
    ----------
    ranking_weight : float
        Weight of the ranking loss; 0 in the paper. Above 0 it keeps pairs in order that labels call equal,
        and lets images without a label take part.
    margin : float
        Margin of the ranking loss, in points of the score.
    artefact_weight : float
        Weight of the points lost to each artefact beside the score, which the paper does not ask for.
    """

    def __init__(self, ranking_weight: float = 0.0, margin: float = 0.2, artefact_weight: float = 0.3):
        super().__init__(name="label_regression")
        self.ranking_weight = ranking_weight
        self.ranking = PairRanking(margin)
        self.weights = (1.0, *[artefact_weight] * len(ARTEFACTS))

    def call(self, y_true, y_pred):  # type: ignore[no-untyped-def]  # noqa: D102
        value, known = y_true[:, -2 * KNOWN : -KNOWN], y_true[:, -KNOWN:]
        squared = ops.sum(known * ops.square(y_pred - value), 0) / ops.maximum(ops.sum(known, 0), 1.0)
        loss = ops.sum(squared * ops.convert_to_tensor(self.weights, "float32"))
        if self.ranking_weight:
            loss = loss + self.ranking_weight * self.ranking.call(y_true, y_pred)
        return loss
