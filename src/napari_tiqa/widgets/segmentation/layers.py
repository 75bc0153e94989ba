"""The layers of a segmented volume: segmentation; uncertainty, probability and IoU map once asked for."""

import math
from enum import StrEnum
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtCore import QObject, QTimer

from napari_tiqa.jobs.segmentation.result import Segmentation
from napari_tiqa.segmentation.agreement import IOU_COLOURS, NOT_JUDGED, iou_map
from napari_tiqa.widgets.shared.derived_layer import derived_labels, derived_layer, insert_layer, remove_layer
from napari_tiqa.widgets.shared.result_layers import Result, result_metadata
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.widgets.shared.slider import shown_slice

_OPACITY = 0.5
_UNSURE = "magma"  # opaque, so that the colours on the image are those of the bar beside it
_OUTCOMES = DirectLabelColormap(color_dict={None: "transparent", NOT_JUDGED: "transparent"} | IOU_COLOURS)


class SegmentView(StrEnum):
    """What is shown above the image."""

    SEGMENTATION = "segmentation"
    UNCERTAINTY = "uncertainty"
    PROBABILITY = "probability"
    IOU = "IoU map"


class SegmentLayers(QObject):
    """Puts the layer of a view into the viewer once it is asked for, and keeps those there up to date.

    All are lazy: a slice is computed from its probabilities when it is shown. They take over place and units
    of the source's layer. One of them is shown at a time.
    """

    def __init__(self, viewer: Any, source: SliceSource, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._source = source
        self._segmentation: Segmentation | None = None
        self._threshold = 0.5
        self._truth: da.Array | None = None
        self._value = 0  # of the class of the IoU map
        self._likely: int | None = None  # label value of the class whose probability is shown; None: the last
        self._view = SegmentView.SEGMENTATION
        self._hidden = False
        self._layers: dict[SegmentView, Layer] = {}
        self._waiting: dict[SegmentView, bool] = {}  # to be put in, or to be taken out
        self._change_soon = QTimer(self)
        self._change_soon.timeout.connect(self._change_next)

    def layer(self, view: SegmentView) -> Layer | None:
        """Return a view's layer; None where it is not there."""
        return self._layers.get(view)

    def show(self, segmentation: Segmentation, threshold: float, view: SegmentView) -> None:
        """Show a view of a segmented volume in place of the one before; its layer comes back if removed."""
        if self._segmentation is not None and self._segmentation.classes != segmentation.classes:
            self.clear()
            self._likely = None
        self._segmentation, self._threshold = segmentation, threshold
        self._replace(*self._layers)
        self.set_view(view)

    def set_threshold(self, threshold: float) -> None:
        """Decide again, from the same probabilities."""
        self._threshold = threshold
        self._replace(SegmentView.SEGMENTATION, SegmentView.IOU)

    def set_truth(self, truth: da.Array | None, value: int) -> None:
        """Compare a label value with a truth of the volume's shape; None removes the IoU map."""
        self._truth, self._value = truth, value
        if truth is None:
            self._wait(SegmentView.IOU, put_in=False)
        else:
            self._waiting.pop(SegmentView.IOU, None)
            self._replace(SegmentView.IOU)

    def refresh_outcomes(self) -> None:
        """Update the IoU map, after the truth was painted on."""
        layer = self._layers.get(SegmentView.IOU)
        if layer is not None:
            layer.refresh()

    def set_view(self, view: SegmentView) -> None:
        """Show one of the layers, made now if it is not there yet, and hide the others."""
        self._view, self._hidden = view, False
        for key, layer in self._layers.items():
            layer.visible = key is view
        self._want(view)

    def set_likely(self, value: int) -> None:
        """Show the probability of the class of a label value, whenever a probability is shown."""
        self._likely = value
        self._replace(SegmentView.PROBABILITY)

    def hide(self) -> None:
        """Hide all layers: another image is worked on."""
        self._hidden = True
        for layer in self._layers.values():
            layer.visible = False

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

    def _want(self, view: SegmentView) -> None:
        available = view is not SegmentView.IOU or self._truth is not None
        if self._segmentation is not None and view not in self._layers and available:
            self._wait(view, put_in=True)

    def _wait(self, view: SegmentView, *, put_in: bool) -> None:
        self._waiting[view] = put_in
        self._change_soon.start(0)

    def _change_next(self) -> None:
        # Not at once, since other docks that are notified may still be changing what has led to it.
        if not self._waiting:
            self._change_soon.stop()
            return
        view = next(iter(self._waiting))
        if not self._waiting.pop(view):
            remove_layer(self._viewer, self._layers.pop(view, None))
            return
        layer = self._make(view)
        layer.visible = view is self._view and not self._hidden
        insert_layer(self._viewer, layer)
        self._layers[view] = layer

    def _replace(self, *views: SegmentView) -> None:
        """Give those of these layers that are there the data of now."""
        for view in views:
            layer = self._layers.get(view)
            if layer is not None and self._segmentation is not None:
                name, data = self._content(view)
                layer.data = self._thick(data)
                layer.name = name
                layer.editable = False  # which napari allows again with new data

    def _content(self, view: SegmentView) -> tuple[str, da.Array]:
        """Return name and data of a view's layer."""
        segmentation, name = self._segmentation, self._source.layer_name
        assert segmentation is not None
        classes = segmentation.classes
        if view is SegmentView.UNCERTAINTY:
            return f"uncertainty of {name}", segmentation.uncertainty()
        if view is SegmentView.PROBABILITY:
            number = classes.values.index(classes.values[-1] if self._likely is None else self._likely)
            probability = segmentation.probabilities[number].astype(np.float32)
            return f"probability of {classes.names[number]}", probability
        labels = segmentation.segmentation(self._threshold)
        if view is SegmentView.SEGMENTATION:
            return f"segmentation of {name}", labels
        assert self._truth is not None
        compare = partial(iou_map, value=self._value, unlabelled=classes.unlabelled)
        truth = self._truth.rechunk(labels.chunks)
        outcomes = da.map_blocks(compare, labels, truth, dtype=np.uint8, meta=np.empty(0, np.uint8))
        return f"IoU map of {classes.names[classes.values.index(self._value)]}", outcomes

    def _make(self, view: SegmentView) -> Layer:
        name, data = self._content(view)
        if view is SegmentView.UNCERTAINTY:
            assert self._segmentation is not None
            look = uncertainty_look(len(self._segmentation.classes))
            return self._make_image(name, data, colorbar=True, **look)
        if view is SegmentView.PROBABILITY:
            return self._make_image(name, data, contrast_limits=(0.0, 1.0), colormap="gray")
        return self._make_labels(name, _OUTCOMES if view is SegmentView.IOU else None, data)

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
    return {"contrast_limits": (0.0, math.log(classes)), "colormap": _UNSURE}
