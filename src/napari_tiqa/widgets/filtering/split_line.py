"""The line of the split view, dragged in the picture with the mouse."""

from collections.abc import Iterator
from typing import Any

from napari_tiqa.widgets.filtering.layers import FilterLayers, View

_REACH = 8  # px of the screen beside the line in which the pointer takes it


class SplitLine:
    """Moves the line of ``FilterLayers`` with the pointer that takes it; elsewhere dragging pans as ever."""

    def __init__(self, viewer: Any, layers: FilterLayers) -> None:
        self._viewer = viewer
        self._layers = layers
        viewer.mouse_drag_callbacks.append(self._drag)

    def close_down(self) -> None:
        """Let go of the mouse."""
        if self._drag in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._drag)

    def _drag(self, _viewer: Any, event: Any) -> Iterator[None]:
        if event.button != 1 or not self._is_below(event):
            return
        camera = getattr(self._viewer, "scene", self._viewer).camera  # its place since napari 0.9
        camera.mouse_pan = False
        try:
            yield
            while event.type == "mouse_move":
                place = self._share(event)
                if place is None:
                    return  # the layer was removed meanwhile
                self._layers.set_split(place)
                yield
        finally:
            camera.mouse_pan = True

    def _is_below(self, event: Any) -> bool:
        layer = self._layers.layer
        place = self._share(event)
        if place is None or layer is None or self._layers.view is not View.SPLIT or not layer.visible:
            return False
        dimension, camera = self._layers.split_dimension, getattr(self._viewer, "scene", self._viewer).camera
        width = layer.data.shape[dimension] * abs(layer.scale[dimension]) * camera.zoom  # px of the screen
        return bool(abs(place - self._layers.split) * width <= _REACH)

    def _share(self, event: Any) -> float | None:
        """Return where the pointer is, as a share of the slice's width."""
        layer = self._layers.layer
        if layer is None:
            return None
        dimension = self._layers.split_dimension
        place = layer.world_to_data(event.position[-layer.ndim :])[dimension]
        return float((place + 0.5) / layer.data.shape[dimension])
