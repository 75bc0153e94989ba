"""What the tabs of the filter dock share: the pipeline, the layer and slice it is tried on, the model."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from napari.layers import Image
from qtpy.QtCore import QObject, Signal

from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow


@dataclass(frozen=True, eq=False)
class FilterSource:
    """The slice that filters are tried on, frozen in the main thread: a job may read `volume` from its own.

    Attributes
    ----------
    layer : napari.layers.Image
        Where the slice comes from; only for the main thread.
    layer_name : str
        What the layer was called.
    volume : Volume
        Shape (z, y, x) or (y, x), lazy; further axes of the layer (time, channel) are fixed at `at`.
    axis : int
        The axis of `volume` that the viewer's slider goes along; 0 for a single slice.
    index : int
        The slice shown along `axis`; 0 for a single slice.
    at : mapping of int to int
        Layer dimensions that `volume` lacks, and the index that each is fixed at.
    window : IntensityWindow or None
        None until it was estimated in the background (``FilterState.window_changed``).
    """

    layer: Image
    layer_name: str
    volume: Volume
    axis: int = 0
    index: int = 0
    at: Mapping[int, int] = field(default_factory=dict)
    window: IntensityWindow | None = None

    @property
    def across(self) -> dict[int, int]:
        """Layer dimensions that the slice shown lacks, and where it lies: ``at`` of ``derived_layer``."""
        if self.volume.data.ndim == 2:
            return dict(self.at)
        kept = [dimension for dimension in range(self.layer.ndim) if dimension not in self.at]
        return {**self.at, kept[self.axis]: self.index}

    @property
    def slice_name(self) -> str:
        """The slice for people: "slice 12", or "the image" where there is only one."""
        return "the image" if self.volume.data.ndim == 2 else f"slice {self.index}"


class FilterState(QObject):
    """The pipeline, the source and the model; the panel sets the last two, every tab may set the pipeline."""

    pipeline_changed = Signal(object)  # Pipeline
    source_changed = Signal(object)  # FilterSource or None; also for another slice of the same layer
    window_changed = Signal(object)  # IntensityWindow or None
    model_changed = Signal(object)  # Path or None

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pipeline = Pipeline()
        self._source: FilterSource | None = None
        self._model: Path | None = None

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline that is being built."""
        return self._pipeline

    @property
    def source(self) -> FilterSource | None:
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

    def set_source(self, source: FilterSource | None) -> None:
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
