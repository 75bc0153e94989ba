"""What the tabs of the segmentation dock share: the image and slice, the labels, the model."""

from napari.layers import Labels
from qtpy.QtCore import QObject, Signal

from napari_tiqa.widgets.shared.source_state import SourceState


class SegmentState(SourceState):
    """The source, the labels and the model; the dock's header sets them, and every tab may set the model.

    A tab follows the signals. It reads the labels by ``read_labels(state.labels, state.source)``, which
    raises a SegmentationError with a sentence where they do not lie on the image.
    """

    labels_changed = Signal(object)  # napari.layers.Labels or None: another layer
    labels_edited = Signal()  # the same layer, painted on, filled, undone, or given other data

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._labels: Labels | None = None

    @property
    def labels(self) -> Labels | None:
        """The chosen Labels layer, to learn from and to compare with; it need not fit the image."""
        return self._labels

    def set_labels(self, labels: Labels | None) -> None:
        """Choose another Labels layer, or none."""
        if labels is not self._labels:
            self._labels = labels
            self.labels_changed.emit(labels)
