"""What the tabs that use a segmenter share: the choice of the model, its card, and a job."""

from pathlib import Path
from typing import Any

from napari.layers import Layer
from qtpy.QtWidgets import QWidget

from napari_tiqa.errors import SegmentationError
from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.scoring.bundle import SEGMENTATION
from napari_tiqa.segmentation.segmenter import segmenter_card
from napari_tiqa.widgets.segmentation.header import SegmentState
from napari_tiqa.widgets.segmentation.labels_layer import read_labels
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.dock_panel import DockPanel
from napari_tiqa.widgets.shared.forms import TAB_MARGINS, column
from napari_tiqa.widgets.shared.model_box import ModelBox
from napari_tiqa.widgets.shared.result_layers import is_result, unwrapped
from napari_tiqa.widgets.shared.run_row import RunRow
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel
from napari_tiqa.widgets.shared.slices_box import SlicesBox


def segmenter_box(use: str) -> ModelBox:
    """Return a box to choose a segmenter with; `use` says what it is for."""
    tooltip = f"{use}: the bundled model for battery electrodes, or one trained\non your labels."
    return ModelBox(tooltip, SEGMENTATION, "battery electrode (bundled)")


class ModelForm(QWidget):
    """Model, slices, and what starts the job; a subclass lays them out."""

    def __init__(
        self, model_box: ModelBox, slices: SlicesBox, run_row: RunRow, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.model_box, self.slices, self.run_row = model_box, slices, run_row
        self.message: SentenceLabel = run_row.message


class ModelTab(DockPanel):
    """A tab with a form, a job for which it needs the dock's segmenter, and results below.

    A subclass says what the job is by `start`, and calls `_set_up` once it is built.
    """

    def __init__(
        self, state: SegmentState, viewer: Any, form: ModelForm, job: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(viewer, parent)
        self.state = state
        self.message = form.message
        self.job = BackgroundJob(job)
        self.card_job = BackgroundJob("reading the model")
        self._model_form = form
        self._card_model: Path | None = None  # whose card is being read

    @property
    def jobs(self) -> tuple[BackgroundJob, ...]:
        """What ends with the dock."""
        return self.job, self.card_job

    def start(self) -> bool:
        """Start what the form asks for; False where that cannot start."""
        raise NotImplementedError

    def _set_up(self, *parts: Any) -> None:
        """Lay out the tab, the form first, and follow state, viewer and jobs."""
        form, state = self._model_form, self.state
        # 0: empty room that shrinks to nothing as soon as there are results.
        column(form, *parts, 0, parent=self, margins=TAB_MARGINS)
        for job in self.jobs:
            self._end_with_dock(job)
        form.run_row.start_clicked.connect(self.start)
        form.run_row.cancel_clicked.connect(self.job.cancel)
        form.model_box.changed.connect(lambda: state.set_model(form.model_box.path))
        state.model_changed.connect(self._on_model)
        state.source_changed.connect(self._follow)
        state.source_changed.connect(self.message.retract)
        self.job.state_changed.connect(form.run_row.show_state)
        self.job.progressed.connect(self._on_progress)
        self.job.ended.connect(self._on_ended)
        self.card_job.ended.connect(self._on_card)
        self._subscribe(self._viewer.layers.events.removed, self._on_removed)
        self._on_model(state.model)
        self._follow()

    # -- what a subclass does ----------------------------------------------------------------------

    def _on_progress(self, progress: Any) -> None:
        raise NotImplementedError

    def _on_ended(self, outcome: JobOutcome) -> None:
        raise NotImplementedError

    def _follow(self, _changed: object = None) -> None:
        """Follow the dock to another image or slice."""
        raise NotImplementedError

    def _show_card(self, card: dict[str, Any] | None, problem: str) -> None:
        """Show what the model's card says, or why it cannot be read."""
        raise NotImplementedError

    def _forget(self, layer: Layer) -> None:
        """Let go of a layer that was removed."""
        raise NotImplementedError

    # -- job and model -----------------------------------------------------------------------------

    def _say_starting(self) -> None:
        ready = bool(shared_model_process().device)
        self.message.say("Reading the first slice…" if ready else "Starting the network (a few seconds)…")

    def _compared_labels(self) -> Any:
        """Return the chosen labels, to compare with; raises SegmentationError where that cannot be."""
        source, labels = self.state.source, self.state.labels
        if labels is None or source is None:
            raise SegmentationError("There are no labels to compare with: choose a Labels layer above.")
        if is_result(labels):
            raise SegmentationError(f"'{labels.name}' is a result itself: choose labels to compare with.")
        return read_labels(labels, source)

    def _on_removed(self, event: Any) -> None:
        layer = unwrapped(event.value)
        if layer is self.job.layer and not self.job.state.busy:
            self.message.forget_problem()
        self._forget(layer)

    def _on_model(self, model: Path | None) -> None:
        if self._model_form.model_box.path != model:
            self._model_form.model_box.choose(model)
        self._read_card()

    def _read_card(self) -> None:
        model = self.state.model
        if self.card_job.start(lambda report, cancel: segmenter_card(model)):
            self._card_model = model

    def _on_card(self, outcome: JobOutcome) -> None:
        if self._card_model != self.state.model:
            self._read_card()  # another one was chosen meanwhile
        elif outcome.state is JobState.FAILED:
            self._show_card(None, outcome.message)
        elif outcome.state is JobState.DONE:
            self._show_card(outcome.result, "")
