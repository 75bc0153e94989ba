"""Losses of a segmentation, over labelled pixels only."""

import keras
from keras import ops

from napari_tiqa.segmentation.classes import NOT_LABELLED

_SMOOTH = 1.0  # px; a class without a labelled pixel in a batch then costs nothing


class LabelledPixels(keras.losses.Loss):
    """Cross-entropy, and optionally the Dice loss, of the labelled pixels of a batch.

    Parameters
    ----------
    dice_weight : float
        Weight of the Dice loss beside the cross-entropy; 0 in the TIQA paper, 1 in its authors' report.

    Notes
    -----
    With two classes, the softmax of two logits is the sigmoid of their difference, so this is the binary
    cross-entropy of the paper. Dice: Milletari et al., V-Net, 3DV 2016, equation 3, with probabilities not
    squared, over all labelled pixels of the batch, averaged over the classes.
    """

    def __init__(self, dice_weight: float = 0.0):
        super().__init__(name="labelled_pixels")
        self.dice_weight = dice_weight

    def call(self, y_true, y_pred):  # type: ignore[no-untyped-def]
        """Compare class indices, shape (n, rows, columns), with logits, shape (n, rows, columns, classes)."""
        known = ops.cast(y_true != NOT_LABELLED, "float32")[..., None]
        one_hot = ops.one_hot(ops.maximum(ops.cast(y_true, "int32"), 0), y_pred.shape[-1]) * known
        loss = -ops.sum(one_hot * ops.log_softmax(y_pred)) / ops.maximum(ops.sum(known), 1.0)
        if self.dice_weight:
            probability = ops.softmax(y_pred) * known
            both = ops.sum(one_hot * probability, (0, 1, 2))
            either = ops.sum(one_hot + probability, (0, 1, 2))
            dice = (2 * both + _SMOOTH) / (either + _SMOOTH)
            loss = loss + self.dice_weight * (1 - ops.mean(dice))
        return loss
