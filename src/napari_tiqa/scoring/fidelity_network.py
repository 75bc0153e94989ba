"""The network behind the fidelity estimate: what an image is like, and what became of it by filtering."""

import keras

from napari_tiqa.scoring.backbone import hidden_layers, lite0
from napari_tiqa.scoring.network_input import TILE_SIZE
from napari_tiqa.scoring.scale import SIMILARITIES

FEATURES = 1280
"""Pooled features of an image."""


def build_fidelity_network(head_units: int = 256, dropout: float = 0.1, side: int = TILE_SIZE) -> keras.Model:
    """Build the network, for images of `side` px, with random weights, which do not depend on the side.

    The head (two hidden layers of `head_units`) sees the features of a filtered image, and by how much they
    differ from those of the image before filtering: fine texture that a filter took away cannot be missed in
    what is left. It takes grey images, shape (n, side, side, 1), float32 in [0, 1], and the features of each
    one's unfiltered image, shape (n, 1280); it gives shape (n, 2), the metrics of ``fidelity.SIMILARITIES``.
    """
    image = keras.Input((side, side, 1), name="image")
    before = keras.Input((FEATURES,), name="before")
    features = keras.layers.GlobalAveragePooling2D(name="pool")(lite0(image))
    difference = keras.layers.Subtract(name="difference")([features, before])
    x = keras.layers.Concatenate(name="compared")([features, difference])
    x = hidden_layers(x, head_units, dropout)
    x = keras.layers.Dense(len(SIMILARITIES), dtype="float32", name="similarities")(x)
    return keras.Model([image, before], x, name="fidelity")


def image_features(network: keras.Model) -> keras.Model:
    """Return the part of the network that turns images into features, shape (n, 1280)."""
    return keras.Model(network.input[0], network.get_layer("pool").output)
