"""What the tabs of the segmentation dock share: the image and slice, the labels, the model."""

from dataclasses import replace
from pathlib import Path

from napari.layers import Labels
from qtpy.QtCore import QObject, Signal

from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.slice_source import SliceSource


class SegmentState(QObject):
    """The source, the labels and the model; the dock's header sets them, and every tab may set the model.

    A tab follows the signals. It reads the labels by ``read_labels(state.labels, state.source)``, which
    raises a SegmentationError with a sentence where they do not lie on the image.
    """

    source_changed = Signal(object)  # SliceSource or None; also for another slice of the same layer
    window_changed = Signal(object)  # IntensityWindow or None
    labels_changed = Signal(object)  # napari.layers.Labels or None: another layer
    labels_edited = Signal()  # the same layer, painted on, filled, undone, or given other data
    model_changed = Signal(object)  # Path or None

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source: SliceSource | None = None
        self._labels: Labels | None = None
        self._model: Path | None = None

    @property
    def source(self) -> SliceSource | None:
        """The image, and the slice of it that the viewer shows; None where there is none to segment."""
        return self._source

    @property
    def labels(self) -> Labels | None:
        """The chosen Labels layer, to learn from and to compare with; it need not fit the image."""
        return self._labels

    @property
    def model(self) -> Path | None:
        """The bundle that segments; None for the bundled one."""
        return self._model

    def set_source(self, source: SliceSource | None) -> None:
        """Segment another slice or layer."""
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

    def set_labels(self, labels: Labels | None) -> None:
        """Choose another Labels layer, or none."""
        if labels is not self._labels:
            self._labels = labels
            self.labels_changed.emit(labels)

    def set_model(self, model: Path | None) -> None:
        """Segment with another model."""
        if model != self._model:
            self._model = model
            self.model_changed.emit(model)
