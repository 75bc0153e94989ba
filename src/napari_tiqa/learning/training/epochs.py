"""The epochs of a training: steps, loss and optimizer; what each draws is up to the caller."""

import math
from collections.abc import Callable, Sequence
from typing import TypedDict

import keras
import numpy as np

from napari_tiqa.errors import TiqaError

AfterEpoch = Callable[[int, float, keras.optimizers.Optimizer], object]
"""Called after each epoch with the epochs done, the mean loss of its steps and the optimizer, whose variables
a checkpoint needs; what it raises ends the training."""

AfterStep = Callable[[int, int], object]
"""Called after each step with the steps done and all steps of an epoch; what it raises ends the training."""


class Watch(TypedDict, total=False):
    """What is called while a training runs, and what it resumes: arguments of `run_epochs`."""

    after_epoch: AfterEpoch | None
    after_step: AfterStep | None
    start: int
    optimizer_state: Sequence[np.ndarray] | None


def run_epochs(
    network: keras.Model,
    draw: Callable[[int], keras.utils.PyDataset],
    epochs: int,
    loss: keras.losses.Loss,
    schedule: keras.optimizers.schedules.LearningRateSchedule,
    diverged: Callable[[int], TiqaError],
    *,
    after_epoch: AfterEpoch | None = None,
    after_step: AfterStep | None = None,
    start: int = 0,
    optimizer_state: Sequence[np.ndarray] | None = None,
) -> None:
    """Train a network with Adam, in place, from how it was after `start` epochs up to `epochs` in all.

    `draw` returns the steps of an epoch, given its number from 0; they depend on nothing else that changes.
    The schedule is Adam's learning rate over all steps. `diverged` returns the error to raise for an epoch,
    its number from 1, whose loss is not finite. `optimizer_state` holds the optimizer's variables after
    `start` epochs.
    """
    optimizer = keras.optimizers.Adam(schedule)
    optimizer.build(network.trainable_variables)
    if optimizer_state is not None:
        for variable, value in zip(optimizer.variables, optimizer_state, strict=True):
            variable.assign(value)
    # XLA would compile for minutes, once for each size of a step, and saves nothing on a CPU.
    network.compile(optimizer, loss, jit_compile=False)
    for epoch in range(start, epochs):
        batches = draw(epoch)
        callbacks = _callbacks(after_step, len(batches))
        history = network.fit(batches, callbacks=callbacks, verbose=0, shuffle=False)
        mean = float(history.history["loss"][0])
        if not math.isfinite(mean):
            raise diverged(epoch + 1)
        if after_epoch:
            after_epoch(epoch + 1, mean, optimizer)


def _callbacks(after_step: AfterStep | None, steps: int) -> list[keras.callbacks.Callback]:
    if after_step is None:
        return []
    return [keras.callbacks.LambdaCallback(on_batch_end=lambda step, logs: after_step(step + 1, steps))]
