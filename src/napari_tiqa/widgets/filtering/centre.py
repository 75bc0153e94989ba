"""The ring centre: found in the slice that is shown, and marked in the viewer."""

from typing import Any

import numpy as np
from napari.layers import Layer, Points

from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.filtering.settled import settled
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.volumes.window_estimate import estimate_window
from napari_tiqa.widgets.shared.derived_layer import insert_layer, placement, remove_layer
from napari_tiqa.widgets.shared.slice_source import SliceSource

_SIZE = 0.04  # of the slice's shorter side
_COLOUR = "#ffd54a"


def with_centre(
    step: Step, volume: Volume, axis: int, index: int, window: IntensityWindow | None, *_: object
) -> Step:
    """Return a step with its automatic ring centre set to the one found in a slice."""
    plane = as_volume(volume.slice(axis, index)).tomogram()
    return settled(Pipeline([step]), plane, window or estimate_window(volume), 0).steps[0]


class CentreMark:
    """A cross at the ring centre, which moves along with it until its layer is removed."""

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self.layer: Points | None = None
        self._marked: Layer | None = None

    def show(self, source: SliceSource, centre: tuple[float, float]) -> None:
        """Mark a centre: rows and columns from the middle of the slice, px."""
        self.clear()
        self._marked = source.layer
        self.layer = _mark(source, centre)
        insert_layer(self._viewer, self.layer)

    def is_of(self, layer: Layer) -> bool:
        """Tell whether the mark is in slices of this layer."""
        return self._marked is layer

    def move(self, source: SliceSource, centre: tuple[float, float]) -> None:
        """Move the mark, where there is one."""
        if self.layer is not None:
            self.layer.data = _place(source, centre)

    def clear(self) -> None:
        """Remove the mark."""
        layer, self.layer = self.layer, None
        remove_layer(self._viewer, layer)

    def forget(self, layer: Layer) -> None:
        """Let go of a layer that was removed from the viewer."""
        if layer is self.layer:
            self.layer = None


def _mark(source: SliceSource, centre: tuple[float, float]) -> Points:
    shape = source.volume.data.shape
    return Points(
        _place(source, centre),
        name=f"ring centre of {source.layer_name}",
        size=_SIZE * min(shape[d] for d in range(len(shape)) if len(shape) == 2 or d != source.axis),
        symbol="cross",
        face_color=_COLOUR,
        border_width=0,
        **placement(source.layer),
    )


def _place(source: SliceSource, centre: tuple[float, float]) -> np.ndarray:
    """Return the centre in the layer's pixels, shape (1, layer dimensions)."""
    across = source.across
    data = source.layer.data[0] if source.layer.multiscale else source.layer.data
    offsets = iter(centre)
    return np.array(
        [[across[d] if d in across else (data.shape[d] - 1) / 2 + next(offsets) for d in range(data.ndim)]]
    )
