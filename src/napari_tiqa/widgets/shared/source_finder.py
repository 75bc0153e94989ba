"""From napari's layers and sliders to the slice that a dock works on."""

from typing import Any

from napari.layers import Image

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.shared.read_layer import kept_dimensions, read_layer
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.widgets.shared.slider import layer_position

_Key = tuple[Any, ...]


class SourceFinder:
    """Finds the slice that the viewer shows of a layer; remembers each volume's intensity window.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose sliders and axis order are followed.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._volume: tuple[_Key, Volume] | None = None  # the one asked for last
        self._windows: dict[_Key, IntensityWindow] = {}
        self._versions: dict[Any, int] = {}  # how often a layer's data were replaced

    def find(self, layer: Image) -> tuple[_Key, SliceSource]:
        """Return the slice that the viewer shows of a layer, and what tells it from others.

        Raises
        ------
        VolumeError
            If the layer holds no grey values, or the viewer shows no slice of it.
        """
        position = layer_position(self._viewer, layer)
        kept = kept_dimensions(layer.ndim)
        at = {d: position[d] for d in range(layer.ndim) if d not in kept}
        key = (layer.unique_id, self._versions.get(layer.unique_id, 0), *at.items())
        if self._volume is None or self._volume[0] != key:
            self._volume = key, read_layer(layer, position)
        volume = self._volume[1]
        axis, index = 0, 0
        if volume.data.ndim == 3:
            axis = self._slider_axis(layer, kept)
            index = position[kept[axis]]
        volume.slice_count(axis)  # refuses slices of one or two pixels a side
        source = SliceSource(layer, layer.name, volume, axis, index, at, self._windows.get(key))
        return (*key, layer.name, axis, index), source

    def keep_window(self, window: IntensityWindow) -> None:
        """Remember the window of the volume that was found last."""
        if self._volume is not None:
            self._windows[self._volume[0]] = window

    def data_replaced(self, layer: Image) -> None:
        """Notice that a layer has other pixels now."""
        self._versions[layer.unique_id] = self._versions.get(layer.unique_id, 0) + 1

    def _slider_axis(self, layer: Image, kept: tuple[int, ...]) -> int:
        # In 3-D, where nothing is on a slider, the slice is that of the 2-D view.
        hidden = [d - (self._viewer.dims.ndim - layer.ndim) for d in self._viewer.dims.order[:-2]]
        across = [kept.index(d) for d in hidden if d in kept]
        if len(across) != 1:
            raise VolumeError(
                f"The viewer shows no slice of '{layer.name}' in space: turn it (Ctrl+E) until two of the "
                "last three axes are seen."
            )
        return across[0]
