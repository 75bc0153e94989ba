"""The layers of a segmented volume: probabilities, segmentation, uncertainty, IoU map; which one is shown."""

import math
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import Colormap, DirectLabelColormap
from qtpy.QtCore import QObject, QTimer

from napari_tiqa.jobs.segmentation.result import Segmentation
from napari_tiqa.segmentation.agreement import IOU_COLOURS, NOT_JUDGED, iou_map
from napari_tiqa.widgets.shared.derived_layer import derived_labels, derived_layer, insert_layer, remove_layer
from napari_tiqa.widgets.shared.result_layers import Result, result_metadata
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.widgets.shared.slider import shown_slice

_OPACITY = 0.5
_WHITE, _RED = (1.0, 1.0, 1.0, 1.0), (0.8, 0.0, 0.0, 1.0)
# Multiplied with the image, white leaves it as it is: where the network is certain, or has no value.
_UNSURE = Colormap([_WHITE, _RED], nan_color=_WHITE, name="white sure, red unsure")
_OUTCOMES = DirectLabelColormap(color_dict={None: "transparent", NOT_JUDGED: "transparent"} | IOU_COLOURS)


class SegmentView(StrEnum):
    """What is shown above the image."""

    SEGMENTATION = "segmentation"
    UNCERTAINTY = "uncertainty"
    PROBABILITY = "probability"
    IOU = "IoU map"


_Make = Callable[[da.Array], Layer]


class SegmentLayers(QObject):
    """Puts a segmented volume's layers into the viewer and keeps them up to date; one of them is shown.

    All are lazy: a slice is computed from its probabilities when it is shown. They take over place and units
    of the source's layer.
    """

    def __init__(self, viewer: Any, source: SliceSource, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._source = source
        self._segmentation: Segmentation | None = None
        self._labels: da.Array | None = None
        self._truth: da.Array | None = None
        self._value = 0  # of the class of the IoU map
        self._view = SegmentView.SEGMENTATION
        self._layers: dict[str, Layer] = {}
        self._waiting: dict[str, Callable[[], Layer] | None] = {}  # None: to be taken out
        self._change_soon = QTimer(self)
        self._change_soon.timeout.connect(self._change_next)

    def layer(self, view: SegmentView) -> Layer | None:
        """Return a view's layer, that of the last class for probabilities; None where it is not there."""
        return self._layers.get(self._key(view))

    def show(self, segmentation: Segmentation, threshold: float) -> None:
        """Show a segmented volume in place of the one before; layers that were removed come back."""
        if self._segmentation is not None and self._segmentation.classes != segmentation.classes:
            self.clear()
        self._segmentation = segmentation
        name = self._source.layer_name
        grey: dict[str, Any] = {"contrast_limits": (0.0, 1.0), "colormap": "gray"}
        for index, (value, title) in enumerate(_classes(segmentation)):
            probability = segmentation.probabilities[index].astype(np.float32)
            make: _Make = partial(self._make_image, f"probability of {title}", **grey)
            self._put(_probability(value), probability, make)
        look = uncertainty_look(len(segmentation.classes))
        make = partial(self._make_image, f"uncertainty of {name}", **look, colorbar=True)
        self._put(SegmentView.UNCERTAINTY, segmentation.uncertainty(), make)
        self._labels = segmentation.segmentation(threshold)
        make = partial(self._make_labels, f"segmentation of {name}", None)
        self._put(SegmentView.SEGMENTATION, self._labels, make)
        self._show_outcomes()

    def set_threshold(self, threshold: float) -> None:
        """Decide again, from the same probabilities."""
        if self._segmentation is not None:
            self._labels = self._segmentation.segmentation(threshold)
            self._replace(SegmentView.SEGMENTATION, self._labels)
            if SegmentView.IOU in self._layers and self._truth is not None:
                self._replace(SegmentView.IOU, self._outcomes(self._truth))

    def set_truth(self, truth: da.Array | None, value: int) -> None:
        """Compare a label value with a truth of the volume's shape; None removes the IoU map."""
        self._truth, self._value = truth, value
        self._show_outcomes()

    def refresh_outcomes(self) -> None:
        """Update the IoU map, after the truth was painted on."""
        layer = self._layers.get(SegmentView.IOU)
        if layer is not None:
            layer.refresh()

    def set_view(self, view: SegmentView) -> None:
        """Show one of the layers and hide the others."""
        self._view = view
        for key, layer in self._layers.items():
            layer.visible = key == self._key(view)

    def refresh(self, index: int | None = None) -> None:
        """Update what is shown, after a slice was done or, without an index, after several were."""
        source = self._source
        whole = index is None or source.volume.data.ndim == 2
        if whole or shown_slice(self._viewer, source.layer, source.dimension) == index:
            for layer in self._layers.values():
                layer.refresh()  # does nothing for a hidden one

    def forget(self, layer: Layer) -> None:
        """Let go of a layer that is removed from the viewer."""
        self._layers = {key: ours for key, ours in self._layers.items() if ours is not layer}

    def clear(self) -> None:
        """Take the layers out of the viewer."""
        self.stop()
        for key in list(self._layers):
            remove_layer(self._viewer, self._layers.pop(key, None))

    def stop(self) -> None:
        """Add no more layers; existing ones stay."""
        self._change_soon.stop()
        self._waiting.clear()

    # -- one layer ---------------------------------------------------------------------------------

    def _key(self, view: SegmentView) -> str:
        if view is not SegmentView.PROBABILITY or self._segmentation is None:
            return view
        return _probability(self._segmentation.classes.values[-1])

    def _put(self, key: str, data: da.Array, make: _Make) -> None:
        self._waiting.pop(key, None)
        if key in self._layers:
            self._replace(key, data)
        else:
            self._wait(key, partial(make, data))

    def _wait(self, key: str, make: Callable[[], Layer] | None) -> None:
        self._waiting[key] = make
        self._change_soon.start(0)

    def _change_next(self) -> None:
        # One per turn of the event loop: napari takes some 20 ms for a layer, visible or not. Not at once,
        # since other docks that are notified may still be changing what has led to it.
        if not self._waiting:
            self._change_soon.stop()
            return
        key = next(iter(self._waiting))
        make = self._waiting.pop(key)
        if make is None:
            remove_layer(self._viewer, self._layers.pop(key, None))
            return
        layer = make()
        layer.visible = key == self._key(self._view)
        insert_layer(self._viewer, layer)
        self._layers[key] = layer

    def _replace(self, key: str, data: da.Array) -> None:
        layer = self._layers.get(key)
        if layer is not None:
            layer.data = self._thick(data)
            layer.editable = False  # which napari allows again with new data

    def _show_outcomes(self) -> None:
        if self._truth is None or self._labels is None or self._segmentation is None:
            self._wait(SegmentView.IOU, None)
            return
        titles = dict(_classes(self._segmentation))
        name = f"IoU map of {titles[self._value]}"
        self._put(SegmentView.IOU, self._outcomes(self._truth), partial(self._make_labels, name, _OUTCOMES))
        if SegmentView.IOU in self._layers:
            self._layers[SegmentView.IOU].name = name

    def _outcomes(self, truth: da.Array) -> da.Array:
        assert self._labels is not None
        assert self._segmentation is not None
        compare = partial(iou_map, value=self._value, unlabelled=self._segmentation.classes.unlabelled)
        truth = truth.rechunk(self._labels.chunks)
        return da.map_blocks(compare, self._labels, truth, dtype=np.uint8, meta=np.empty(0, np.uint8))

    def _thick(self, data: da.Array) -> da.Array:
        return da.expand_dims(data, sorted(self._source.at)) if self._source.at else data

    def _make_image(self, name: str, data: da.Array, *, colorbar: bool = False, **look: Any) -> Image:
        layer = derived_layer(self._source.layer, data, name, self._source.at, **self._common(), **look)
        if colorbar and hasattr(layer, "colorbar"):  # not in the oldest napari that we work with
            layer.colorbar.visible = True
        return layer

    def _make_labels(self, name: str, colormap: DirectLabelColormap | None, data: da.Array) -> Labels:
        look = {"opacity": _OPACITY} | ({"colormap": colormap} if colormap is not None else {})
        layer = derived_labels(self._source.layer, data, name, self._source.at, **self._common(), **look)
        layer.editable = False
        return layer

    def _common(self) -> dict[str, Any]:
        assert self._segmentation is not None
        # Not cached: napari would keep the empty slice from before it was segmented.
        return {"cache": False, "metadata": result_metadata(Result.SEGMENTATION, self._segmentation.record)}


def uncertainty_look(classes: int) -> dict[str, Any]:
    """Return how the uncertainty of a segmentation is drawn: properties of ``napari.layers.Image``."""
    limits = (0.0, math.log(classes))
    return {"contrast_limits": limits, "colormap": _UNSURE, "blending": "multiplicative"}


def _probability(value: int) -> str:
    return f"{SegmentView.PROBABILITY} {value}"


def _classes(segmentation: Segmentation) -> list[tuple[int, str]]:
    classes = segmentation.classes
    return list(zip(classes.values, classes.names, strict=True))
