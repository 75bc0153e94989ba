"""The epochs of a training: patches, loss, learning rate; each epoch drawn from the seed and its number."""

import math
from collections.abc import Callable, Sequence

import keras
import numpy as np

from napari_tiqa.errors import SegmentationError
from napari_tiqa.segmentation.classes import LabelledSlice
from napari_tiqa.segmentation.dlinknet import LabelledPixels
from napari_tiqa.segmentation.patches import Patches
from napari_tiqa.segmentation.recipe import SegmentationRecipe

AfterEpoch = Callable[[int, float, keras.optimizers.Optimizer], object]
"""Called after each epoch with the epochs done, the mean loss of its steps and the optimizer, whose variables
a checkpoint needs; what it raises ends the training."""

AfterStep = Callable[[int, int], object]
"""Called after each step with the steps done and all steps of an epoch; what it raises ends the training."""

_DROP = 0.2  # of the learning rate, Zhang et al. 2022


def fit(
    network: keras.Model,
    slices: Sequence[LabelledSlice],
    recipe: SegmentationRecipe,
    after_epoch: AfterEpoch | None = None,
    after_step: AfterStep | None = None,
    start: int = 0,
    optimizer_state: Sequence[np.ndarray] | None = None,
) -> None:
    """Train a network, in place.

    Parameters
    ----------
    network : keras.Model
        One of ``dlinknet.build_dlinknet``.
    slices : sequence of LabelledSlice
        What to learn from; those without a labelled pixel are passed over.
    recipe : SegmentationRecipe
        How.
    after_epoch, after_step : callable, optional
        Called after each.
    start : int
        Epochs done before, to go on with a training; `network` is then as it was after them.
    optimizer_state : sequence of numpy.ndarray, optional
        The optimizer's variables after `start` epochs.

    Raises
    ------
    SegmentationError
        If no pixel is labelled, or the loss is not finite.
    """
    labelled = [one for one in slices if one.places]
    if not labelled:
        raise SegmentationError("No pixel is labelled: paint some of each class, then train again.")
    steps = len(Patches(labelled, recipe, np.random.default_rng()))
    rates = [recipe.learning_rate * _DROP**drops for drops in range(len(recipe.drops) + 1)]
    bounds = [round(drop * recipe.epochs) * steps for drop in sorted(recipe.drops)]
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay(bounds, rates)
    optimizer = keras.optimizers.Adam(schedule)
    optimizer.build(network.trainable_variables)
    if optimizer_state is not None:
        for variable, value in zip(optimizer.variables, optimizer_state, strict=True):
            variable.assign(value)
    # XLA compiles for a minute and saves nothing on a CPU.
    network.compile(optimizer, LabelledPixels(recipe.dice_weight), jit_compile=False)
    callbacks = []
    if after_step:
        tell = after_step
        callbacks = [keras.callbacks.LambdaCallback(on_batch_end=lambda step, logs: tell(step + 1, steps))]
    for epoch in range(start, recipe.epochs):
        batches = Patches(labelled, recipe, np.random.default_rng([recipe.seed, epoch]))
        history = network.fit(batches, callbacks=callbacks, verbose=0, shuffle=False)
        loss = float(history.history["loss"][0])
        if not math.isfinite(loss):
            raise SegmentationError(
                f"The training diverged in epoch {epoch + 1}: train again with a lower learning rate."
            )
        if after_epoch:
            after_epoch(epoch + 1, loss, optimizer)
