"""Between napari's sliders and the slices of a layer: where the viewer is, and what it shows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from napari.layers import Layer

from napari_tiqa.widgets.shared.result_layers import is_original

_COVERING = ("opaque", "translucent", "translucent_no_depth")  # what lies below them is not seen


def layer_shape(layer: Layer) -> tuple[int, ...]:
    """Return how many pixels a layer has along each dimension, at full resolution."""
    return tuple((layer.data[0] if getattr(layer, "multiscale", False) else layer.data).shape)[: layer.ndim]


def layer_position(viewer: Any, layer: Layer) -> tuple[int, ...]:
    """Return the layer's data index at the viewer's sliders, one per dimension, kept inside the layer."""
    shape = layer_shape(layer)
    # napari's world has its own unit per dimension; a layer in mm beside one in µm is converted.
    world = np.asarray(_layer_dims(viewer, layer, viewer.dims.point)) * _unit_factors(viewer, layer)
    index = np.rint(np.asarray(layer.world_to_data(world))).astype(int)
    return tuple(int(i) for i in np.clip(index, 0, np.asarray(shape) - 1))


def shown_slice(viewer: Any, layer: Layer, dimension: int) -> int | None:
    """Return the slice of the layer that the viewer shows along a dimension; None where it shows them all."""
    if _viewer_dimension(viewer, layer, dimension) in viewer.dims.displayed:
        return None
    return layer_position(viewer, layer)[dimension]


def go_to_slice(
    viewer: Any, layer: Layer, dimension: int, index: int, at: Mapping[int, int] | None = None
) -> None:
    """Move the viewer to a slice of a layer, its dimension put on a slider; `at` as in `derived_layer`."""
    turned = _viewer_dimension(viewer, layer, dimension)
    if turned in viewer.dims.displayed:
        viewer.dims.ndisplay = 2
        others = [d for d in viewer.dims.order if d != turned]
        viewer.dims.order = (*others[:-2], turned, *others[-2:])
    target = list(layer_position(viewer, layer))
    for fixed, place in {**(at or {}), dimension: index}.items():
        target[fixed] = place
    world = np.asarray(layer.data_to_world(target)) / _unit_factors(viewer, layer)
    moved = [dimension, *(at or {})]
    viewer.dims.set_point(
        [_viewer_dimension(viewer, layer, d) for d in moved], [float(world[d]) for d in moved]
    )


def to_other_layer(viewer: Any, positions: np.ndarray, layer: Layer, other: Layer) -> np.ndarray:
    """Return where positions in a layer's data, (n, its dimensions), lie in another layer's: (n, those).

    A dimension that the first layer lacks is where the viewer's slider is.
    """
    found = []
    for position in positions:
        world = np.array(viewer.dims.point, float)
        own = np.asarray(layer.data_to_world(position)) / _unit_factors(viewer, layer)
        world[viewer.dims.ndim - layer.ndim :] = own
        found.append(other.world_to_data(_layer_dims(viewer, other, world) * _unit_factors(viewer, other)))
    return np.asarray(found)


def show_layer(viewer: Any, layer: Layer) -> None:
    """Make a layer visible and active; originals that cover it are hidden, results on it are not."""
    layer.visible = True
    if not getattr(viewer, "canvas", viewer).grid.enabled:  # napari moved it in 0.9
        for above in list(viewer.layers)[viewer.layers.index(layer) + 1 :]:
            covers = above.visible and is_original(above) and above.blending in _COVERING
            if covers and _overlap(above, layer):
                above.visible = False
    viewer.layers.selection.active = layer


def _viewer_dimension(viewer: Any, layer: Layer, dimension: int) -> int:
    return dimension + viewer.dims.ndim - layer.ndim


def _layer_dims(viewer: Any, layer: Layer, values: Any) -> Any:
    return values[viewer.dims.ndim - layer.ndim :]


def _unit_factors(viewer: Any, layer: Layer) -> np.ndarray:
    """Return, per layer dimension, what a world coordinate is multiplied with to be in the layer's unit."""
    world_units = getattr(viewer.dims, "units", None)
    if world_units is None or len(world_units) < layer.ndim:
        return np.ones(layer.ndim)
    pairs = zip(_layer_dims(viewer, layer, world_units), layer.units, strict=True)
    return np.asarray([float((1 * world).to(own).magnitude) for world, own in pairs])


def _overlap(one: Layer, other: Layer) -> bool:
    """Whether two layers share a part of the world; also where their units or dimensions are not the same."""
    ndim = min(one.ndim, other.ndim)
    if tuple(one.units[-ndim:]) != tuple(other.units[-ndim:]):
        return True
    (low, high), (other_low, other_high) = (
        np.asarray(layer.extent.world)[:, -ndim:] for layer in (one, other)
    )
    return bool(((low <= other_high) & (other_low <= high)).all())
