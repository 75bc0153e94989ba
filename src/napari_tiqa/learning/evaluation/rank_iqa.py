"""RankIQA as a baseline: a VGG16 that learns to rank distorted versions, then human labels alone.

X. Liu, J. van de Weijer, A. D. Bagdanov, ICCV 2017, doi 10.1109/ICCV.2017.118.
"""

from collections.abc import Callable, Sequence

import keras
from keras import ops

from napari_tiqa.learning.images.groups import Group
from napari_tiqa.learning.training.stages import rank, regress
from napari_tiqa.scoring.backbone import LITE0, build_network, load_imagenet
from napari_tiqa.scoring.network_input import TILE_SIZE
from napari_tiqa.scoring.predict import predict_scores
from napari_tiqa.scoring.scale import ARTEFACTS

RANKING_EPOCHS, REGRESSION_EPOCHS = 30, 20
"""As many as the model it is compared with has."""

_SEED = 0


def fit_rank_iqa(
    training: Sequence[Group],
    fitting: Callable[[float], object],
    epochs: tuple[int, int] = (RANKING_EPOCHS, REGRESSION_EPOCHS),
) -> tuple[str, keras.Model]:
    """Train RankIQA: all groups are ranked; those images that have a label are regressed.

    `fitting` is called after each step with the share done, 0..1; `epochs` are passes of ranking and of
    regression. Returns the network and its backbone: "VGG16", or the default backbone where VGG16's ImageNet
    weights cannot be downloaded. Raises TrainingError with fewer than 5 groups, or none that has a label.
    """
    keras.utils.set_random_seed(_SEED)
    backbone, network = _network()
    done = 0

    def after_step(step: int, steps: int) -> None:
        nonlocal done
        done += 1
        fitting(done / (steps * sum(epochs)))

    rank(network, training, epochs=epochs[0], seed=_SEED, after_step=after_step)
    regress(network, training, epochs=epochs[1], seed=_SEED + 1, after_step=after_step)
    return backbone, network


def predict_rank_iqa(network: keras.Model, group: Group):  # type: ignore[no-untyped-def]
    """Score the images of a group: shape (n,), float32 in 1..5."""
    return predict_scores(network, group.tiles())


def _network() -> tuple[str, keras.Model]:
    try:
        features = keras.applications.VGG16(include_top=False, weights="imagenet")
    except Exception:  # whatever urllib, ssl or the file system make of a missing connection
        network = build_network()
        load_imagenet(network)
        return LITE0, _score_alone(network.input, network.get_layer("score").output)
    return "VGG16", rank_iqa_network(features)


def rank_iqa_network(features: keras.Model) -> keras.Model:
    """Put the head on ``keras.applications.VGG16`` without its top.

    The network takes grey images, shape (n, 224, 224, 1), float32 in [0, 1], and returns shape (n, 4): the
    score and three zeros.
    """
    image = keras.Input((TILE_SIZE, TILE_SIZE, 1), name="image")
    # VGG16's own input: blue, green, red in 0..255, less ImageNet's means.
    colours = [image * 255.0 - mean for mean in (103.939, 116.779, 123.68)]
    x = features(keras.layers.Concatenate(name="colours")(colours))
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    for i in (1, 2):
        x = keras.layers.Dense(1280, "relu", name=f"head{i}")(x)
        x = keras.layers.Dropout(0.5, name=f"head{i}_dropout")(x)
    return _score_alone(image, keras.layers.Dense(1, name="score")(x))


def _score_alone(image: keras.KerasTensor, score: keras.KerasTensor) -> keras.Model:
    """Give the losses the columns they expect: constants for the points lost, which teach nothing."""
    constants = [ops.zeros_like(score)] * len(ARTEFACTS)
    return keras.Model(image, keras.layers.Concatenate(name="outputs")([score, *constants]), name="rank_iqa")
