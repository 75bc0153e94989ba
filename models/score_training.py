"""How the default model's network is trained on groups: order within an original, order across, the score."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from napari_tiqa.learning.images.groups import Group
from napari_tiqa.learning.training.losses import KNOWN, LabelRegression, targets
from napari_tiqa.scoring.backbone import build_network
from napari_tiqa.scoring.predict import load_model

SETTINGS: dict[str, Any] = {
    "seed": 0,
    "groups": 5,  # a step
    "images": 10,  # of each at most, the reference among them
    "dropout": 0.3,
    "frozen": ("stem", "stage1"),
    "weight_decay": 1e-2,
    "average": 0.995,  # of the weights, from step to step
    "ranking_weight": 1.0,
    "across_weight": 0.5,
}
"""How the default model departs from the paper's settings; its card says why."""

_WARM = 50  # steps

AfterSteps = Callable[[int, float], object]
"""Called now and then with the steps done and the mean loss since the last call."""


def network_from(path: Path) -> keras.Model:
    """Build the network with the weights of a bundle; artefacts that it does not tell apart start at 0."""
    keras.utils.set_random_seed(SETTINGS["seed"])
    network, start = build_network(dropout=SETTINGS["dropout"]), load_model(path).network
    for layer in network.layers:
        if not layer.weights:
            continue
        weights = start.get_layer(layer.name).get_weights()
        if layer.name == "artefacts":
            weights = [_widened(own, old) for own, old in zip(layer.get_weights(), weights, strict=True)]
        layer.set_weights(weights)
    return network


def _widened(own: np.ndarray, old: np.ndarray) -> np.ndarray:
    widened = np.zeros_like(own)
    widened[..., : old.shape[-1]] = old
    return widened


def train(
    network: keras.Model,
    groups: Sequence[Group],
    steps: int,
    *,
    learning_rate: float,
    start: int = 0,
    every: int = 100,
    after: AfterSteps | None = None,
    seed: int = 0,
) -> None:
    """Train a network in place.

    Parameters
    ----------
    network : keras.Model
        Of ``build_network``.
    groups : sequence of Group
        Images without a label only teach the order within their original.
    steps : int
        Batches of ``SETTINGS["groups"]`` groups.
    learning_rate : float
        After the first 50 steps, in which it rises. It does not fall: the moving average of the weights,
        which is what is kept, takes the place of that.
    start : int
        Steps that were done before, by a run that was cut off.
    every : int
        Steps from one call of `after` to the next; the network then has the averaged weights.
    after : callable, optional
        Called with the steps done and the mean loss.
    seed : int
        Fixes order, orientation and contrast.
    """
    for layer in network.layers:
        layer.trainable = not layer.name.startswith(SETTINGS["frozen"])
    rate = keras.optimizers.schedules.PolynomialDecay(0.1 * learning_rate, _WARM, learning_rate)
    optimizer = keras.optimizers.AdamW(rate, SETTINGS["weight_decay"], global_clipnorm=5.0)
    # XLA would compile for minutes and saves nothing on a CPU.
    network.compile(optimizer, ScoreLoss(), jit_compile=False)
    average = [np.array(value) for value in network.get_weights()]
    count = 0
    for done in range(start, steps, every):
        batches = _Batches(groups, min(every, steps - done), np.random.default_rng([seed, done]))
        averaging = _Averaging(average, count)
        loss = network.fit(batches, verbose=0, shuffle=False, callbacks=[averaging]).history["loss"][0]
        count = averaging.count
        if after or done + every >= steps:
            own = network.get_weights()
            network.set_weights(average)
            if after:
                after(done + len(batches), float(loss))
            if done + every < steps:
                network.set_weights(own)


class ScoreLoss(keras.losses.Loss):
    """The paper's regression and ranking within an original, and the order of images of different originals.

    Across originals the fidelity loss of UNIQUE (Zhang et al. 2021, arXiv 2005.13983) compares the
    probability that one image is better than another with that of their labels. Without it, materials drift
    apart.
    """

    def __init__(self) -> None:
        super().__init__(name="score")
        self.within = LabelRegression(SETTINGS["ranking_weight"])

    def call(self, y_true, y_pred):  # type: ignore[no-untyped-def]  # noqa: D102
        group, rest = y_true[:, :1], y_true[:, 1:]
        label, known = rest[:, -2 * KNOWN : -2 * KNOWN + 1], rest[:, -KNOWN : -KNOWN + 1]
        across = ops.cast(group != ops.transpose(group), "float32") * known * ops.transpose(known)
        wanted = ops.sigmoid(_STEEPNESS * (label - ops.transpose(label)))
        score = y_pred[:, :1]
        said = ops.sigmoid(_STEEPNESS * (score - ops.transpose(score)))
        fidelity = 1 - ops.sqrt(wanted * said + _EPSILON) - ops.sqrt((1 - wanted) * (1 - said) + _EPSILON)
        across_loss = ops.sum(across * fidelity) / ops.maximum(ops.sum(across), 1.0)
        return self.within.call(rest, y_pred) + SETTINGS["across_weight"] * _SCALE * across_loss


_STEEPNESS = 2.0  # of the probability that an image is better, for each point of difference
_EPSILON = 1e-4
_SCALE = 4.0  # makes the fidelity loss, which is at most 1, as large as squared errors of points


class _Averaging(keras.callbacks.Callback):
    """Keeps a moving average of the weights, which generalises better than the last ones."""

    def __init__(self, average: list[np.ndarray], count: int) -> None:
        super().__init__()
        self.average, self.count = average, count

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self.count += 1
        if self.count > 10 and self.count % 5:  # copying the weights takes as long as a few images
            return
        kept = min(SETTINGS["average"] ** 5, (1 + self.count) / (10 + self.count))
        for mean, variable in zip(self.average, self.model.weights, strict=True):
            mean += np.float32(1 - kept) * (np.asarray(variable) - mean)


class _Batches(keras.utils.PyDataset):
    """Steps: groups in random order, their images in random orientation and contrast."""

    def __init__(self, groups: Sequence[Group], steps: int, rng: np.random.Generator):
        super().__init__()
        self.groups, self.steps, self.rng = groups, steps, rng
        self._waiting: list[int] = []

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        if len(self._waiting) < SETTINGS["groups"]:
            self._waiting += self.rng.permutation(len(self.groups)).tolist()
        chosen = [self._some(self.groups[self._waiting.pop(0)]) for _ in range(SETTINGS["groups"])]
        images = np.concatenate([self._varied(group.images) for group in chosen])
        group = np.repeat(np.arange(len(chosen)), [len(group.images) for group in chosen])
        known = targets(chosen, SETTINGS["groups"] * SETTINGS["images"])
        return images[..., None], np.concatenate([group[:, None], known], axis=1, dtype=np.float32)

    def _some(self, group: Group) -> Group:
        """Draw the reference and others of a group that has more images than a step takes."""
        most = SETTINGS["images"]
        if len(group.images) <= most:
            return group
        others = 1 + self.rng.permutation(len(group.images) - 1)[: most - 1]
        return group.subset(np.concatenate([[0], np.sort(others)]))

    def _varied(self, images: np.ndarray) -> np.ndarray:
        """Turn, mirror, and change what another choice of intensity window would change."""
        images = np.rot90(images, int(self.rng.integers(4)), axes=(1, 2))
        if self.rng.integers(2):
            images = images[:, :, ::-1]
        contrast = self.rng.uniform(0.7, 1.0)
        black = self.rng.uniform(0, 1 - contrast)
        return images * np.float32(contrast / 255) + np.float32(black)
