"""The network: EfficientNet-Lite0 features, the paper's ranking head, one score."""

from pathlib import Path

import keras
import numpy as np

from napari_tiqa.scoring.network_input import TILE_SIZE

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
IMAGENET_WEIGHTS = Path(__file__).parents[1] / "weights" / "efficientnet_lite0_imagenet.npz"


def build_network(dropout: float = 0.5, head_units: int = 1280) -> keras.Model:
    """Build the scoring network with random weights.

    Batch normalisation is folded into the convolutions. Its ImageNet statistics stay fixed in
    fine-tuning, because a batch of sixteen versions of one slice has none worth learning, and a score
    must not depend on the other slices of its batch; folded, each step is also a third cheaper.

    Parameters
    ----------
    dropout : float
        Dropout rate of both hidden layers of the head, 0 to 1.
    head_units : int
        Width of both hidden layers of the head.

    Returns
    -------
    keras.Model
        Grey images, shape (n, 224, 224, 1), float32 in [0, 1], to scores of shape (n, 1), float32.

    Notes
    -----
    Backbone: Tan & Le, EfficientNet, ICML 2019, in its Lite0 variant. Head: Zhang et al. 2022,
    doi 10.1038/s41524-022-00870-z, Dense-dropout-Dense-dropout-Dense on globally pooled features.
    """
    image = keras.Input((TILE_SIZE, TILE_SIZE, 1), name="image")
    x = keras.layers.Rescaling(255 / 128, offset=-127 / 128, name="imagenet_range")(image)
    x = _relu6(_conv(x, 32, 3, 2, "stem"), "stem")
    channels = 32
    for stage, (repeats, kernel, stride, expansion, out) in enumerate(_STAGES, start=1):
        for repeat in range(repeats):
            name = f"stage{stage}_{repeat}"
            x = _inverted_bottleneck(x, channels, out, kernel, stride if repeat == 0 else 1, expansion, name)
            channels = out
    x = _relu6(_conv(x, 1280, 1, 1, "top"), "top")
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    for i in (1, 2):
        x = keras.layers.Dense(head_units, "relu", name=f"head{i}")(x)
        x = keras.layers.Dropout(dropout, name=f"head{i}_dropout")(x)
    score = keras.layers.Dense(1, dtype="float32", name="score")(x)
    return keras.Model(image, score, name="tiqa_lite0")


def load_imagenet(network: keras.Model) -> None:
    """Set the backbone of `network` to its ImageNet weights; the head is left as it is."""
    with np.load(IMAGENET_WEIGHTS, allow_pickle=False) as stored:
        for name in sorted({key.rpartition("/")[0] for key in stored.files}):
            kernel, bias = stored[f"{name}/kernel"], stored[f"{name}/bias"]
            network.get_layer(name).set_weights([kernel.astype("float32"), bias])


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
