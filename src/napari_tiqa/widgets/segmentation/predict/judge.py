"""Compares a segmentation with a truth in the background, slice by slice, as slices and thresholds come."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import dask.array as da
import numpy as np
import pandas as pd
from qtpy.QtCore import QObject, QTimer, Signal

from napari_tiqa.errors import Cancelled
from napari_tiqa.jobs.segmentation.result import Segmentation
from napari_tiqa.segmentation.agreement import agreement_of, confusion_matrix
from napari_tiqa.segmentation.classes import Classes
from napari_tiqa.volumes.reading import computed
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState

_SOON = 150  # ms after the last move of the threshold or stroke of the brush


@dataclass(frozen=True)
class Judged:
    """A slice that was compared, with the mean F1 of its classes; `asked` tells for which question."""

    asked: int
    index: int
    confusion: pd.DataFrame
    f1: float


@dataclass(frozen=True)
class JudgeRequest:
    """What is to be compared, frozen in the main thread."""

    asked: int
    labels: da.Array
    truth: da.Array
    classes: Classes
    axis: int
    slices: tuple[int, ...]

    def run(self, report: Callable[[Judged], None], cancel: threading.Event) -> None:
        """Count the pixels of each slice."""
        for index in self.slices:
            if cancel.is_set():
                raise Cancelled("The comparison was cancelled.")
            place = (*[slice(None)] * self.axis, index) if self.labels.ndim == 3 else ()
            said, known = (computed(volume[place]) for volume in (self.labels, self.truth))
            confusion = confusion_matrix(said, known, self.classes)
            f1 = float(agreement_of(confusion)["f1"].iloc[-1])  # here, since it takes a millisecond
            report(Judged(self.asked, index, confusion, f1))


class SegmentJudge(QObject):
    """Keeps the confusion matrix of every slice that is both segmented and labelled.

    Attributes
    ----------
    slices : dict
        What is known of each slice, by its index. After another question about the same truth, the answers to
        the one before stay until the first new one comes, so that nothing flickers.
    """

    judged = Signal()
    failed = Signal(str, object)  # sentence, and the error where the fault is ours

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.job = BackgroundJob("comparing with the truth")
        self.slices: dict[int, Judged] = {}
        self._segmentation: Segmentation | None = None
        self._truth: da.Array | None = None
        self._threshold = 0.5
        self._first = 0
        self._asked = 0
        self._hopeless = False  # whether the last question failed, as it would again
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._begin)
        self.job.progressed.connect(self._on_judged)
        self.job.ended.connect(self._on_ended)

    def ask(
        self, segmentation: Segmentation | None, truth: da.Array | None, threshold: float, first: int
    ) -> None:
        """Compare anew.

        Parameters
        ----------
        segmentation : Segmentation or None
            What is compared; None for nothing.
        truth : dask.array.Array or None
            Shape of the volume, label values.
        threshold : float
            For two classes.
        first : int
            The slice that somebody looks at, compared before all others.
        """
        self._first = first
        self._hopeless = False
        self._asked += 1
        if truth is None or truth is not self._truth:
            self.slices = {}
        self._segmentation, self._truth, self._threshold = segmentation, truth, threshold
        self.job.cancel()
        self._soon.start(_SOON)

    def take_more(self) -> None:
        """Compare the slices that were segmented since."""
        if not self._soon.isActive():
            self._soon.start(_SOON)

    def stop(self) -> None:
        """Compare no more."""
        self._soon.stop()
        self._segmentation = self._truth = None
        self.job.cancel()

    def _begin(self) -> None:
        segmentation, truth = self._segmentation, self._truth
        if segmentation is None or truth is None or self.job.state.busy or self._hopeless:
            return
        missing = [i for i in np.flatnonzero(segmentation.done).tolist() if not self._knows(i)]
        missing.sort(key=lambda index: index != self._first)
        if missing:
            labels = segmentation.segmentation(self._threshold)
            request = JudgeRequest(
                self._asked, labels, truth, segmentation.classes, segmentation.axis, tuple(missing)
            )
            self.job.start(request.run)

    def _knows(self, index: int) -> bool:
        return index in self.slices and self.slices[index].asked == self._asked

    def _on_judged(self, news: Judged) -> None:
        if news.asked == self._asked:
            if any(one.asked != self._asked for one in self.slices.values()):
                self.slices = {}
            self.slices[news.index] = news
            self.judged.emit()

    def _on_ended(self, outcome: JobOutcome) -> None:
        if outcome.state is JobState.FAILED:
            self._hopeless = True
            self.failed.emit(outcome.message, outcome.error)
        elif not self._soon.isActive():
            self._begin()  # with what has come meanwhile
