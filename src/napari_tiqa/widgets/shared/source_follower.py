"""Follows the slice that the viewer shows of a dock's layer: another layer, another slice, other data."""

from collections.abc import Callable
from typing import Any

from napari.layers import Image
from qtpy.QtCore import QObject, QTimer, Signal

from napari_tiqa.errors import TiqaError
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.shared.source_finder import SourceFinder


class SourceFollower(QObject):
    """Tells a dock which slice it works on; all that napari changes in one go is told once.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose sliders are followed.
    subscribe : callable
        ``DockPanel._subscribe``: has napari call back until the dock is closed.
    no_layer : str
        The sentence for a viewer without any layer to work on.
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
        self._finder = SourceFinder(viewer)
        self._key: tuple[Any, ...] = ()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._look)
        for changed in (viewer.dims.events.point, viewer.dims.events.order, viewer.dims.events.ndisplay):
            subscribe(changed, self._look_soon)

    @property
    def waiting(self) -> bool:
        """Whether something has changed that the dock does not know of yet."""
        return self._soon.isActive()

    def follow(self, layer: Image | None) -> None:
        """Work on this layer from now on, and tell at once which slice of it is shown."""
        if layer is not self._layer:
            self._let_go()
            if layer is not None:
                layer.events.data.connect(self._on_data)
            self._layer = layer
        self._look()

    def keep_window(self, window: IntensityWindow) -> None:
        """Remember the intensity window of the volume that was told of last."""
        self._finder.keep_window(window)

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
            key, source = self._finder.find(layer)
        except TiqaError as error:
            self._lose(str(error))
            return
        if key != self._key:
            self._key = key
            self.found.emit(source)

    def _lose(self, sentence: str) -> None:
        self._key = ()
        self.lost.emit(sentence)
