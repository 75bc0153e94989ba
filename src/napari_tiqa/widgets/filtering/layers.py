"""The layers that show a filtered slice above its source, and which of after, before, difference is seen."""

from enum import StrEnum
from typing import Any

import numpy as np
from napari.layers import Image, Layer
from napari.utils.colormaps import Colormap
from qtpy.QtCore import QObject, Signal

from napari_tiqa.widgets.filtering.trial import FilteredSlice
from napari_tiqa.widgets.shared.derived_layer import (
    derived_layer,
    derived_translate,
    insert_layer,
    remove_layer,
)
from napari_tiqa.widgets.shared.result_layers import Result, result_metadata
from napari_tiqa.widgets.shared.slice_source import SliceSource

_SHARED = ("contrast_limits", "gamma", "colormap")  # by the source and its preview
_END_PERCENTILE = 99.5  # of the differences' size, where the colours end
_NAMES = {"after": "filtered", "before": "unfiltered", "difference": "difference"}
_SAMPLED = 4  # every fourth row and column is looked at for that
_DIFFERENCE = Colormap(
    [[0.13, 0.40, 0.67, 1], [0.97, 0.97, 0.97, 1], [0.70, 0.09, 0.17, 1]], name="lower blue, higher red"
)


class View(StrEnum):
    """What is seen of the slice."""

    AFTER = "after"
    BEFORE = "before"
    DIFFERENCE = "difference"


class FilterLayers(QObject):
    """Puts a layer for each view above all images, shows one of them, and takes them away again.

    Layers of their own, also for the slice as it is, since other layers may lie above the source. Neither the
    zoom nor the selected layers change.
    """

    view_changed = Signal(object)  # View

    def __init__(self, viewer: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.view = View.AFTER
        self._viewer = viewer
        self._source: SliceSource | None = None
        self._filtered: FilteredSlice | None = None
        self._layers: dict[View, Image] = {}

    def layer(self, view: View) -> Image | None:
        """Return the layer of a view, None where it was not shown yet."""
        return self._layers.get(view)

    def show(self, source: SliceSource, filtered: FilteredSlice) -> None:
        """Show a filtered slice in place of the one before it."""
        if self._source is not None and self._source.layer is not source.layer:
            self.clear()
        self._source, self._filtered = source, filtered
        self._draw()

    def clear(self) -> None:
        """Take the layers out of the viewer."""
        for layer in list(self._layers.values()):
            self._take_out(layer)
        self._source = self._filtered = None

    def _take_out(self, layer: Layer) -> None:
        self.forget(layer)
        remove_layer(self._viewer, layer)

    def forget(self, layer: Layer) -> None:
        """Let go of a layer that is removed from the viewer."""
        for view, ours in list(self._layers.items()):
            if ours is layer:
                del self._layers[view]
                if view is not View.DIFFERENCE and self._source is not None:
                    self._viewer.layers.unlink_layers([self._source.layer, layer], _SHARED)

    def set_view(self, view: View) -> None:
        """Show the slice after, before, or what has changed."""
        if view is not self.view:
            self.view = view
            self._draw()
            self.view_changed.emit(view)

    def next_view(self, _viewer: object = None) -> None:
        """Go from after to before, to the difference, and to after again."""
        views = list(View)
        self.set_view(views[(views.index(self.view) + 1) % len(views)])

    def _draw(self) -> None:
        source, filtered = self._source, self._filtered
        if source is None or filtered is None:
            return
        # Layers that are not seen keep their old pixels: handing over new ones takes napari time.
        plane = _pixels(filtered, self.view)
        if not _move(self._layers.get(self.view), source, plane):
            self._add(source, plane)
        for view, layer in self._layers.items():
            layer.visible = view is self.view

    def _add(self, source: SliceSource, plane: np.ndarray) -> None:
        layers, view = self._viewer.layers, self.view
        old = self._layers.get(view)
        if old is not None:
            self._take_out(old)
        name = f"{source.layer_name} {_NAMES[view]} (preview)"
        look = _difference_look(plane) if view is View.DIFFERENCE else _look_of(source.layer)
        record = result_metadata(Result.FILTER_PREVIEW, view.value)
        layer = derived_layer(source.layer, plane, name, source.across, metadata=record, **look)
        if view is View.DIFFERENCE and hasattr(layer, "colorbar"):  # not in the oldest napari we work with
            layer.colorbar.visible = True
        above = 1 + max(place for place, other in enumerate(layers) if isinstance(other, Image))
        insert_layer(self._viewer, layer, above)
        self._layers[view] = layer
        if view is not View.DIFFERENCE:
            layers.link_layers([source.layer, layer], _SHARED)


def _pixels(filtered: FilteredSlice, view: View) -> np.ndarray:
    if view is View.DIFFERENCE:
        return filtered.after.astype(np.float32) - filtered.before.astype(np.float32)
    return filtered.before if view is View.BEFORE else filtered.after


def _move(layer: Image | None, source: SliceSource, plane: np.ndarray) -> bool:
    """Give a layer its new place and pixels; False where there is none or it cannot take them."""
    across = source.across
    data = np.expand_dims(plane, sorted(across))
    if layer is None or layer.data.shape != data.shape or layer.data.dtype != data.dtype:
        return False
    place = derived_translate(source.layer, across)
    if not np.array_equal(layer.translate, place):
        layer.translate = place
    layer.data = data
    return True


def _look_of(layer: Image) -> dict[str, Any]:
    return {
        "colormap": layer.colormap,
        "contrast_limits": layer.contrast_limits,
        "gamma": layer.gamma,
        "interpolation2d": layer.interpolation2d,
    }


def _difference_look(change: np.ndarray) -> dict[str, Any]:
    sampled = np.abs(change[::_SAMPLED, ::_SAMPLED])
    finite = sampled[np.isfinite(sampled)]
    end = float(np.percentile(finite, _END_PERCENTILE)) if finite.size else 0.0
    return {"colormap": _DIFFERENCE, "contrast_limits": (-end, end) if end > 0 else (-1.0, 1.0)}
