"""The layer of a result: it lies where its source lies, in the same units and under the same axis names."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer

from napari_tiqa.widgets.shared.result_layers import unwrapped


def derived_layer(
    source: Layer, data: np.ndarray, name: str, at: Mapping[int, int] | None = None, **properties: Any
) -> Image:
    """Make an image layer of what was computed from another layer, placed as that is.

    `data` has the source's pixels along each of its dimensions, in order, but for those in `at`: dimensions
    that `data` lacks, and the index along each that it was computed at; the layer is one slice thick there.
    (A layer with default units beside one with others makes napari drop the units of all.)
    """
    return Image(_thick(data, at), name=name, **placement(source, at), **properties)


def derived_labels(
    source: Layer, data: np.ndarray, name: str, at: Mapping[int, int] | None = None, **properties: Any
) -> Labels:
    """Make a Labels layer, as ``derived_layer`` makes an image layer."""
    return Labels(_thick(data, at), name=name, **placement(source, at), **properties)


def _thick(data: np.ndarray, at: Mapping[int, int] | None) -> np.ndarray:
    return np.expand_dims(data, sorted(at)) if at else data


def placement(source: Layer, at: Mapping[int, int] | None = None) -> dict[str, Any]:
    """Return the properties that place a layer where its source lies; `at` as of ``derived_layer``."""
    return {
        "scale": source.scale,
        "translate": derived_translate(source, at or {}),
        "rotate": source.rotate,
        "shear": source.shear,
        "affine": source.affine,
        "units": source.units,
        "axis_labels": source.axis_labels,
    }


def derived_translate(source: Layer, at: Mapping[int, int]) -> np.ndarray:
    """Return the ``translate``, (source.ndim,), of a layer at one index of some dimensions of its source."""
    origin = [at.get(dimension, 0) for dimension in range(source.ndim)]
    return source.affine.inverse(source.data_to_world(origin))


def remove_layer(viewer: Any, layer: Layer | None) -> None:
    """Take a layer out of the viewer, where it is there; napari calls docks back while it removes one."""
    if layer is not None and layer in viewer.layers:
        viewer.layers.remove(layer)


def insert_layer(viewer: Any, layer: Layer, place: int | None = None) -> None:
    """Put a layer into the viewer's list at `place`, counted from the lowest layer; on top where omitted."""
    layers = viewer.layers
    # The viewer that a plugin is given wraps all that it holds, but its selection takes bare layers.
    selected = [unwrapped(chosen) for chosen in layers.selection]
    layers.insert(len(layers) if place is None else place, layer)
    if selected:
        layers.selection.clear()
        layers.selection.update(selected)
