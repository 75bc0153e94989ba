"""The two stages of training: rank the versions of each original, then regress the score."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from napari_tiqa.errors import TrainingError
from napari_tiqa.learning.images.groups import MIN_ORIGINALS, Group
from napari_tiqa.learning.training.losses import LabelRegression, PairRanking, targets


@dataclass(frozen=True)
class Draw:
    """What a step learns from.

    Attributes
    ----------
    groups : int
        Groups a step; the paper has one.
    images : int
        Images of each, the reference among them: whole families, drawn anew each time, the last one cut. A
        group that has fewer gives all.
    """

    groups: int = 1
    images: int = 16


@dataclass(frozen=True)
class StageProgress:
    """How far a stage has come, reported after each epoch.

    Attributes
    ----------
    stage : str
        "ranking" or "regression".
    epoch, epochs : int
        Epochs done and in all.
    loss : float
        Mean over the epoch's steps.
    """

    stage: str
    epoch: int
    epochs: int
    loss: float


Report = Callable[[StageProgress, keras.optimizers.Optimizer], object]
"""Called after each epoch, with the optimizer, whose variables a checkpoint needs; what it raises ends the
training."""

AfterStep = Callable[[int, int], object]
"""Called after each step with the steps done and all steps of an epoch; what it raises ends the training."""


def rank(
    network: keras.Model,
    groups: Sequence[Group],
    *,
    epochs: int = 30,
    learning_rate: float = 3e-5,
    margin: float = 6.0,
    seed: int = 0,
    draw: Draw = Draw(),
    report: Report | None = None,
    after_step: AfterStep | None = None,
    start: int = 0,
    optimizer_state: Sequence[np.ndarray] | None = None,
) -> None:
    """Stage 1: learn to order the versions of each original. The defaults are the paper's.

    Parameters
    ----------
    network : keras.Model
        A network of ``scoring.backbone.build_network``; trained in place.
    groups : sequence of Group
        Labels are not used.
    epochs : int
        Passes over the groups.
    learning_rate : float
        Adam's first learning rate; it falls to zero along a half cosine.
    margin : float
        Margin of the hinge loss.
    seed : int
        With the epoch's number it fixes order and orientation of the groups, and dropout.
    draw : Draw
        What a step learns from.
    report, after_step : callable, optional
        Called after each epoch and each step.
    start : int
        Epochs done before, to continue a training; `network` is then as it was after them.
    optimizer_state : sequence of numpy.ndarray, optional
        The optimizer's variables after `start` epochs.

    Raises
    ------
    TrainingError
        With fewer than 5 groups, or a loss that is not finite.
    """
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, epochs * _steps(groups, draw))
    training = _Stage(network, groups, "ranking", epochs, seed, draw, report, after_step)
    training.run(PairRanking(margin), schedule, start, optimizer_state)


def regress(
    network: keras.Model,
    groups: Sequence[Group],
    *,
    epochs: int = 20,
    learning_rate: float = 5e-5,
    halved_every: int = 4,
    ranking_weight: float = 0.0,
    seed: int = 1,
    draw: Draw = Draw(),
    report: Report | None = None,
    after_step: AfterStep | None = None,
    start: int = 0,
    optimizer_state: Sequence[np.ndarray] | None = None,
) -> None:
    """Stage 2: learn the score itself. The defaults are the paper's.

    Before the first step the last layer is scaled so that the ranked scores fit the labels best. Ranking
    leaves them on a scale of its own, and bridging that with gradient steps would unlearn the order.

    Parameters
    ----------
    network : keras.Model
        The ranked network; trained in place.
    groups : sequence of Group
        Images without a label take part only in the ranking term.
    epochs : int
        Passes over the groups.
    learning_rate : float
        Adam's first learning rate.
    halved_every : int
        Epochs after which it is halved, again and again.
    ranking_weight : float
        Weight of a ranking term kept beside the squared error; the paper has none.
    seed, draw, report, after_step, start, optimizer_state
        As in ``rank``.

    Raises
    ------
    TrainingError
        With fewer than 5 groups, none labelled, or a loss that is not finite.
    """
    labelled = [group for group in groups if np.isfinite(group.labels).any()]
    if not labelled:
        raise TrainingError("None of the images has a label: rate some, or let the observers label them.")
    if not start:
        scale_to_labels(network, labelled)
    steps = halved_every * _steps(groups, draw)
    schedule = keras.optimizers.schedules.ExponentialDecay(learning_rate, steps, 0.5, staircase=True)
    training = _Stage(network, groups, "regression", epochs, seed, draw, report, after_step)
    training.run(LabelRegression(ranking_weight), schedule, start, optimizer_state)


def _steps(groups: Sequence[Group], draw: Draw) -> int:
    return max(1, len(groups) // draw.groups)


class _Batches(keras.utils.PyDataset):
    """The steps of one epoch: groups in a new order, their images in a new orientation.

    Turning and mirroring leave quality as it is; so do the mild changes of contrast and brightness that
    another choice of intensity window would make.
    """

    def __init__(self, groups: Sequence[Group], draw: Draw, rng: np.random.Generator):
        super().__init__()
        self.groups = groups
        self.draw = draw
        self.rng = rng
        self.order = rng.permutation(len(groups))

    def __len__(self) -> int:
        return _steps(self.groups, self.draw)

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self.order[step * self.draw.groups : (step + 1) * self.draw.groups]
        drawn = [_some_images(self.groups[number], self.draw.images, self.rng) for number in chosen]
        images = np.concatenate([self._varied(group.images) for group in drawn])
        return images[..., None], targets(drawn, self.draw.groups * self.draw.images)

    def _varied(self, images: np.ndarray) -> np.ndarray:
        images = np.rot90(images, int(self.rng.integers(4)), axes=(1, 2))
        if self.rng.integers(2):
            images = images[:, :, ::-1]
        contrast = self.rng.uniform(0.7, 1.0)
        black = self.rng.uniform(0, 1 - contrast)
        return images * np.float32(contrast / 255) + np.float32(black)


def _some_images(group: Group, most: int, rng: np.random.Generator) -> Group:
    """Draw the reference and whole families, the last one cut, until there are `most` images."""
    if len(group.images) <= most:
        return group
    family = np.array(group.families)
    turn = rng.permutation(sorted(set(group.families) - {""}))
    # Within the family that is cut, any of its images may be left out.
    waiting = [rng.permutation(np.flatnonzero(family == name)) for name in turn]
    kept = np.sort(np.concatenate([np.flatnonzero(family == ""), *waiting])[:most])
    return group.subset(kept)


@dataclass
class _Stage:
    network: keras.Model
    groups: Sequence[Group]
    name: str
    epochs: int
    seed: int
    draw: Draw
    report: Report | None
    after_step: AfterStep | None

    def run(
        self,
        loss: keras.losses.Loss,
        schedule: keras.optimizers.schedules.LearningRateSchedule,
        start: int,
        optimizer_state: Sequence[np.ndarray] | None,
    ) -> None:
        if len(self.groups) < MIN_ORIGINALS:
            raise TrainingError(
                f"{len(self.groups)} originals are too few to learn from: give at least {MIN_ORIGINALS}."
            )
        optimizer = keras.optimizers.Adam(schedule)
        optimizer.build(self.network.trainable_variables)
        if optimizer_state is not None:
            for variable, value in zip(optimizer.variables, optimizer_state, strict=True):
                variable.assign(value)
        # XLA would compile once for each size of a group, for minutes, and saves nothing on a CPU.
        self.network.compile(optimizer, loss, jit_compile=False)
        for epoch in range(start, self.epochs):
            mean_loss = self._epoch(epoch)
            if not math.isfinite(mean_loss):
                raise TrainingError(
                    f"The {self.name} diverged in epoch {epoch + 1}: lower the learning rate."
                )
            if self.report:
                self.report(StageProgress(self.name, epoch + 1, self.epochs, mean_loss), optimizer)

    def _epoch(self, epoch: int) -> float:
        # Drawn from the seed and the epoch alone, so that a training that was interrupted goes on the same.
        rng = np.random.default_rng([self.seed, epoch])
        for layer in self.network.layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.seed_generator.state.assign(rng.integers(2**31, size=2, dtype=np.uint32))
        batches = _Batches(self.groups, self.draw, rng)
        callbacks = []
        if self.after_step:
            after_step, steps = self.after_step, len(batches)
            callbacks = [
                keras.callbacks.LambdaCallback(on_batch_end=lambda step, logs: after_step(step + 1, steps))
            ]
        history = self.network.fit(batches, callbacks=callbacks, verbose=0, shuffle=False)
        return float(history.history["loss"][0])


def scale_to_labels(network: keras.Model, groups: Sequence[Group]) -> None:
    """Scale the last layer so that the scores of labelled images fit their labels best."""
    scores = np.concatenate([network.predict_on_batch(group.tiles()[..., None])[:, 0] for group in groups])
    labels = np.concatenate([group.labels for group in groups])
    known = np.isfinite(labels)
    slope, offset = np.polyfit(scores[known], labels[known], 1)
    kernel, bias = network.get_layer("score").get_weights()
    network.get_layer("score").set_weights([kernel * slope, bias * slope + offset])
