"""The Segment tab: segment slices, see where the network is uncertain, and compare with a truth."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
from napari.layers import Layer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from napari_tiqa.errors import TiqaError
from napari_tiqa.jobs.segmentation.predict import PredictProgress, segment
from napari_tiqa.jobs.segmentation.result import Segmentation
from napari_tiqa.segmentation.classes import Classes
from napari_tiqa.segmentation.segmenter import classes_of
from napari_tiqa.widgets.host.remembered import remember
from napari_tiqa.widgets.quality.run_shelf import KeptScores
from napari_tiqa.widgets.segmentation.header import SegmentState
from napari_tiqa.widgets.segmentation.layers import SegmentLayers, SegmentView
from napari_tiqa.widgets.segmentation.model_tab import ModelTab
from napari_tiqa.widgets.segmentation.plot import F1, SCORE, UNCERTAINTY, Curves, SegmentPlot
from napari_tiqa.widgets.segmentation.predict.agreement import SegmentAgreement
from napari_tiqa.widgets.segmentation.predict.form import SegmentPredictForm
from napari_tiqa.widgets.segmentation.predict.fractions import FractionTable
from napari_tiqa.widgets.segmentation.predict.judge import SegmentJudge
from napari_tiqa.widgets.segmentation.predict.save import SegmentSave
from napari_tiqa.widgets.segmentation.predict.slice_table import SliceTable
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.read_layer import axis_names
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.widgets.shared.slider import go_to_slice

_DRAW_EVERY = 150  # ms; more often takes time from napari's own drawing
_Key = tuple[Any, ...]


@dataclass
class _Shown:
    """A volume that was segmented, along one axis, and its layers."""

    source: SliceSource
    layers: SegmentLayers
    segmentation: Segmentation | None = None


class SegmentPredictTab(ModelTab):
    """Segments the dock's image with the dock's model; parameters as of ModelTab."""

    def __init__(self, state: SegmentState, viewer: Any, parent: QWidget | None = None) -> None:
        form = SegmentPredictForm()
        super().__init__(state, viewer, form, "segmenting", parent)
        self.form = form
        self.agreement = SegmentAgreement()
        self.fractions = FractionTable()
        self.plot = SegmentPlot()
        self.curves_message = SentenceLabel(
            "Spearman's rank correlation (SROCC) of quality score and mean uncertainty: near -1, the\n"
            "network is less certain of slices that look worse."
        )
        self.save = SegmentSave(self.plot, self._slice_table)
        self.judge = SegmentJudge(self)
        self._all: dict[_Key, _Shown] = {}
        self._running: _Shown | None = None
        self._progress: PredictProgress | None = None
        self._truth: da.Array | None = None
        self._truth_data: Any = None  # the array of the Labels layer that it was read from
        self._followed: Segmentation | None = None  # whose classes and truth are shown
        self._scores = KeptScores()
        self._draw_soon = QTimer(self, singleShot=True, interval=_DRAW_EVERY)
        self._draw_soon.timeout.connect(self._draw)
        # A slider that is dragged tells of many thresholds in one go.
        self._decide_soon = QTimer(self, singleShot=True, interval=0)
        self._decide_soon.timeout.connect(self._decide)
        self._connect()
        self._set_up(self.fractions, (self.plot, 1), self.curves_message, self.save, self.agreement)
        remember("segment", model=self.form.model_box, slices=self.form.slices)

    @property
    def jobs(self) -> tuple[BackgroundJob, ...]:
        """What ends with the dock."""
        return *super().jobs, self.judge.job, self.save.job

    def close_down(self) -> None:
        """End what is under way; layers stay, with the slices that are done."""
        super().close_down()
        self.judge.stop()
        self._draw_soon.stop()
        self._decide_soon.stop()
        for shown in self._all.values():
            shown.layers.stop()

    def _connect(self) -> None:
        self.form.threshold_changed.connect(self._decide_soon.start)
        self.form.view_chosen.connect(self._set_view)
        self.form.likely_chosen.connect(self._set_likely)
        self.state.labels_changed.connect(self._show_truth)
        self.state.labels_edited.connect(self._on_edited)
        self.agreement.class_changed.connect(self._show_truth)
        self.judge.judged.connect(self._draw_later)
        self.judge.failed.connect(self._on_judge_failed)
        self.plot.slice_clicked.connect(self.go_to)
        self.save.saved.connect(self.message.say)
        self.save.problem.connect(self.message.complain)
        self._use_theme(self.plot)

    # -- segmenting --------------------------------------------------------------------------------

    @property
    def shown(self) -> _Shown | None:
        """What was segmented of the volume and axis that the viewer shows."""
        source = self.state.source
        return self._all.get(_key(source)) if source is not None else None

    @property
    def _segmentation(self) -> Segmentation | None:
        return self.shown.segmentation if self.shown is not None else None

    @property
    def _classes(self) -> Classes | None:
        return self._segmentation.classes if self._segmentation is not None else None

    def start(self) -> bool:
        """Segment the chosen slices with the chosen model; False where that cannot start."""
        source = self.state.source
        if source is None or self.job.state.busy:
            return False
        try:
            slices = self.form.slices.slices(source)
        except TiqaError as error:
            self.message.refuse(str(error))
            return False
        shown = self._all.get(_key(source))
        if shown is None:
            shown = self._all[_key(source)] = _Shown(source, SegmentLayers(self._viewer, source, self))
        for other in self._all.values():
            if other.source.layer is not source.layer:
                other.layers.hide()
        self._running, self._progress = shown, None
        self._read_card()  # the model may have been trained again
        self._say_starting()
        chosen = partial(segment, slices=slices, axis=source.axis, window=source.window)
        return self.job.run(partial(chosen, source.volume, model=self.state.model), source.layer)

    def _on_progress(self, progress: PredictProgress) -> None:
        shown = self._running
        if shown is None or not shown.source.is_current:
            return
        self._progress = progress
        if shown.segmentation is not progress.segmentation and progress.done:
            shown.segmentation = progress.segmentation
            shown.layers.show(progress.segmentation, self.form.threshold_value, self.form.view)
            if shown is self.shown:
                self._follow()
        elif progress.index is not None:
            shown.layers.refresh(progress.index)
        if shown is self.shown:
            self.judge.take_more()
        self._draw_later()

    def _on_ended(self, outcome: JobOutcome) -> None:
        shown, self._running = self._running, None
        if shown is None:
            return
        if outcome.state is JobState.DONE:
            self._finish(shown, outcome.result)
        elif outcome.state is JobState.FAILED:
            self.message.complain(outcome.message, outcome.error)
        elif outcome.layer_gone:
            self.message.say(outcome.message, problem=True)
        else:
            count = 0 if shown.segmentation is None else int(shown.segmentation.done.sum())
            kept = f"; {count} slices are segmented, and Segment resumes from there" if count else ""
            self.message.say(f"Cancelled{kept}.")
        self._draw()

    def _finish(self, shown: _Shown, segmentation: Segmentation) -> None:
        source = self.state.source
        if source is not None and source.volume is shown.source.volume:
            self.state.set_window(segmentation.window)
        shown.layers.refresh()
        sentence = _summary(segmentation)
        if shown is self.shown and source is not None and not segmentation.done[source.index]:
            sentence += f" The slice on screen ({source.index}) was not segmented."
        self.message.say(sentence)

    # -- what is shown -----------------------------------------------------------------------------

    def go_to(self, index: int) -> None:
        """Show a slice of the image in the viewer."""
        source = self.state.source
        if source is not None and source.volume.data.ndim == 3:
            go_to_slice(self._viewer, source.layer, source.dimension, index, source.at)

    def _set_view(self, view: SegmentView) -> None:
        if self.shown is not None:
            self.shown.layers.set_view(view)

    def _set_likely(self, value: int) -> None:
        if self.shown is not None:
            self.shown.layers.set_likely(value)

    def _decide(self) -> None:
        """Apply the threshold."""
        shown = self.shown
        if shown is not None:
            shown.layers.set_threshold(self.form.threshold_value)
            self._judge()

    def _follow(self, _changed: object = None) -> None:
        """Follow the dock to another image, axis or slice, or a new result."""
        self._drop_outdated()
        source, segmentation = self.state.source, self._segmentation
        self.form.slices.show_source(source)
        self.plot.set_marker(source.index if source is not None else None)
        if segmentation is not self._followed or source is None:
            self._followed = segmentation
            self._show_truth()
        self.form.run_row.set_ready(source is not None)
        self._draw_later()

    def _drop_outdated(self) -> None:
        """Let go of what was segmented of data that a layer no longer has; its layers are hidden."""
        for key, shown in list(self._all.items()):
            if not shown.source.is_current:
                shown.layers.hide()
                shown.layers.stop()
                del self._all[key]

    def _forget(self, layer: Layer) -> None:
        for shown in self._all.values():
            shown.layers.forget(layer)
        removed = [
            self._all.pop(key) for key, shown in list(self._all.items()) if shown.source.layer is layer
        ]
        for shown in removed:
            shown.layers.stop()

    def _show_card(self, card: dict[str, Any] | None, problem: str) -> None:
        if card is None:
            self.form.facts.say(problem, problem=True)
        else:
            names = ", ".join(f"“{name}”" for name in classes_of(card).names)
            self.form.facts.say(f"Classes: {names}. {str(card.get('domain', '')).strip()}".rstrip())

    # -- the truth ---------------------------------------------------------------------------------

    def _on_edited(self) -> None:
        labels = self.state.labels
        if self._truth is not None and labels is not None and labels.data is self._truth_data:
            self._judge()
        else:
            self._show_truth()  # other data, or the problem with them may be solved

    def _show_truth(self, _changed: object = None) -> None:
        """Compare the segmentation with the chosen labels, or say why not."""
        segmentation, labels = self._segmentation, self.state.labels
        truth, problem = None, ""
        if segmentation is not None:
            self.agreement.set_classes(segmentation.classes)
        if segmentation is not None and labels is not None:
            try:
                truth, self._truth_data = self._compared_labels(), labels.data
            except TiqaError as error:
                problem = str(error)
        self._set_truth(truth, problem)
        self._judge()

    def _set_truth(self, truth: da.Array | None, problem: str) -> None:
        self._truth = truth
        self.agreement.show_problem(problem)
        if self.shown is not None:
            self.shown.layers.set_truth(truth, self.agreement.value)
        before = self.form.view
        self.form.show_classes(self._classes, truth=truth is not None)
        if self.form.view is not before:
            self._set_view(self.form.view)

    def _judge(self) -> None:
        """Compare again: other labels, or another threshold."""
        source, shown = self.state.source, self.shown
        self.judge.ask(self._segmentation, self._truth, self.form.threshold_value, source)
        if shown is not None and self._truth is not None:
            shown.layers.refresh_outcomes()
        self._draw_later()

    def _on_judge_failed(self, sentence: str, error: Exception | None) -> None:
        self._set_truth(None, sentence)
        if error is not None:
            self.message.complain(sentence, error)

    # -- curves and tables -------------------------------------------------------------------------

    def _draw_later(self) -> None:
        if not self._draw_soon.isActive():
            self._draw_soon.start(_DRAW_EVERY)

    def _draw(self) -> None:
        """Draw curves and tables of the slices, and the progress of the job."""
        progress = self._progress
        if progress is not None and self.job.state is JobState.RUNNING:
            # Here, since Qt paints a bar at once, however many reports wait.
            sentence = f"{progress.done} of {progress.total} slices are segmented."
            self.form.run_row.show_progress(progress, sentence)
        source, segmentation, labels = self.state.source, self._segmentation, self.state.labels
        if source is None or segmentation is None:
            for part in (self.fractions, self.plot, self.curves_message, self.save):
                part.hide()
            return
        table = segmentation.table()
        self.fractions.show_fractions(table, segmentation.classes, source.index)
        self.fractions.setVisible(len(table) > 0)
        values = {UNCERTAINTY: dict(zip(table["slice"], table["uncertainty"], strict=True))}
        if scores := self._scores.of(source):
            values[SCORE] = scores
        if self._truth is not None and labels is not None:
            compared = self.judge.slices.values()
            confusions = {judged.index: judged.confusion for judged in compared}
            trained = {judged.index for judged in compared if judged.trained}
            self.agreement.show_confusions(confusions, source.index, labels.name, trained)
            values[F1] = {judged.index: judged.f1 for judged in compared if np.isfinite(judged.f1)}
        several = source.volume.data.ndim == 3
        axis = axis_names(source.layer)[source.dimension] if several else ""
        self.plot.setVisible(several)
        self.save.offer(source.layer_name, curves=several)
        self.plot.show_curves(Curves(values, source.volume.slice_count(source.axis), axis))
        self.curves_message.say(self.plot.agreement())
        self.curves_message.setVisible(several and bool(self.curves_message.text()))

    def _slice_table(self) -> SliceTable | None:
        source, segmentation, labels = self.state.source, self._segmentation, self.state.labels
        if source is None or segmentation is None:
            return None
        return SliceTable(
            segmentation,
            self._scores.of(source),
            tuple(self.judge.slices.values()),
            labels.name if labels is not None else "",
            self.form.threshold_value,
        )


def _key(source: SliceSource) -> _Key:
    return (*source.volume_key, source.axis)


def _summary(segmentation: Segmentation) -> str:
    """Return a sentence on how certain the network is."""
    table = segmentation.table()
    known = table[np.isfinite(table["uncertainty"])]
    most = np.log(len(segmentation.classes))
    if known.empty:
        return "Segmented, but every pixel is NaN."
    sure = f"mean uncertainty {known['uncertainty'].mean():.3f} (0 = certain, {most:.2f} = pure guess)"
    if segmentation.probabilities.ndim == 3:
        return f"The image is segmented: {sure}."
    if len(known) == 1:
        return f"Slice {known['slice'].iloc[0]} is segmented: {sure}."
    worst = known.loc[known["uncertainty"].idxmax()]
    return (
        f"{len(known)} slices are segmented: {sure}, highest in slice {int(worst['slice'])} "
        f"({worst['uncertainty']:.3f})."
    )
