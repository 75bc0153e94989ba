"""Layers that no dock offers to work on."""

import numpy as np
from napari.layers import Image, Labels, Layer

from napari_tiqa.widgets.shared.result_layers import Result, result_metadata


def not_originals() -> list[Layer]:
    """Return a colour image, labels, and a layer of each kind of result."""
    grey = np.zeros((3, 8, 8), np.float32)
    return [
        Image(np.zeros((8, 8, 3), np.uint8), rgb=True, name="photo"),
        Labels(np.zeros((8, 8), int), name="labels"),
        *(Image(grey, name=result.value, metadata=result_metadata(result, {})) for result in Result),
    ]
