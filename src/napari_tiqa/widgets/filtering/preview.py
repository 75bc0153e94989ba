"""The live preview: tries the pipeline in the background whenever it or the slice changes; latest wins."""

from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_tiqa.filtering.pipeline import Step
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.filtering.state import FilterState
from napari_tiqa.widgets.filtering.trial import FilteredSlice, SliceAtWork, StepBegun, StepEnded
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState

_GRACE = 250  # ms for a trial to end once another was asked for: most are done by then, and are shown
_SLOW = 1.0  # s: from here on a filter is announced


class FilterPreview(QObject):
    """Keeps one trial under way at most, and remembers only the newest that was asked for meanwhile.

    While a slider is dragged, each trial that ends is shown with its own score, and the next takes the value
    that the slider has by then: no queue builds up, and the picture does not wait for the hand to rest. What
    was found of another slice, layer or model is dropped.
    """

    begun = Signal()
    slow = Signal(str)  # a sentence on a filter that takes its time
    filtered = Signal(object)  # FilteredSlice
    scored = Signal(object)  # SliceTrial
    failed = Signal(object)  # JobOutcome
    window_found = Signal(object)  # IntensityWindow

    def __init__(self, state: FilterState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.job = BackgroundJob("filtering")
        self._state = state
        self._slice: SliceAtWork | None = None
        self._at_work: SliceAtWork | None = None  # whose trial is under way
        self._wanted = False
        self._seconds: dict[tuple[str, int], float] = {}
        self._overdue = QTimer(self, singleShot=True, interval=_GRACE)
        self._overdue.timeout.connect(self.job.cancel)
        self._long = QTimer(self, singleShot=True, interval=round(1000 * _SLOW))
        self._long.timeout.connect(self._say_slow)
        self._step: Step | None = None
        self.job.progressed.connect(self._on_progress)
        self.job.ended.connect(self._on_ended)
        state.pipeline_changed.connect(self.request)
        state.source_changed.connect(self._on_source)
        state.model_changed.connect(self._on_model)

    def request(self, _changed: object = None) -> None:
        """Try the pipeline as it is now: at once, or as soon as the trial under way has ended."""
        self._wanted = self._slice is not None
        if self._wanted and not self.job.state.busy:
            self._start()
        elif self.job.state.busy and not self._overdue.isActive():
            self._overdue.start()

    def stop(self) -> None:
        """Try nothing more, and show nothing of the trial under way: the dock was closed."""
        self._wanted, self._slice = False, None
        self._drop()

    def _start(self) -> None:
        self._wanted = False
        at_work, pipeline, model = self._slice, self._state.pipeline, self._state.model
        if at_work is None:
            return
        self._at_work = at_work
        self.begun.emit()
        self.job.start(lambda report, cancel: at_work.try_pipeline(pipeline, model, report, cancel))

    def _on_source(self, source: Any) -> None:
        self._slice = None if source is None else SliceAtWork(source)
        self._on_model()

    def _on_model(self, _model: object = None) -> None:
        self._drop()
        self.request()

    def _drop(self) -> None:
        """Cancel the trial under way, and show nothing of it."""
        self._at_work = None
        self.job.cancel()

    def _on_progress(self, progress: Any) -> None:
        if isinstance(progress, StepEnded):
            self._seconds[progress.step.filter, progress.pixels] = progress.seconds
        if self._at_work is None:
            return
        if isinstance(progress, IntensityWindow):
            self.window_found.emit(progress)
        elif isinstance(progress, StepBegun):
            self._step = progress.step
            expected = self._seconds.get((progress.step.filter, progress.pixels), 0.0)
            if expected >= _SLOW:
                title = progress.step.definition.title
                self.slow.emit(f"{title} takes about {expected:.0f} s on this slice…")
            else:
                self._long.start()
        elif isinstance(progress, StepEnded):
            self._long.stop()
        elif isinstance(progress, FilteredSlice):
            self.filtered.emit(progress)

    def _say_slow(self) -> None:
        if self._step is not None and self.job.state.busy:
            self.slow.emit(f"{self._step.definition.title} is still working on this slice…")

    def _on_ended(self, outcome: JobOutcome) -> None:
        self._overdue.stop()
        self._long.stop()
        stale, self._at_work = self._at_work is None, None
        if not stale and outcome.state is JobState.DONE:
            self.scored.emit(outcome.result)
        elif not stale and outcome.state is JobState.FAILED and not self._wanted:
            self.failed.emit(outcome)
        if self._wanted and not self.job.state.busy:
            self._start()
