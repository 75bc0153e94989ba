"""Train the network that estimates fidelity from filtered scans."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from models.filtered_scans import FilteredScan
from napari_tiqa.scoring.backbone import load_imagenet
from napari_tiqa.scoring.fidelity_network import (
    FEATURES,
    build_fidelity_network,
    image_features,
)
from napari_tiqa.scoring.scale import SIMILARITIES

SETTINGS: dict[str, Any] = {
    "seed": 0,
    "epochs": 8,
    "learning_rate": 3e-4,
    "scans": 3,  # a step
    "images": 9,  # of each, the unfiltered one first
    "side": 160,  # px; pieces of the tiles, the same of each image of a scan
    "head_units": 256,
    "dropout": 0.1,
    "frozen": ("stem", "stage1"),
}
"""How the bundled network is trained."""


def train_fidelity(
    scans: Sequence[FilteredScan], report: Callable[[int, int, float], object] | None = None
) -> keras.Model:
    """Train a network to estimate how like its truth each image is.

    Parameters
    ----------
    scans : sequence of FilteredScan
        Of ``filtered_scans``.
    report : callable, optional
        Called after each epoch with the epochs done, all epochs and the loss.

    Returns
    -------
    keras.Model
        A network of ``fidelity_network.build_fidelity_network``.
    """
    keras.utils.set_random_seed(SETTINGS["seed"])
    network = build_fidelity_network(SETTINGS["head_units"], SETTINGS["dropout"], SETTINGS["side"])
    load_imagenet(network)
    for layer in network.layers:
        layer.trainable = not layer.name.startswith(SETTINGS["frozen"])
    comparing = _comparing(network)
    pieces = _Pieces(scans, np.random.default_rng(SETTINGS["seed"]))
    epochs = SETTINGS["epochs"]
    schedule = keras.optimizers.schedules.CosineDecay(SETTINGS["learning_rate"], epochs * len(pieces))
    # XLA would compile for a minute and saves nothing on a CPU.
    comparing.compile(keras.optimizers.Adam(schedule), SimilarityLoss(SETTINGS["images"]), jit_compile=False)
    after_epoch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: report(epoch + 1, epochs, logs["loss"]) if report else None
    )
    comparing.fit(pieces, epochs=epochs, callbacks=[after_epoch], verbose=0, shuffle=False)
    whole = build_fidelity_network(SETTINGS["head_units"], SETTINGS["dropout"])
    whole.set_weights(network.get_weights())
    return whole


def _comparing(network: keras.Model) -> keras.Model:
    """Make a network of the same weights that takes all images of a scan, the unfiltered one first.

    So the features of that one, which all of them are compared with, are computed, and learn, once.
    """
    images = keras.Input(network.input[0].shape[1:])
    features = image_features(network)(images)
    before = ops.reshape(features, (-1, SETTINGS["images"], FEATURES))[:, :1]
    before = ops.reshape(ops.repeat(before, SETTINGS["images"], axis=1), (-1, FEATURES))
    head = keras.Model([network.get_layer("pool").output, network.input[1]], network.output)
    return keras.Model(images, head([features, before]))


class SimilarityLoss(keras.losses.Loss):
    """How far the estimates are off: within each scan, and a little also from scan to scan.

    Which version of a scan is best is what matters; differences between versions count in units of how much
    the versions of that scan differ, so that slight faults teach as much as strong ones.

    Parameters
    ----------
    images : int
        Images of each scan, one scan after the other in a batch.
    absolute_weight : float
        Weight of the squared error itself beside that of the differences.
    """

    def __init__(self, images: int, absolute_weight: float = 3.0):
        super().__init__(name="similarity")
        self.images = images
        self.absolute_weight = absolute_weight

    def call(self, y_true, y_pred):  # type: ignore[no-untyped-def]  # noqa: D102
        shape = (-1, self.images, len(SIMILARITIES))
        true, estimate = ops.reshape(y_true, shape), ops.reshape(y_pred, shape)
        centred = (estimate - ops.mean(estimate, 1, keepdims=True)) - (
            true - ops.mean(true, 1, keepdims=True)
        )
        spread = ops.std(true, 1, keepdims=True) + 0.02
        return ops.mean(ops.square(centred / spread)) + self.absolute_weight * ops.mean(
            ops.square(estimate - true)
        )


class _Pieces(keras.utils.PyDataset):
    """The steps of an epoch: scans in a new order, of each some images and one piece of all of them.

    Turning, mirroring and mild changes of contrast leave fidelity as it is.
    """

    def __init__(self, scans: Sequence[FilteredScan], rng: np.random.Generator):
        super().__init__()
        self.scans = scans
        self.rng = rng
        self.on_epoch_end()

    def on_epoch_end(self) -> None:
        self.order = self.rng.permutation(len(self.scans))

    def __len__(self) -> int:
        return max(1, len(self.scans) // SETTINGS["scans"])

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self.order[step * SETTINGS["scans"] : (step + 1) * SETTINGS["scans"]]
        drawn = [self._drawn(self.scans[number]) for number in chosen]
        images, similarity = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
        return images[..., None], similarity

    def _drawn(self, scan: FilteredScan) -> tuple[np.ndarray, np.ndarray]:
        side = SETTINGS["side"]
        truth_and_filtered = [0, *range(2, len(scan.images))]
        kept = [1, *self.rng.permutation(truth_and_filtered)[: SETTINGS["images"] - 1]]
        row, column = self.rng.integers(scan.images.shape[1] - side + 1, size=2)
        images = scan.images[kept, row : row + side, column : column + side]
        images = np.rot90(images, int(self.rng.integers(4)), axes=(1, 2))
        if self.rng.integers(2):
            images = images[:, :, ::-1]
        contrast = self.rng.uniform(0.75, 1.0)
        black = self.rng.uniform(0, 1 - contrast)
        return images * np.float32(contrast / 255) + np.float32(black), scan.similarity[kept]
