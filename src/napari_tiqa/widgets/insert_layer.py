"""A layer that a dock puts into the viewer by itself: what the user has selected stays selected."""

from typing import Any

from napari.layers import Layer


def insert_layer(viewer: Any, layer: Layer, place: int | None = None) -> None:
    """Put a layer into the viewer's list.

    Parameters
    ----------
    viewer : napari.Viewer
    layer : napari.layers.Layer
    place : int, optional
        Where in the list, counted from the lowest layer; on top where omitted.
    """
    layers = viewer.layers
    # The viewer that a plugin is given wraps all that it holds, but its selection takes bare layers.
    selected = [getattr(one, "__wrapped__", one) for one in layers.selection]
    layers.insert(len(layers) if place is None else place, layer)
    if selected:
        layers.selection.clear()
        layers.selection.update(selected)
