"""What the tabs of the filter dock share: the pipeline, the layer and slice it is tried on, the model."""

from dataclasses import replace
from pathlib import Path

from qtpy.QtCore import QObject, Signal

from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.slice_source import SliceSource


class FilterState(QObject):
    """The pipeline, the source and the model; the panel sets the last two, every tab may set the pipeline."""

    pipeline_changed = Signal(object)  # Pipeline
    source_changed = Signal(object)  # SliceSource or None; also for another slice of the same layer
    window_changed = Signal(object)  # IntensityWindow or None
    model_changed = Signal(object)  # Path or None

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pipeline = Pipeline()
        self._source: SliceSource | None = None
        self._model: Path | None = None

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline that is being built."""
        return self._pipeline

    @property
    def source(self) -> SliceSource | None:
        """The slice that it is tried on; None where no layer can be filtered."""
        return self._source

    @property
    def model(self) -> Path | None:
        """The bundle that scores; None for the default model."""
        return self._model

    def set_pipeline(self, pipeline: Pipeline) -> None:
        """Try another pipeline; the Steps tab and the preview follow."""
        if pipeline != self._pipeline:
            self._pipeline = pipeline
            self.pipeline_changed.emit(pipeline)

    def set_source(self, source: SliceSource | None) -> None:
        """Try filters on another slice or layer."""
        window_before = self._source.window if self._source else None
        self._source = source
        self.source_changed.emit(source)
        window = source.window if source else None
        if window != window_before:
            self.window_changed.emit(window)

    def set_window(self, window: IntensityWindow | None) -> None:
        """Set the intensity window of the source's volume, once it is known."""
        if self._source is not None and window != self._source.window:
            self._source = replace(self._source, window=window)
            self.window_changed.emit(window)

    def set_model(self, model: Path | None) -> None:
        """Score with another model."""
        if model != self._model:
            self._model = model
            self.model_changed.emit(model)
