"""What the tabs of the filter dock share: the pipeline, the layer and slice it is tried on, the model."""

from qtpy.QtCore import QObject, Signal

from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.widgets.shared.source_state import SourceState


class FilterState(SourceState):
    """The pipeline, the source and the model; the panel sets the last two, every tab may set the pipeline."""

    pipeline_changed = Signal(object)  # Pipeline

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pipeline = Pipeline()

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline that is being built."""
        return self._pipeline

    def set_pipeline(self, pipeline: Pipeline) -> None:
        """Try another pipeline; the Steps tab and the preview follow."""
        if pipeline != self._pipeline:
            self._pipeline = pipeline
            self.pipeline_changed.emit(pipeline)
