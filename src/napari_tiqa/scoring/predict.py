"""Tiles to scores, in batches of one fixed size. Runs where Keras may be imported: in the model process."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_tiqa.scoring.bundle import SCORE, load_network
from napari_tiqa.scoring.calibration import Calibration
from napari_tiqa.scoring.out_of_memory import is_out_of_memory
from napari_tiqa.scoring.scale import ARTEFACTS, FIRST_ARTEFACTS, SCORE_RANGE

if TYPE_CHECKING:
    import keras

BATCH_SIZE = 32
"""Tiles per forward pass at most."""

_AT_ONCE = max(1, min(int(os.environ.get("NAPARI_TIQA_BATCH_SIZE", BATCH_SIZE)), BATCH_SIZE))
"""Tiles per forward pass where the memory has no room for more; halved where it runs out all the same."""

_FEW = (1, 6, 9, 12)
# A network is compiled once for each size of a batch, which takes a second or more, so there are few. The
# smaller ones are for a slice that is filtered while a slider moves, when somebody waits for the score: one
# of up to 280 px is one tile, of 720 px six, of 2048 px twelve (``scoring.pyramid``); fidelity has nine.


AfterBatch = Callable[[int], object]
"""Called with the number of tiles done so far; what it raises ends the work."""


@dataclass(frozen=True)
class ScoreModel:
    """A trained network and its calibration, None where the model was never evaluated."""

    network: "keras.Model"
    calibration: Calibration | None = None

    @cached_property
    def with_features(self) -> "keras.Model":
        """The network with its content features as a second output."""
        import keras

        from napari_tiqa.scoring.backbone import content_features

        return keras.Model(self.network.input, [self.network.output, content_features(self.network)])


def predict(model: ScoreModel, tiles: np.ndarray, after_batch: AfterBatch | None = None) -> np.ndarray:
    """Score tiles, and say how sure the score is and what pulls it down.

    Parameters
    ----------
    model : ScoreModel
        As of ``bundle.load_model``.
    tiles : numpy.ndarray
        Shape (n, 224, 224), float32 in [0, 1].
    after_batch : callable, optional
        Called with the number of tiles done so far; what it raises ends the prediction.

    Returns
    -------
    numpy.ndarray
        Shape (n, 9), float32, with the columns of `PREDICTED`: the score, 1..5; half the width of its 90 %
        interval, points; the points lost to each of `ARTEFACTS`, which add up to 5 - score, 0 for those that
        an older model does not tell apart; and twice the probability that the image is unlike those of the
        training. NaN where unknown.
    """
    outputs, features = forward(model.with_features, tiles, after_batch)
    raw = np.clip(outputs[:, 0], *SCORE_RANGE)
    calibration = model.calibration
    score = calibration.score(raw) if calibration else raw
    shares = np.zeros((len(tiles), len(ARTEFACTS)))
    shares[:, : outputs.shape[1] - 1] = np.maximum(outputs[:, 1:], 0) + 1e-6
    parts = shares / shares.sum(1, keepdims=True) * (SCORE_RANGE[1] - score)[:, None]
    unknown = np.full(len(tiles), np.nan)
    uncertainty = calibration.uncertainty(raw) if calibration else unknown
    novelty = calibration.novelty(features, tiles) if calibration else unknown
    return np.column_stack([score, uncertainty, parts, novelty]).astype(np.float32)


def predict_scores(
    network: "keras.Model", tiles: np.ndarray, after_batch: AfterBatch | None = None
) -> np.ndarray:
    """Score tiles by a network that is not calibrated: shape (n,), float32 in 1..5."""
    (outputs,) = forward(network, tiles, after_batch)
    return np.clip(outputs[:, 0], *SCORE_RANGE)


def forward(
    network: "keras.Model",
    tiles: np.ndarray,
    after_batch: AfterBatch | None = None,
    others: Sequence[np.ndarray] = (),
) -> list[np.ndarray]:
    """Return each output of a network, shape (n, ...), for all tiles, (n, 224, 224), float32 in [0, 1].

    The network takes images of shape (n, 224, 224, 1), and then `others`, n rows each. Where memory runs out,
    batches are halved, for good; the error of a single tile is the library's own.
    """
    batches: list[list[np.ndarray]] = []
    done = 0
    while not batches or done < len(tiles):
        size = _size_for(len(tiles) - done)
        inputs = [rows[done : done + size] for rows in (tiles[..., None], *others)]
        count = len(inputs[0])
        if count < size:
            inputs = [
                np.concatenate([rows, np.zeros((size - count, *rows.shape[1:]), "f4")]) for rows in inputs
            ]
        try:
            outputs = network.predict_on_batch(inputs if others else inputs[0])
        except Exception as error:
            if size == 1 or not is_out_of_memory(error):
                raise
            _take_fewer(size // 2)
            continue
        batches.append([out[:count] for out in (outputs if isinstance(outputs, list) else [outputs])])
        done += count
        if after_batch:
            after_batch(done)
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]


def _size_for(count: int) -> int:
    """Return the least size of a batch that so many tiles fit into, else the largest."""
    return next((size for size in _FEW if count <= size <= _AT_ONCE), _AT_ONCE)


def _take_fewer(size: int) -> None:
    """Have this process take so few tiles at once from now on, since there is no memory for more."""
    global _AT_ONCE
    _AT_ONCE = size


def load_model(path: str | os.PathLike[str] | None = None) -> ScoreModel:
    """Build the network of a bundle; the default model where `path` is omitted.

    Nothing in a bundle is executed: arrays are read without pickle. Raises BundleError as ``load_card``, and
    if the weights do not fit the network.
    """
    from napari_tiqa.scoring.backbone import build_network

    def build(card: dict[str, Any]) -> "keras.Model":
        artefacts = len(card.get("artefacts", FIRST_ARTEFACTS))
        return build_network(head_units=card["head_units"], backbone=card["backbone"], artefacts=artefacts)

    network, _, arrays = load_network(path, SCORE, build)
    arrays = {name.partition("/")[2]: values for name, values in arrays.items()}
    return ScoreModel(network, Calibration.from_arrays(arrays) if arrays else None)
