"""The network: EfficientNet features, the paper's ranking head, one score and what lowers it."""

import keras
import numpy as np
from keras import ops

from napari_tiqa.errors import TrainingError
from napari_tiqa.scoring.network_input import TILE_SIZE
from napari_tiqa.scoring.scale import ARTEFACTS
from napari_tiqa.weights import WEIGHTS_FOLDER

# Repeats, kernel, stride, expansion, channels of each stage (Tan & Le 2019, Table 1; the Lite
# variant has neither squeeze-excite nor swish and keeps stem and head at their B0 widths).
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
IMAGENET_WEIGHTS = WEIGHTS_FOLDER / "efficientnet_lite0_imagenet.npz"


LITE0 = "EfficientNet-Lite0"
BACKBONES = (LITE0, "EfficientNetB0", "EfficientNetB1", "EfficientNetB2")
"""Lite0 comes with the package; the weights of the others are downloaded by Keras."""

# Layers whose channels tell one content from another: early ones, which training has not yet bent to quality
# alone. Lite0's names, then those of keras.applications.
_CONTENT_LAYERS = (
    ("stage2_1_add", "stage3_1_add", "stage4_2_add", "stage5_2_add"),
    ("block2b_add", "block3b_add", "block4c_add", "block5c_add"),
)


_HEAD = ("head", "score", "artefacts")
_IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


def build_network(
    dropout: float = 0.5,
    head_units: int = 1280,
    backbone: str = LITE0,
    artefacts: int = len(ARTEFACTS),
) -> keras.Model:
    """Build the scoring network with random weights.

    Batch normalisation is folded into Lite0's convolutions. Its ImageNet statistics stay fixed in
    fine-tuning, because a batch of sixteen versions of one slice has none worth learning, and a score
    must not depend on the other slices of its batch; folded, each step is also a third cheaper.

    Parameters
    ----------
    dropout : float
        Dropout rate of both hidden layers of the head, 0 to 1.
    head_units : int
        Width of both hidden layers of the head.
    backbone : str
        One of `BACKBONES`.
    artefacts : int
        How many of `ARTEFACTS` are told apart, from the first on.

    Returns
    -------
    keras.Model
        Grey images, shape (n, 224, 224, 1), float32 in [0, 1], to shape (n, 1 + artefacts), float32: the
        score, and the points lost to each of `ARTEFACTS` (not yet made to add up).

    Raises
    ------
    TrainingError
        If there is no such backbone.

    Notes
    -----
    Backbone: Tan & Le, EfficientNet, ICML 2019, by default in its Lite0 variant. Head: Zhang et al. 2022,
    doi 10.1038/s41524-022-00870-z, Dense-dropout-Dense-dropout-Dense on globally pooled features.
    """
    if backbone not in BACKBONES:
        raise TrainingError(f"There is no backbone {backbone!r}; choose one of {', '.join(BACKBONES)}.")
    image = keras.Input((TILE_SIZE, TILE_SIZE, 1), name="image")
    x = lite0(image) if backbone == LITE0 else _efficientnet(image, backbone)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = hidden_layers(x, head_units, dropout)
    score = keras.layers.Dense(1, dtype="float32", name="score")(x)
    lost = keras.layers.Dense(artefacts, dtype="float32", name="artefacts")(x)
    return keras.Model(image, keras.layers.Concatenate(name="outputs")([score, lost]), name="tiqa")


def hidden_layers(x: keras.KerasTensor, units: int, dropout: float) -> keras.KerasTensor:
    """Add the head's two hidden layers to features of shape (n, f)."""
    for i in (1, 2):
        x = keras.layers.Dense(units, "relu", name=f"head{i}")(x)
        x = keras.layers.Dropout(dropout, name=f"head{i}_dropout")(x)
    return x


def load_imagenet(network: keras.Model, backbone: str = LITE0) -> None:
    """Set the backbone of `network` to its ImageNet weights; the head is left as it is.

    Raises TrainingError if the weights must be downloaded and cannot be.
    """
    if backbone == LITE0:
        with np.load(IMAGENET_WEIGHTS, allow_pickle=False) as stored:
            for name in sorted({key.rpartition("/")[0] for key in stored.files}):
                kernel, bias = stored[f"{name}/kernel"], stored[f"{name}/bias"]
                network.get_layer(name).set_weights([kernel.astype("float32"), bias])
        return
    try:
        pretrained = _application(backbone)(include_top=False, weights="imagenet")
    except Exception as error:  # whatever urllib, ssl or the file system make of a missing connection
        raise TrainingError(
            f"The ImageNet weights of {backbone} cannot be downloaded ({error}): go online, or choose "
            f"{LITE0}, whose weights come with napari-tiqa."
        ) from error
    # By order, since Keras gives some layers another name each time it builds a network.
    own = [layer for layer in network.layers if layer.weights and not layer.name.startswith(_HEAD)]
    for layer, source in zip(own, (layer for layer in pretrained.layers if layer.weights), strict=True):
        weights = source.get_weights()
        if isinstance(layer, keras.layers.Normalization):
            # Keras divides its ImageNet networks' input once more, in a layer that others do not have.
            weights[1] = weights[1] * np.array(_IMAGENET_DEVIATION)
        layer.set_weights(weights)


def content_features(network: keras.Model) -> keras.KerasTensor:
    """Return the content features: mean and standard deviation of middle layers' channels, shape (n, f)."""
    known = {layer.name for layer in network.layers}
    names = next(names for names in _CONTENT_LAYERS if names[0] in known)
    outputs = [network.get_layer(name).output for name in names]
    return ops.concatenate([f(out, (1, 2)) for out in outputs for f in (ops.mean, ops.std)], axis=1)


def _efficientnet(image: keras.KerasTensor, backbone: str) -> keras.KerasTensor:
    # Three equal channels, 0..255: what the networks of keras.applications rescale by themselves.
    colour = keras.layers.Concatenate(name="colour")([image] * 3)
    colour = keras.layers.Rescaling(255.0, name="grey_levels")(colour)
    network = _application(backbone)(include_top=False, weights=None, input_tensor=colour)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False  # which also makes it use its fixed statistics in training
    return network.output


def _application(backbone: str):  # type: ignore[no-untyped-def]
    return getattr(keras.applications, backbone)


def lite0(image: keras.KerasTensor) -> keras.KerasTensor:
    """Add EfficientNet-Lite0's layers: grey images in [0, 1] to 1280 channels, 32 times smaller."""
    x = keras.layers.Rescaling(255 / 128, offset=-127 / 128, name="imagenet_range")(image)
    x = _relu6(_conv(x, 32, 3, 2, "stem"), "stem")
    channels = 32
    for stage, (repeats, kernel, stride, expansion, out) in enumerate(_STAGES, start=1):
        for repeat in range(repeats):
            name = f"stage{stage}_{repeat}"
            x = _inverted_bottleneck(x, channels, out, kernel, stride if repeat == 0 else 1, expansion, name)
            channels = out
    return _relu6(_conv(x, 1280, 1, 1, "top"), "top")


def _conv(x: keras.KerasTensor, filters: int, kernel: int, stride: int, name: str) -> keras.KerasTensor:
    return keras.layers.Conv2D(filters, kernel, stride, "same", name=name)(x)


def _relu6(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return keras.layers.ReLU(6.0, name=f"{name}_relu6")(x)


def _inverted_bottleneck(
    x: keras.KerasTensor,
    channels: int,
    out: int,
    kernel: int,
    stride: int,
    expansion: int,
    name: str,
) -> keras.KerasTensor:
    y = x
    if expansion > 1:
        y = _relu6(_conv(y, channels * expansion, 1, 1, f"{name}_expand"), f"{name}_expand")
    y = keras.layers.DepthwiseConv2D(kernel, stride, "same", name=f"{name}_depthwise")(y)
    y = _relu6(y, f"{name}_depthwise")
    y = _conv(y, out, 1, 1, f"{name}_project")
    if stride == 1 and channels == out:
        y = keras.layers.Add(name=f"{name}_add")([x, y])
    return y
