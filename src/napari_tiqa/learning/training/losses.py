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
    """Pack what is known of a batch, n images in all, into one array, as Keras wants its targets.

    Shape (n, m + 8), float32, where m, `most`, is the images of the largest batch, n where omitted, since
    Keras wants targets of one width: m columns of which image is better than which (never across groups); the
    label and the points lost to each artefact, 0 where unknown; and 1 for each that is known.
    """
    better = block_diag(*(group.better() for group in groups))
    better = np.pad(better, ((0, 0), (0, (most or len(better)) - len(better))))
    values = np.concatenate([np.column_stack([group.labels, group.parts()]) for group in groups])
    known = np.isfinite(values)
    return np.concatenate([better, np.where(known, values, 0), known], axis=1, dtype=np.float32)


class PairRanking(keras.losses.Loss):
    """Hinge loss over all ordered pairs of a group, from one forward pass ("efficient Siamese").

    mean of max(0, margin + worse score - better score), Zhang et al. 2022. For the scores 5, 4, 3, 2, 1, 0 of
    six images from best to worst and margin 6 it is 3.6667.
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

    Each squared error is the mean over the images that have the value. The ranking loss has the weight 0 in
    the paper; above 0 it keeps pairs in order that labels call equal, and lets images without a label take
    part. Its margin is in points of the score. The points lost to each artefact have a weight beside the
    score, which the paper does not ask for.
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
