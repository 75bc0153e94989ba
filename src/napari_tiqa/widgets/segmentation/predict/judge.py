"""Compares a segmentation with a truth in the background, slice by slice, and again for each threshold."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import dask.array as da
import numpy as np
import pandas as pd
from qtpy.QtCore import QObject, QTimer, Signal

from napari_tiqa.errors import BundleError, Cancelled
from napari_tiqa.jobs.segmentation.result import Segmentation
from napari_tiqa.segmentation.agreement import agreement_of, confusion_matrix
from napari_tiqa.segmentation.classes import Classes
from napari_tiqa.segmentation.segmenter import segmenter_card
from napari_tiqa.segmentation.trained_on import TrainedSlices
from napari_tiqa.volumes.reading import computed
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.slice_source import SliceSource

_DELAY = 150  # ms after the last move of the threshold or stroke of the brush


@dataclass(frozen=True)
class Judged:
    """A slice that was compared, with the mean F1 of its classes; `question` tells for which one.

    `trained` says whether the model was trained on it.
    """

    question: int
    index: int
    confusion: pd.DataFrame
    f1: float
    trained: bool = False


class ModelsSlices:
    """The slices of a volume that the model of its segmentation was trained on, by the model's card.

    The card is read when first asked for, in the background. A model that was trained again since is not the
    one that segmented, so nothing is known of it.
    """

    def __init__(self, segmentation: Segmentation, volume: Volume) -> None:
        self._segmentation, self._volume = segmentation, volume
        self._known: TrainedSlices | None = None

    def holds(self, index: int, labels: np.ndarray) -> bool:
        """Tell whether slice `index` was trained on; `labels` are what it is compared with."""
        if self._known is None:
            model = self._segmentation.record["model"]
            try:
                card = segmenter_card(model["path"])
            except BundleError:
                card = {}
            same = card.get("weights_sha256") == model["weights_sha256"]
            self._known = TrainedSlices(card if same else {}, self._volume, self._segmentation.axis)
        return self._known.holds(index, labels)


def compare_slices(
    question: int,
    labels: da.Array,
    truth: da.Array,
    classes: Classes,
    axis: int,
    slices: list[int],
    trained: ModelsSlices,
    *,
    progress: Callable[[Judged], None],
    cancel: threading.Event,
) -> None:
    """Count the pixels of each slice, and report them slice by slice."""
    for index in slices:
        if cancel.is_set():
            raise Cancelled("The comparison was cancelled.")
        place = (*[slice(None)] * axis, index) if labels.ndim == 3 else ()
        known = computed(truth[place])
        confusion = confusion_matrix(computed(labels[place]), known, classes)
        f1 = float(agreement_of(confusion)["f1"].iloc[-1])  # here, since it takes a millisecond
        progress(Judged(question, index, confusion, f1, trained.holds(index, known)))


class SegmentJudge(QObject):
    """Keeps the confusion matrix of every slice that is both segmented and labelled, by the slice's index.

    After another question about the same truth, the previous answers stay until the first new one, so that
    nothing flickers.
    """

    judged = Signal()
    failed = Signal(str, object)  # sentence, and the error where the fault is ours

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.job = BackgroundJob("comparing with the truth")
        self.slices: dict[int, Judged] = {}
        self._segmentation: Segmentation | None = None
        self._trained: ModelsSlices | None = None
        self._truth: da.Array | None = None
        self._threshold = 0.5
        self._first = 0
        self._question = 0
        self._failed = False  # the last question, which would fail again
        self._delayed = QTimer(self, singleShot=True, interval=_DELAY)
        self._delayed.timeout.connect(self._begin)
        self.job.progressed.connect(self._on_judged)
        self.job.ended.connect(self._on_ended)

    def ask(
        self,
        segmentation: Segmentation | None,
        truth: da.Array | None,
        threshold: float,
        source: SliceSource | None,
    ) -> None:
        """Compare again with a truth of the source's volume, the slice on screen first."""
        first = source.index if source is not None else 0
        self._first = first
        self._failed = False
        self._question += 1
        if truth is None or truth is not self._truth:
            self.slices = {}
        if segmentation is not None and segmentation is not self._segmentation and source is not None:
            self._trained = ModelsSlices(segmentation, source.volume)
        self._segmentation, self._truth, self._threshold = segmentation, truth, threshold
        self.job.cancel()
        self._delayed.start()

    def take_more(self) -> None:
        """Compare the slices that were segmented since."""
        if not self._delayed.isActive():
            self._delayed.start()

    def stop(self) -> None:
        """Stop comparing."""
        self._delayed.stop()
        self._segmentation = self._truth = None
        self.job.cancel()

    def _begin(self) -> None:
        segmentation, truth, trained = self._segmentation, self._truth, self._trained
        if segmentation is None or truth is None or trained is None or self.job.state.busy or self._failed:
            return
        missing = [i for i in np.flatnonzero(segmentation.done).tolist() if not self._knows(i)]
        missing.sort(key=lambda index: index != self._first)
        if missing:
            labels = segmentation.segmentation(self._threshold)
            question = (self._question, labels, truth, segmentation.classes, segmentation.axis)
            self.job.run(partial(compare_slices, *question, missing, trained))

    def _knows(self, index: int) -> bool:
        return index in self.slices and self.slices[index].question == self._question

    def _on_judged(self, judged: Judged) -> None:
        if judged.question == self._question:
            if any(other.question != self._question for other in self.slices.values()):
                self.slices = {}
            self.slices[judged.index] = judged
            self.judged.emit()

    def _on_ended(self, outcome: JobOutcome) -> None:
        if outcome.state is JobState.FAILED:
            self._failed = True
            self.failed.emit(outcome.message, outcome.error)
        elif not self._delayed.isActive():
            self._begin()  # with the slices segmented meanwhile
