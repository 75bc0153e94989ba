"""The two stages of training: rank the versions of each original, then regress the score."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import keras
import numpy as np

from napari_tiqa.errors import TrainingError
from napari_tiqa.learning.groups import Group
from napari_tiqa.learning.losses import LabelRegression, PairRanking, targets

MIN_ORIGINALS = 5
FAMILIES_PER_STEP = 3


@dataclass(frozen=True)
class StageProgress:
    """How far a stage has come, reported after each epoch."""

    stage: str
    epoch: int
    epochs: int
    loss: float


Report = Callable[[StageProgress], None]


def rank(
    network: keras.Model,
    groups: Sequence[Group],
    *,
    epochs: int = 30,
    learning_rate: float = 3e-5,
    margin: float = 6.0,
    seed: int = 0,
    report: Report | None = None,
) -> None:
    """Stage 1: learn to order the versions of each original. The defaults are the paper's.

    Parameters
    ----------
    network : keras.Model
        A network of ``scoring.backbone.build_network``; trained in place.
    groups : sequence of Group
        One step each per epoch; labels are not used.
    epochs : int
        Passes over the groups.
    learning_rate : float
        Adam's first learning rate; it falls to zero along a half cosine.
    margin : float
        Margin of the hinge loss.
    seed : int
        Order and orientation of the groups, and dropout.
    report : callable, optional
        Called after each epoch; what it raises ends the training.

    Raises
    ------
    TrainingError
        With fewer than 5 groups, or a loss that is not finite.
    """
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, epochs * max(1, len(groups)))
    _fit(network, groups, PairRanking(margin), schedule, epochs, seed, "ranking", report)


def regress(
    network: keras.Model,
    groups: Sequence[Group],
    *,
    epochs: int = 20,
    learning_rate: float = 5e-5,
    ranking_weight: float = 0.0,
    seed: int = 1,
    report: Report | None = None,
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
        Adam's first learning rate, halved every 4 epochs.
    ranking_weight : float
        Weight of a ranking term kept beside the squared error; the paper has none.
    seed, report
        As in ``rank``.

    Raises
    ------
    TrainingError
        With fewer than 5 groups, none labelled, or a loss that is not finite.
    """
    labelled = [group for group in groups if np.isfinite(group.labels).any()]
    if not labelled:
        raise TrainingError("None of the images has a label: rate some, or let the observers label them.")
    _scale_to_labels(network, labelled)
    steps = 4 * len(groups)
    schedule = keras.optimizers.schedules.ExponentialDecay(learning_rate, steps, 0.5, staircase=True)
    _fit(network, groups, LabelRegression(ranking_weight), schedule, epochs, seed, "regression", report)


class _Batches(keras.utils.PyDataset):
    """One group a batch, in a new order and orientation each epoch.

    Turning and mirroring leave quality as it is; so do the mild changes of contrast and brightness that
    another choice of intensity window would make.
    """

    def __init__(self, groups: Sequence[Group], seed: int):
        super().__init__()
        self.groups = groups
        self.rng = np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self.groups)

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        group = _some_families(self.groups[self.order[step]], self.rng)
        images = np.rot90(group.images, int(self.rng.integers(4)), axes=(1, 2))
        if self.rng.integers(2):
            images = images[:, :, ::-1]
        contrast = self.rng.uniform(0.7, 1.0)
        black = self.rng.uniform(0, 1 - contrast)
        return (images * np.float32(contrast / 255) + np.float32(black))[..., None], targets(group)

    def on_epoch_end(self) -> None:
        self.order = self.rng.permutation(len(self.groups))


def _some_families(group: Group, rng: np.random.Generator) -> Group:
    """Draw three families of a group that has more, so that a step costs what the paper's step costs."""
    names = sorted(set(group.families) - {""})
    if len(names) <= FAMILIES_PER_STEP:
        return group
    drawn = np.isin(group.families, ["", *rng.choice(names, FAMILIES_PER_STEP, replace=False)])
    return replace(
        group,
        images=group.images[drawn],
        families=tuple(np.array(group.families)[drawn]),
        levels=group.levels[drawn],
        labels=group.labels[drawn],
    )


def _fit(
    network: keras.Model,
    groups: Sequence[Group],
    loss: keras.losses.Loss,
    schedule: keras.optimizers.schedules.LearningRateSchedule,
    epochs: int,
    seed: int,
    stage: str,
    report: Report | None,
) -> None:
    if len(groups) < MIN_ORIGINALS:
        raise TrainingError(
            f"{len(groups)} originals are too few to learn from: give at least {MIN_ORIGINALS}."
        )
    keras.utils.set_random_seed(seed)
    # XLA would compile once for each size of a group, for minutes, and saves nothing on a CPU.
    network.compile(keras.optimizers.Adam(schedule), loss, jit_compile=False)

    def after_epoch(epoch: int, logs: dict[str, float]) -> None:
        if not math.isfinite(logs["loss"]):
            raise TrainingError(f"The {stage} diverged in epoch {epoch + 1}: lower the learning rate.")
        if report:
            report(StageProgress(stage, epoch + 1, epochs, logs["loss"]))

    progress = keras.callbacks.LambdaCallback(on_epoch_end=after_epoch)
    network.fit(_Batches(groups, seed), epochs=epochs, callbacks=[progress], verbose=0, shuffle=False)


def _scale_to_labels(network: keras.Model, groups: Sequence[Group]) -> None:
    scores = np.concatenate([network.predict_on_batch(group.tiles()[..., None])[:, 0] for group in groups])
    labels = np.concatenate([group.labels for group in groups])
    known = np.isfinite(labels)
    slope, offset = np.polyfit(scores[known], labels[known], 1)
    kernel, bias = network.get_layer("score").get_weights()
    network.get_layer("score").set_weights([kernel * slope, bias * slope + offset])
