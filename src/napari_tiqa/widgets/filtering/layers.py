"""The layer that shows a filtered slice above its source: after, before, split, or what changed."""

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
_SAMPLED = 4  # every fourth row and column is looked at for that
_LINES = 400  # of the split view's line side by side would fill the slice: it is seen at any size
_DIFFERENCE = Colormap(
    [[0.13, 0.40, 0.67, 1], [0.97, 0.97, 0.97, 1], [0.70, 0.09, 0.17, 1]], name="lower blue, higher red"
)


class View(StrEnum):
    """What is seen of the slice."""

    AFTER = "after"
    BEFORE = "before"
    SPLIT = "split"
    DIFFERENCE = "difference"


_NAMES = {
    View.AFTER: "filtered",
    View.BEFORE: "unfiltered",
    View.SPLIT: "before | after",
    View.DIFFERENCE: "difference",
}


class FilterLayers(QObject):
    """Puts one layer above all images, shows a view of the slice in it, and takes it away again.

    A layer of its own, also for the slice as it is, since other layers may lie above the source. Neither the
    zoom nor the selected layers change. In the split view the slice is unfiltered to the left of a line.
    """

    view_changed = Signal(object)  # View

    def __init__(self, viewer: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.view = View.AFTER
        self.layer: Image | None = None
        self.split = 0.5  # where the line of the split view is, as a share of the slice's width
        self._viewer = viewer
        self._source: SliceSource | None = None
        self._filtered: FilteredSlice | None = None
        self._linked = False

    @property
    def source(self) -> SliceSource | None:
        """The slice that is shown; None where none is."""
        return self._source

    @property
    def split_dimension(self) -> int:
        """The layer's dimension that lies across the viewer, which the split view's line divides."""
        source = self._source
        assert source is not None
        shown = self._viewer.dims.displayed[-1] - (self._viewer.dims.ndim - source.layer.ndim)
        return shown if shown not in source.across else source.layer.ndim - 1

    def show(self, source: SliceSource, filtered: FilteredSlice) -> None:
        """Show a filtered slice in place of the one before it."""
        if self._source is not None and self._source.layer is not source.layer:
            self.clear()
        self._source, self._filtered = source, filtered
        self._draw()

    def clear(self) -> None:
        """Take the layer out of the viewer."""
        self._take_out()
        self._source = self._filtered = None

    def forget(self, layer: Layer) -> None:
        """Let go of a layer that is removed from the viewer."""
        if layer is self.layer:
            if self._linked and self._source is not None:
                self._viewer.layers.unlink_layers([self._source.layer, layer], _SHARED)
            self.layer, self._linked = None, False

    def set_view(self, view: View) -> None:
        """Show the slice after, before, both, or what has changed."""
        if view is not self.view:
            self.view = view
            self._draw()
            if self.layer is not None:
                self.layer.visible = True  # the user wants to see it now
            self.view_changed.emit(view)

    def next_view(self) -> None:
        """Go from one view to the next, and from the last to the first."""
        views = list(View)
        self.set_view(views[(views.index(self.view) + 1) % len(views)])

    def flip(self) -> None:
        """Go from any view to the unfiltered slice, and from that to the filtered one."""
        self.set_view(View.AFTER if self.view is View.BEFORE else View.BEFORE)

    def set_split(self, share: float) -> None:
        """Move the line of the split view, 0 at the left edge of the slice, 1 at the right one."""
        self.split = min(max(share, 0.0), 1.0)
        if self.view is View.SPLIT:
            self._draw()

    # -- the layer ---------------------------------------------------------------------------------

    def _draw(self) -> None:
        source, filtered = self._source, self._filtered
        if source is None or filtered is None:
            return
        plane = self._pixels(source, filtered)
        suits = self._linked is (self.view is not View.DIFFERENCE)
        if not (suits and _move(self.layer, source, plane)):
            self._add(source, plane)
        assert self.layer is not None
        self.layer.name = f"{source.layer_name} {_NAMES[self.view]} (preview)"

    def _add(self, source: SliceSource, plane: np.ndarray) -> None:
        layers = self._viewer.layers
        visible = self.layer is None or self.layer.visible
        self._take_out()
        change = self.view is View.DIFFERENCE
        look = _difference_look(plane) if change else _look_of(source.layer)
        layer = derived_layer(
            source.layer,
            plane,
            f"{source.layer_name} (preview)",
            source.across,
            metadata=result_metadata(Result.FILTER_PREVIEW, True),
            visible=visible,
            **look,
        )
        if change and hasattr(layer, "colorbar"):  # not in the oldest napari we work with
            layer.colorbar.visible = True
        above = 1 + max(place for place, other in enumerate(layers) if isinstance(other, Image))
        insert_layer(self._viewer, layer, above)
        self.layer, self._linked = layer, not change
        if not change:
            layers.link_layers([source.layer, layer], _SHARED)

    def _take_out(self) -> None:
        layer = self.layer
        if layer is not None:
            self.forget(layer)
            remove_layer(self._viewer, layer)

    def _pixels(self, source: SliceSource, filtered: FilteredSlice) -> np.ndarray:
        before, after = filtered.before, filtered.after
        if self.view is View.DIFFERENCE:
            return after.astype(np.float32) - before.astype(np.float32)
        if self.view is not View.SPLIT:
            return before if self.view is View.BEFORE else after
        dimension = self.split_dimension
        axis = [d for d in range(source.layer.ndim) if d not in source.across].index(dimension)
        both = after.copy()
        width = both.shape[axis]
        line, across = max(1, width // _LINES), np.moveaxis(both, axis, -1)
        at = round(self.split * width)
        across[..., :at] = np.moveaxis(before, axis, -1)[..., :at]
        # Dark beside bright, so that it is seen on any ground.
        dark, bright = (_fitting(limit, both.dtype) for limit in source.layer.contrast_limits)
        across[..., max(at - line, 0) : at] = dark
        across[..., at : at + line] = bright
        return both


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


def _fitting(value: float, dtype: np.dtype) -> float:
    """Return a value that pixels of a type can have."""
    if dtype.kind not in "ui":
        return value
    range_of = np.iinfo(dtype)
    return int(min(max(value, range_of.min), range_of.max))


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
