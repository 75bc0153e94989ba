"""Show a layer in the viewer: visible, active, and not behind another image."""

from typing import Any

import numpy as np
from napari.layers import Layer

from napari_tiqa.widgets.shared.result_layers import is_original

_COVERING = ("opaque", "translucent", "translucent_no_depth")  # what lies below them is not seen


def show_layer(viewer: Any, layer: Layer) -> None:
    """Make a layer visible and active; originals that cover it are hidden, results on it are not."""
    layer.visible = True
    if not getattr(viewer, "canvas", viewer).grid.enabled:  # napari moved it in 0.9
        for above in list(viewer.layers)[viewer.layers.index(layer) + 1 :]:
            covers = above.visible and is_original(above) and above.blending in _COVERING
            if covers and _overlap(above, layer):
                above.visible = False
    viewer.layers.selection.active = layer


def _overlap(one: Layer, other: Layer) -> bool:
    """Whether two layers share a part of the world; also where their units or dimensions are not the same."""
    ndim = min(one.ndim, other.ndim)
    if tuple(one.units[-ndim:]) != tuple(other.units[-ndim:]):
        return True
    (low, high), (other_low, other_high) = (
        np.asarray(layer.extent.world)[:, -ndim:] for layer in (one, other)
    )
    return bool(((low <= other_high) & (other_low <= high)).all())
