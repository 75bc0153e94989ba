"""The Train tab: from painted labels to a segmenter that the other tabs use."""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from napari_tiqa.errors import SegmentationError
from napari_tiqa.jobs.segmentation.train import resume_segmenter, train_segmenter
from napari_tiqa.segmentation.classes import Classes
from napari_tiqa.segmentation.progress import SegmentProgress, read_segment_epochs
from napari_tiqa.widgets.host.remembered import remember
from napari_tiqa.widgets.segmentation.header import SegmentState
from napari_tiqa.widgets.segmentation.labels_layer import read_labels, take_brush
from napari_tiqa.widgets.segmentation.train.classes import SegmentTrainClasses
from napari_tiqa.widgets.segmentation.train.form import SegmentTrainForm
from napari_tiqa.widgets.segmentation.train.label_count import LabelCount, count_labels
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.forms import TAB_MARGINS, button, collapsible, column, line
from napari_tiqa.widgets.shared.read_layer import axis_names
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel
from napari_tiqa.widgets.training.controls import TrainingControls
from napari_tiqa.widgets.training.epoch_plot import EpochPlot
from napari_tiqa.widgets.training.job import Training, TrainingJob
from napari_tiqa.widgets.training.page import TrainingPage
from napari_tiqa.widgets.training.runs import StartedRuns, TrainingRun, free_folder

STAGE = "train"
"""Of ``SegmentProgress``: the one that has epochs."""

_COUNT_AFTER = 250  # ms after the last stroke
_STAGES = {
    "prepare": ("Collecting labelled slices", "slices"),
    "train": ("Training", "patches"),
    "judge": ("Validating", "images"),
}


@cache
def shared_segmenter_job() -> TrainingJob:
    """Return the one training of a segmenter in this napari."""
    return TrainingJob(StartedRuns("segmenter_runs.json"))


class SegmentTrainTab(TrainingPage):
    """Trains a segmenter from the dock's image and labels; a finished one becomes the dock's model."""

    def __init__(self, state: SegmentState, viewer: Any, parent: QWidget | None = None) -> None:
        controls = TrainingControls("Learn from the labels, in a process of its own: napari stays usable.")
        super().__init__(viewer, shared_segmenter_job(), controls, parent)
        self.state = state
        self.count: LabelCount | None = None
        self.count_job = BackgroundJob("counting labelled pixels")
        self.classes = SegmentTrainClasses()
        self.add_button = button(
            "Add a class",
            "Activate the brush with the next label, to paint one more class.",
            lambda: self._take_brush(self.classes.add_class()),
        )
        self.summary = SentenceLabel("What the training learns from.")
        self.form = SegmentTrainForm()
        where = "Settings of the training, and where the model is saved."
        self.settings = collapsible("Settings", where, self.form)
        self.plot = SegmentTrainPlot()
        self._counted_for: tuple[Any, ...] = ()
        self._counting_again = False
        self._train_when_counted = False
        self._training_warnings: list[str] = []  # of the last training
        self._count_soon = QTimer(self, singleShot=True, interval=_COUNT_AFTER)
        self._lay_out()
        self._connect()
        form = self.form
        remember("segment train", zero=form.zero, preset=form.preset, settings=form.settings, dice=form.dice)
        self._on_labels()
        self._follow_job()

    def close_down(self) -> None:
        """Let go of viewer and labels; a training continues."""
        super().close_down()
        self._count_soon.stop()
        self._train_when_counted = False

    def _lay_out(self) -> None:
        self.settings.expand()
        self.plot.hide()
        below = line((self.summary, 1), self.add_button)
        parts = (self.offer, self.classes, below, self.settings, self.controls, (self.plot, 1))
        column(*parts, 0, parent=self, margins=TAB_MARGINS)  # 0: room only while there is no plot

    def _connect(self) -> None:
        state = self.state
        state.labels_changed.connect(self._on_labels)
        state.labels_edited.connect(self._on_edited)
        state.source_changed.connect(self._on_source)
        self._count_soon.timeout.connect(self._count)
        self.count_job.ended.connect(self._on_counted)
        self._end_with_dock(self.count_job)
        self.classes.class_chosen.connect(self._take_brush)
        self.form.changed.connect(self._show_count)
        self.settings.toggled.connect(lambda _: self._show_plot())
        self._use_theme(self.plot)

    # -- the labels --------------------------------------------------------------------------------

    def _on_labels(self, _labels: object = None) -> None:
        self.message.retract()
        self._training_warnings = []
        self._counted_for = ()
        self.count = None
        self.classes.show_labels(self.state.labels)
        self.add_button.setEnabled(self.state.labels is not None)
        self._on_source()

    def _on_edited(self) -> None:
        self.message.retract()
        self._training_warnings = []
        self._count_soon.start()

    def _on_source(self, _source: object = None) -> None:
        source, labels = self.state.source, self.state.labels
        key = (labels, source.layer, tuple(source.at.items())) if labels and source else ()
        if key != self._counted_for:  # not for each other slice of the same volume
            self._counted_for = key
            self.count = None
            self.message.retract()
            self._count()
        self._show_count()

    def _take_brush(self, value: int) -> None:
        if self.state.labels is not None:
            take_brush(self._viewer, self.state.labels, value)

    def _count(self) -> None:
        """Count in the background; what is painted meanwhile is counted again."""
        source, labels = self.state.source, self.state.labels
        self._counting_again = self.count_job.state.busy
        if self._counting_again:
            return
        try:
            lazy = read_labels(labels, source) if labels is not None and source is not None else None
        except SegmentationError:
            lazy = None  # the dock's header says why
        if lazy is None:
            self.count = None
            self._on_count()
            return
        key = self._counted_for
        self.count_job.start(lambda _report, cancel: (key, count_labels(lazy, cancel)))

    def _on_counted(self, outcome: JobOutcome) -> None:
        if outcome.state is JobState.FAILED:
            self.message.complain(outcome.message, outcome.error)
            self._train_when_counted = False
        elif outcome.result is not None:
            key, count = outcome.result
            if key == self._counted_for:
                self.count = count
        if self._counting_again:
            self._count()
        else:
            self._on_count()

    def _on_count(self) -> None:
        """Show the new count, and start the training that has waited for it."""
        self._show_count()
        if self._train_when_counted:
            self._train_when_counted = False
            self.train()

    def _painted(self) -> Classes:
        """Return the painted classes; raises SegmentationError where they cannot be learned."""
        values = np.array(list(self.count.pixels) if self.count is not None else [], np.int64)
        unnamed = Classes.of(values, self.form.unlabelled)
        return Classes.of(values, self.form.unlabelled, self.classes.names_of(unnamed.values))

    def _show_count(self) -> None:
        """Show what there is to learn from, and what may spoil the training."""
        count, unlabelled = self.count, self.form.unlabelled
        self.controls.set_ready(self.state.source is not None)  # the dock's header says why not
        self.classes.show_pixels(count.pixels if count is not None else {}, unlabelled)
        self.summary.say(self._summary())
        if not self.job.state.busy:
            self.controls.show_warnings(self._warnings())

    def _summary(self) -> str:
        source, count = self.state.source, self.count
        if self.state.labels is None:
            return "Press New layer to paint on a new one, or choose existing labels."
        if source is None or count is None or not any(count.labelled):
            return "Click a class and paint some strokes of it: a few in each of two slices are enough."
        dimensions = [d for d in range(source.layer.ndim) if d not in source.at]
        axis = self._axis(count)
        name = axis_names(source.layer)[dimensions[axis]]
        return count.summary(axis, name, self.form.unlabelled)

    def _axis(self, count: LabelCount) -> int:
        seen = self.state.source.axis if self.state.source is not None else 0
        return count.learned_axis(seen, self.form.unlabelled)

    def _warnings(self) -> list[str]:
        count = self.count
        if count is None or not any(count.labelled):
            return []
        try:
            return [*count.warnings(self._painted(), self._axis(count)), *self._training_warnings]
        except SegmentationError as error:
            return [str(error)]

    # -- training ----------------------------------------------------------------------------------

    def train(self) -> bool:
        """Start the training, once the labels are counted; False where that cannot start."""
        if self._count_soon.isActive() or self.count_job.state.busy:
            self._train_when_counted = True
            self.message.say("Counting the labelled pixels first…")
            return True
        return super().train()

    def _request(self) -> Training:
        source, labels = self.state.source, self.state.labels
        if source is None:
            raise SegmentationError("There is no image to learn from: open a tomogram first.")
        if labels is None:
            raise SegmentationError("There are no labels to learn from: make a new layer and paint strokes.")
        frozen = read_labels(labels, source, frozen=True)
        if self.count is not None and not any(self.count.labelled):
            raise SegmentationError("Nothing is painted yet: paint some strokes of two classes or more.")
        classes = self._painted()
        output = self.form.output.model_path
        run = TrainingRun(free_folder(output), output)
        verb = partial(
            train_segmenter,
            source.volume,
            frozen,
            output,
            run_folder=run.folder,
            recipe=self.form.recipe,
            unlabelled=self.form.unlabelled,
            names=classes.names,
            axis=self._axis(self.count) if self.count is not None else source.axis,
            window=source.window,
        )
        return Training(run, verb, (source.layer.unique_id, labels.unique_id))

    def _resumed(self, run: TrainingRun) -> Training:
        return Training(run, partial(resume_segmenter, run.folder, run.output))

    def _show_begun(self) -> None:
        self._training_warnings = []
        self.controls.show_warnings([])
        self.classes.show_ious({})
        self.settings.collapse()
        self._show_plot()

    def _allow_changes(self, allowed: bool) -> None:
        self.form.setEnabled(allowed)

    def _draw_epochs(self, run: TrainingRun) -> None:
        self.plot.clear()
        rows = read_segment_epochs(run.folder)
        for epoch, epochs, loss, iou in rows[["epoch", "epochs", "loss", "iou"]].to_numpy().tolist():
            self.plot.add(STAGE, int(epoch), int(epochs), loss, iou)
        self._show_plot()

    def _show_progress(self, progress: SegmentProgress) -> None:
        stage, parts = _STAGES[progress.stage]
        self.controls.show_stage(stage, parts, progress)

    def _draw_progress(self, progress: SegmentProgress) -> None:
        if not progress.epochs:
            return
        self.plot.add(STAGE, progress.epoch, progress.epochs, progress.loss, progress.iou)
        if progress.class_ious is not None:
            self.classes.show_ious(progress.class_ious)

    def _show_plot(self) -> None:
        """Give the plot the room of the settings, where there is something to plot."""
        begun = bool(self.plot.stages[STAGE].epochs) or self.job.state.busy
        self.plot.setVisible(begun and not self.settings.isExpanded())

    def _show_model(self, run: TrainingRun, outcome: JobOutcome) -> None:
        card = outcome.result
        kept = f"Cancelled; the best network so far, epoch {card['training']['best']['epoch']}, is kept"
        begin = f"'{run.name}' is trained" if outcome.state is JobState.DONE else kept
        self.message.say(f"{begin}; the Segment tab uses it now. {_validation(card)}")
        self._training_warnings = list(self.job.warnings)
        self.controls.show_warnings(self._warnings())
        self.form.output.propose()
        self.state.set_model(run.output)

    def _where_stopped(self, run: TrainingRun) -> str:
        rows = read_segment_epochs(run.folder)
        if rows.empty:
            return "before the end of its first epoch"
        last = rows.iloc[-1]
        return f"after epoch {int(last['epoch'])} of {int(last['epochs'])}"


def _validation(card: Mapping[str, Any]) -> str:
    """Return a sentence on how good a model is, from its card."""
    best, rows = card["training"]["best"], card["evaluation"]
    if not isinstance(rows, list):
        if best["iou"] is None:
            return "Nothing was left out of training, so it has not been validated."
        return f"On labelled pixels left out of training: mean IoU {best['iou']:.3f}."
    *classes, mean = rows
    known = [f"{row['class']} {row['f1']:.3f}" for row in classes if row["f1"] is not None]
    pixels = f"{mean['pixels']:.0f} labelled pixels left out of training"
    return f"On {pixels}: F1 {', '.join(known)}; mean IoU {mean['iou']:.3f}."


class SegmentTrainPlot(EpochPlot):
    """The loss above, the mean IoU of the classes below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            {STAGE: "Training"},
            {"mean IoU": "#56B4E9"},
            (0, 0.5, 1),
            "Above: the loss, which the training minimises; only its decrease matters.\n"
            "Below: IoU, the overlap of the segmentation with the labels left out of training, as a share\n"
            "of both together, mean over the classes; 1 is perfect.",
            parent,
        )
