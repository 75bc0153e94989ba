"""Tiles to scores, in batches of one fixed size. Runs where Keras may be imported: in the model process."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras

BATCH_SIZE = 32
"""Tiles per forward pass. Fixed, so that a network is compiled once."""

SCORE_RANGE = (1.0, 5.0)
"""Worst and best score."""


def predict_scores(
    network: "keras.Model", tiles: np.ndarray, after_batch: Callable[[int], None] | None = None
) -> np.ndarray:
    """Score tiles.

    Parameters
    ----------
    network : keras.Model
        A network of ``backbone.build_network`` with trained weights.
    tiles : numpy.ndarray
        Shape (n, 224, 224), float32 in [0, 1].
    after_batch : callable, optional
        Called with the number of tiles done so far; what it raises ends the prediction.

    Returns
    -------
    numpy.ndarray
        Shape (n,), float32, clipped to 1..5.
    """
    scores = np.empty(len(tiles), np.float32)
    for start in range(0, len(tiles), BATCH_SIZE):
        batch = tiles[start : start + BATCH_SIZE, :, :, None]
        count = len(batch)
        if count < BATCH_SIZE:
            batch = np.concatenate([batch, np.zeros((BATCH_SIZE - count, *batch.shape[1:]), np.float32)])
        scores[start : start + count] = network.predict_on_batch(batch)[:count, 0]
        if after_batch:
            after_batch(start + count)
    return np.clip(scores, *SCORE_RANGE)
