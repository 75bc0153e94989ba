"""What the tabs of every dock for slices share: the layer and slice looked at, its window, the model."""

from dataclasses import replace
from pathlib import Path

from qtpy.QtCore import QObject, Signal

from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.shared.slice_source import SliceSource


class SourceState(QObject):
    """The source and the model; tabs follow the signals."""

    source_changed = Signal(object)  # SliceSource or None; also for another slice of the same layer
    window_changed = Signal(object)  # IntensityWindow or None
    model_changed = Signal(object)  # Path or None

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source: SliceSource | None = None
        self._model: Path | None = None

    @property
    def source(self) -> SliceSource | None:
        """The image, and the slice of it that the viewer shows; None where no layer can be used."""
        return self._source

    @property
    def model(self) -> Path | None:
        """The bundle in use; None for the bundled one."""
        return self._model

    def set_source(self, source: SliceSource | None) -> None:
        """Look at another slice or layer."""
        window_before = self._source.window if self._source else None
        self._source = source
        self.source_changed.emit(source)
        window = source.window if source else None
        if window != window_before:
            self.window_changed.emit(window)

    def set_window(self, window: IntensityWindow | None) -> None:
        """Set the intensity window of the source's volume, once a job has estimated it."""
        if self._source is not None and window != self._source.window:
            self._source = replace(self._source, window=window)
            self.window_changed.emit(window)

    def set_model(self, model: Path | None) -> None:
        """Use another model."""
        if model != self._model:
            self._model = model
            self.model_changed.emit(model)
