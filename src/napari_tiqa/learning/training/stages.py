"""The two stages of training: rank the versions of each original, then regress the score."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

import keras
import numpy as np

from napari_tiqa.errors import TrainingError
from napari_tiqa.learning.images.groups import MIN_ORIGINALS, Group
from napari_tiqa.learning.training.epochs import Watch, run_epochs
from napari_tiqa.learning.training.losses import LabelRegression, PairRanking, targets
from napari_tiqa.wording import counted


@dataclass(frozen=True)
class Draw:
    """What a step learns from: groups (the paper has one), and images of each, the reference among them.

    Whole families are drawn, anew each time, the last one cut. A group that has fewer images gives all.
    """

    groups: int = 1
    images: int = 16


def rank(
    network: keras.Model,
    groups: Sequence[Group],
    *,
    epochs: int = 30,
    learning_rate: float = 3e-5,
    margin: float = 6.0,
    seed: int = 0,
    draw: Draw = Draw(),
    **watch: Unpack[Watch],
) -> None:
    """Stage 1: train in place to order the versions of each original. The defaults are the paper's.

    Labels are not used. Adam's learning rate falls to zero along a half cosine; the margin is that of the
    hinge loss. With the epoch's number the seed fixes order and orientation of the groups, and dropout.
    `watch` is as in ``run_epochs``. Raises TrainingError with fewer than 5 groups, or a loss that is not
    finite.
    """
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, epochs * _steps(groups, draw))
    _run(network, groups, "ranking", epochs, PairRanking(margin), schedule, seed, draw, **watch)


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
    **watch: Unpack[Watch],
) -> None:
    """Stage 2: train the ranked network in place to score. The defaults are the paper's.

    Before the first step the last layer is scaled so that the ranked scores fit the labels best. Ranking
    leaves them on a scale of its own, and bridging that with gradient steps would unlearn the order. Adam's
    learning rate is halved every `halved_every` epochs. Images without a label take part only in the ranking
    term, which has a weight beside the squared error; the paper has none.

    Raises TrainingError with fewer than 5 groups, none labelled, or a loss that is not finite.
    """
    labelled = [group for group in groups if np.isfinite(group.labels).any()]
    if not labelled:
        raise TrainingError("None of the images has a label: rate some, or let the observers label them.")
    if not watch.get("start"):
        scale_to_labels(network, labelled)
    steps = halved_every * _steps(groups, draw)
    schedule = keras.optimizers.schedules.ExponentialDecay(learning_rate, steps, 0.5, staircase=True)
    _run(
        network, groups, "regression", epochs, LabelRegression(ranking_weight), schedule, seed, draw, **watch
    )


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


def _run(
    network: keras.Model,
    groups: Sequence[Group],
    name: str,
    epochs: int,
    loss: keras.losses.Loss,
    schedule: keras.optimizers.schedules.LearningRateSchedule,
    seed: int,
    draw: Draw,
    **watch: Unpack[Watch],
) -> None:
    """Go through a stage's epochs, each drawn from the seed and its number alone."""
    if len(groups) < MIN_ORIGINALS:
        raise TrainingError(
            f"{counted(len(groups), 'original', ('is', 'are'))} too few to learn from: give at least "
            f"{MIN_ORIGINALS}."
        )

    def batches(epoch: int) -> _Batches:
        rng = np.random.default_rng([seed, epoch])
        for layer in network.layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.seed_generator.state.assign(rng.integers(2**31, size=2, dtype=np.uint32))
        return _Batches(groups, draw, rng)

    def diverged(epoch: int) -> TrainingError:
        return TrainingError(f"The {name} diverged in epoch {epoch}: lower the learning rate.")

    run_epochs(network, batches, epochs, loss, schedule, diverged, **watch)


def scale_to_labels(network: keras.Model, groups: Sequence[Group]) -> None:
    """Scale the last layer so that the scores of labelled images fit their labels best."""
    scores = np.concatenate([network.predict_on_batch(group.tiles()[..., None])[:, 0] for group in groups])
    labels = np.concatenate([group.labels for group in groups])
    known = np.isfinite(labels)
    slope, offset = np.polyfit(scores[known], labels[known], 1)
    kernel, bias = network.get_layer("score").get_weights()
    network.get_layer("score").set_weights([kernel * slope, bias * slope + offset])
