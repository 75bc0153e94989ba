"""The choice of what counts of each slice: all, the reconstruction circle, a Shapes or Labels layer."""

from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer, Shapes
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox
from skimage.draw import polygon2mask

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.region import CIRCLE, Region, as_region
from napari_tiqa.widgets.shared.forms import choice_box, quietly
from napari_tiqa.widgets.shared.result_layers import unwrapped
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.widgets.shared.slider import layer_shape, to_other_layer

_WHOLE = "whole slices"
_CLOSED = ("rectangle", "ellipse", "polygon")
_ELLIPSE_CORNERS = 256


class RegionBox:
    """Offers the regions that fit an image layer; `box` is the widget.

    A layer that was chosen stays chosen while it is there and fits, whatever is drawn on it.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self.box: QComboBox = choice_box(
            [],
            "What counts of each slice; nothing outside has a part in scores, maps and figures.\n"
            "The reconstruction circle is inscribed in the slices across z. Shapes hold for every slice,\n"
            "whichever they were drawn on. Labels other than 0 are inside, slice by slice where they have\n"
            "the shape of the volume.",
        )
        self.changed: Signal = self.box.currentIndexChanged
        self.offer(None)

    def offer(self, image: Image | None) -> None:
        """Offer what fits an image layer."""
        chosen = self.box.currentData()
        layers = [unwrapped(layer) for layer in reversed(self._viewer.layers)]
        fitting = [layer for layer in layers if image is not None and _fits(layer, image)]
        choices = [(_WHOLE, None), ("reconstruction circle", CIRCLE)]
        choices += [(layer.name, layer.unique_id) for layer in fitting]
        with quietly(self.box):
            self.box.clear()
            for name, value in choices:
                self.box.addItem(name, value)
            self.box.setCurrentIndex(max(0, self.box.findData(chosen)))
        if self.box.currentData() != chosen:
            self.changed.emit(self.box.currentIndex())

    def region(self, source: SliceSource) -> Region | None:
        """Return the region chosen, for the slices of a source; None where all of them counts.

        Raises VolumeError where it has hardly any pixels.
        """
        chosen = self.box.currentData()
        if chosen is None or chosen == CIRCLE:
            return as_region(chosen, source.volume, source.axis)
        (layer,) = (unwrapped(layer) for layer in self._viewer.layers if layer.unique_id == chosen)
        mask = self._mask_of_shapes(layer, source) if isinstance(layer, Shapes) else _labels(layer, source)
        return as_region(mask, source.volume, source.axis, layer.name)

    def _mask_of_shapes(self, shapes: Shapes, source: SliceSource) -> np.ndarray:
        in_plane = [d for d in range(source.layer.ndim) if d not in source.across]
        mask = np.zeros(source.volume.slice_shape(source.axis), bool)
        outlines = [
            _ellipse(corners) if kind == "ellipse" else corners
            for corners, kind in zip(shapes.data, shapes.shape_type, strict=True)
            if kind in _CLOSED
        ]
        if not outlines:
            raise VolumeError(
                f"'{shapes.name}' has no closed shape: draw a rectangle, an ellipse or a polygon around what "
                "is to count."
            )
        for outline in outlines:
            vertices = to_other_layer(self._viewer, outline, shapes, source.layer)
            mask |= polygon2mask(mask.shape, vertices[:, in_plane])
        return mask


def _fits(layer: Layer, image: Image) -> bool:
    if isinstance(layer, Shapes):
        return True
    if not isinstance(layer, Labels):
        return False
    shape, own = layer_shape(image), layer_shape(layer)
    return len(own) > 1 and own == shape[-len(own) :] and np.allclose(layer.scale, image.scale[-len(own) :])


def _labels(labels: Labels, source: SliceSource) -> Any:
    """Return the labels of a source's volume, or of one of its slices, lazily where they are stored so."""
    data = labels.data[0] if labels.multiscale else labels.data
    further = source.layer.ndim - data.ndim
    place = tuple(source.at.get(d + further, slice(None)) for d in range(data.ndim))
    return data[place]


def _ellipse(corners: np.ndarray) -> np.ndarray:
    """Return the outline of the ellipse in a box, corners (4, d), in the plane of the box: (256, d)."""
    angle = np.linspace(0, 2 * np.pi, _ELLIPSE_CORNERS, endpoint=False)[:, None]
    outline: np.ndarray = (
        corners.mean(0)
        + np.cos(angle) * (corners[1] - corners[0]) / 2
        + np.sin(angle) * (corners[3] - corners[0]) / 2
    )
    return outline
