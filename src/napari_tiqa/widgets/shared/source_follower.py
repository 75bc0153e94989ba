"""Follows the slice that the viewer shows of a dock's layer: another layer, another slice, other data."""

from collections.abc import Callable
from typing import Any

from napari.layers import Image
from qtpy.QtCore import QObject, QTimer, Signal

from napari_tiqa.errors import TiqaError, VolumeError
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.shared.read_layer import kept_dimensions, read_layer
from napari_tiqa.widgets.shared.slice_source import SliceSource, data_key
from napari_tiqa.widgets.shared.slider import layer_position

_Key = tuple[Any, ...]


class SourceFollower(QObject):
    """Tells a dock which slice it works on; all that napari changes in one go is told once.

    `subscribe` is ``DockPanel._subscribe``: it has napari call back until the dock is closed. `no_layer` is
    the sentence for a viewer without any layer to work on.
    """

    found = Signal(object)  # SliceSource: not the same as before
    lost = Signal(str)  # why there is no slice

    def __init__(
        self,
        viewer: Any,
        subscribe: Callable[[Any, Callable[..., None]], None],
        no_layer: str,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._no_layer = no_layer
        self._layer: Image | None = None
        self._dimension: int | None = None
        self._finder = SourceFinder(viewer)
        self._key: _Key = ()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._look)
        for changed in (viewer.dims.events.point, viewer.dims.events.order, viewer.dims.events.ndisplay):
            subscribe(changed, self._look_soon)

    @property
    def waiting(self) -> bool:
        """Whether something has changed that the dock does not know of yet."""
        return self._soon.isActive()

    def follow(self, layer: Image | None, dimension: int | None = None) -> None:
        """Work on this layer from now on, and tell at once which slice of it is shown.

        The slices lie along `dimension` of the layer; along that of the viewer's slider where omitted.
        """
        if layer is not self._layer:
            self._let_go()
            if layer is not None:
                layer.events.data.connect(self._on_data)
            self._layer = layer
        self._dimension = dimension
        self._look()

    def keep_window(self, window: IntensityWindow, source: SliceSource | None = None) -> None:
        """Remember the intensity window of a source's volume, of the one told of last where omitted."""
        self._finder.keep_window(window, source)

    def close_down(self) -> None:
        """Let go of the layer: the dock was closed."""
        self._soon.stop()
        self._let_go()
        self._layer = None

    def _let_go(self) -> None:
        if self._layer is not None:
            self._layer.events.data.disconnect(self._on_data)

    def _on_data(self, _event: object) -> None:
        if self._layer is not None:
            self._finder.data_replaced(self._layer)
            self._soon.start(0)

    def _look_soon(self, _event: object = None) -> None:
        self._soon.start(0)

    def _look(self) -> None:
        layer = self._layer
        if layer is None:
            self._lose(self._no_layer)
            return
        if layer.ndim > self._viewer.dims.ndim:
            return  # it is just being taken out, its dimensions first
        try:
            key, source = self._finder.find(layer, self._dimension)
        except TiqaError as error:
            self._lose(str(error))
            return
        if key != self._key:
            self._key = key
            self.found.emit(source)

    def _lose(self, sentence: str) -> None:
        self._key = ()
        self.lost.emit(sentence)


class SourceFinder:
    """Finds the slice that the viewer shows of a layer; remembers each volume's intensity window."""

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._volume: tuple[_Key, Volume] | None = None  # the one asked for last
        self._volume_key: _Key = ()
        self._windows: dict[_Key, IntensityWindow] = {}
        self._versions: dict[Any, int] = {}  # how often a layer's data were replaced

    def find(self, layer: Image, dimension: int | None = None) -> tuple[_Key, SliceSource]:
        """Return the slice that the viewer shows of a layer, and what tells it from others.

        Raises VolumeError if the layer holds no grey values, or the viewer shows no slice of it.
        """
        if dimension is not None and dimension >= layer.ndim:
            dimension = None  # of the data that the layer had before
        position = layer_position(self._viewer, layer)
        kept = kept_dimensions(layer.ndim, dimension)
        at = {d: position[d] for d in range(layer.ndim) if d not in kept}
        key = (*data_key(layer), self._versions.get(layer.unique_id, 0), *at.items())
        place = (*key, layer.name, *layer.scale, *map(str, layer.units))
        if self._volume is None or self._volume[0] != place:
            self._volume = place, read_layer(layer, position, dimension)
        self._volume_key = key
        volume = self._volume[1]
        axis, index = 0, 0
        if volume.data.ndim == 3:
            axis = self._slider_axis(layer, kept) if dimension is None else kept.index(dimension)
            index = position[kept[axis]]
        volume.slice_count(axis)  # refuses slices of one or two pixels a side
        source = SliceSource(layer, layer.name, volume, axis, index, at, self._windows.get(key), key)
        return (*place, axis, index), source

    def keep_window(self, window: IntensityWindow, source: SliceSource | None = None) -> None:
        """Remember the window of a source's volume, of the one that was found last where omitted."""
        self._windows[self._volume_key if source is None else source.volume_key] = window

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
