"""A Labels layer to paint on: made where an image lies, or laid there."""

from typing import Any

import numpy as np
from napari.layers import Image, Labels

from napari_tiqa.widgets.segmentation.read_labels import full_shape
from napari_tiqa.widgets.shared.derived_layer import derived_labels

_BRUSH = 1 / 50  # of the shorter side of a slice
_BRUSH_PX = (3, 30)


def add_labels(viewer: Any, image: Image) -> Labels:
    """Add an empty Labels layer for an image, ready to paint on with the first label.

    Parameters
    ----------
    viewer : napari.Viewer
    image : napari.layers.Image
        Whose shape, scale, units and so on the labels take.

    Returns
    -------
    napari.layers.Labels
        In the viewer, selected, its brush in the hand.
    """
    shape = full_shape(image)
    # Memory that nobody has written to takes no room, however large the volume.
    layer = derived_labels(image, np.zeros(shape, np.uint8), f"labels of {image.name}")
    viewer.add_layer(layer)
    take_brush(viewer, layer, 1)
    layer.brush_size = int(np.clip(min(shape[-2:]) * _BRUSH, *_BRUSH_PX))
    return layer


def take_brush(viewer: Any, labels: Labels, value: int) -> None:
    """Select a Labels layer and paint on it with a label value from now on."""
    viewer.layers.selection.active = labels
    labels.selected_label = value
    if labels.editable:
        labels.mode = "paint"


def lay_on(labels: Labels, image: Image) -> None:
    """Lay labels where an image of the same shape lies."""
    start = image.ndim - labels.ndim  # time and channels, which labels of a volume lack
    labels.units = image.units[start:]
    labels.axis_labels = image.axis_labels[start:]
    labels.scale = image.scale[start:]
    labels.rotate = image.rotate[start:, start:]
    labels.shear = image.shear if start == 0 else np.zeros(labels.ndim * (labels.ndim - 1) // 2)
    labels.affine = image.affine.affine_matrix[start:, start:]
    labels.translate = image.translate[start:]
