"""The Segment tab: segment slices, see where the network is unsure, and compare with a truth."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
from napari.layers import Labels, Layer
from napari.utils.theme import get_theme
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_tiqa.errors import SegmentationError, TiqaError
from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.jobs.segmentation.predict import PredictProgress, segment
from napari_tiqa.jobs.segmentation.result import Segmentation
from napari_tiqa.segmentation.segmenter import classes_of, segmenter_card
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.quality.kept_scores import KeptScores
from napari_tiqa.widgets.segmentation.layers import SegmentLayers, SegmentView
from napari_tiqa.widgets.segmentation.plot import F1, SCORE, UNCERTAINTY, Curves, SegmentPlot
from napari_tiqa.widgets.segmentation.predict.agreement import SegmentAgreement
from napari_tiqa.widgets.segmentation.predict.form import SegmentPredictForm
from napari_tiqa.widgets.segmentation.predict.judge import SegmentJudge
from napari_tiqa.widgets.segmentation.predict.save import SegmentSave
from napari_tiqa.widgets.segmentation.predict.slice_table import SliceTable
from napari_tiqa.widgets.segmentation.read_labels import read_labels
from napari_tiqa.widgets.segmentation.state import SegmentState
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.dock_panel import DockPanel
from napari_tiqa.widgets.shared.dock_style import table_style
from napari_tiqa.widgets.shared.read_layer import axis_names
from napari_tiqa.widgets.shared.result_layers import is_result
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.widgets.shared.slider import go_to_slice

_DRAW_EVERY = 150  # ms; faster is not seen and takes time from napari's own drawing
_Key = tuple[Any, ...]


@dataclass
class _Shown:
    """A volume that was segmented, along one axis, and its layers."""

    source: SliceSource
    layers: SegmentLayers
    segmentation: Segmentation | None = None


class SegmentPredictTab(DockPanel):
    """Segments the dock's image with the dock's model.

    Parameters
    ----------
    state : SegmentState
        What the tabs share.
    viewer : napari.Viewer
        Where layers are added.
    """

    def __init__(self, state: SegmentState, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(viewer, parent)
        self.state = state
        self.form = SegmentPredictForm()
        self.message = self.form.message
        self.agreement = SegmentAgreement()
        self.plot = SegmentPlot()
        self.curves_message = SentenceLabel(
            "Rank correlation (SROCC) of quality score and mean uncertainty: near -1, the slices that look "
            "worse\nare those that the network is less sure of."
        )
        self.save = SegmentSave(self.plot, self._slice_table)
        self.judge = SegmentJudge(self)
        self.job = BackgroundJob("segmenting")
        self.facts_job = BackgroundJob("reading the model")
        self._all: dict[_Key, _Shown] = {}
        self._running: _Shown | None = None
        self._news: PredictProgress | None = None
        self._cancelled_because = ""
        self._truth: da.Array | None = None
        self._truth_data: Any = None  # the array of the Labels layer that it was read from
        self._followed: Segmentation | None = None  # whose classes and truth are shown
        self._scores = KeptScores()
        self._draw_soon = self._timer(self._draw)
        self._decide_soon = self._timer(self._decide)
        self._model_process = shared_model_process()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.form)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.curves_message)
        layout.addWidget(self.save)
        layout.addWidget(self.agreement)
        layout.addStretch()  # takes the room while there is no plot
        self._connect()
        self._follow_theme()
        self._read_model()
        self._follow()

    @property
    def jobs(self) -> tuple[BackgroundJob, ...]:
        """What may be under way."""
        return self.job, self.facts_job, self.judge.job, self.save.job

    def close_down(self) -> None:
        """End what is under way; layers stay, with the slices that are done."""
        super().close_down()
        self.judge.stop()
        self._draw_soon.stop()
        self._decide_soon.stop()
        for shown in self._all.values():
            shown.layers.stop()

    def _timer(self, slot: Any) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(slot)
        return timer

    def _connect(self) -> None:
        form, state, viewer = self.form, self.state, self._viewer
        form.segment_clicked.connect(self.segment)
        form.cancel_clicked.connect(self.job.cancel)
        form.threshold_changed.connect(lambda: self._decide_soon.start(0))
        form.view_chosen.connect(self._set_view)
        form.model_box.changed.connect(lambda: state.set_model(form.model_box.path))
        state.model_changed.connect(self._on_model)
        state.source_changed.connect(self._follow)
        state.labels_changed.connect(self._show_truth)
        state.labels_edited.connect(self._on_edited)
        self.agreement.class_changed.connect(lambda _value: self._show_truth())
        self.judge.judged.connect(self._draw_later)
        self.judge.failed.connect(self._on_judge_failed)
        self.plot.slice_clicked.connect(self.go_to)
        self.save.said.connect(self.message.say)
        self.save.problem.connect(self.message.complain)
        self.job.state_changed.connect(lambda _: self._enable())
        self.job.progressed.connect(self._on_progress)
        self.job.ended.connect(self._on_ended)
        self.facts_job.ended.connect(self._on_facts)
        for job in self.jobs:
            self._end_with_dock(job)
        self._subscribe(viewer.layers.events.removed, self._on_layer_removed)
        self._subscribe(viewer.events.theme, self._follow_theme)

    # -- what is segmented -------------------------------------------------------------------------

    @property
    def shown(self) -> _Shown | None:
        """What was segmented of the volume and axis that the viewer shows."""
        source = self.state.source
        return self._all.get(_key(source)) if source is not None else None

    def segment(self) -> None:
        """Segment the chosen slices with the chosen model."""
        source = self.state.source
        if source is None or self.job.state.busy:
            return
        try:
            slices = self.form.slices.slices(source)
        except TiqaError as error:
            self.message.complain(str(error))
            return
        request = SegmentRequest(
            source.volume,
            self.state.model,
            None if slices is None else tuple(slices),
            source.axis,
            source.window,
        )
        shown = self._all.get(_key(source))
        if shown is None:
            shown = self._all[_key(source)] = _Shown(source, SegmentLayers(self._viewer, source, self))
        self._running, self._news = shown, None
        self._read_model()  # which may have been trained again
        self._cancelled_because = ""
        ready = bool(self._model_process.device)
        self.message.say("Reading the first slice…" if ready else "Starting the model, a few seconds…")
        self.job.start(request.run)

    def _on_progress(self, news: PredictProgress) -> None:
        shown = self._running
        if shown is None:
            return
        self._news = news
        if shown.segmentation is not news.segmentation and news.done:
            shown.segmentation = news.segmentation
            shown.layers.show(news.segmentation, self.form.threshold_value)
            if shown is self.shown:
                self._follow()
        elif news.index is not None:
            shown.layers.refresh(news.index)
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
        elif self._cancelled_because:
            self.message.say(self._cancelled_because, problem=True)
        else:
            count = 0 if shown.segmentation is None else int(shown.segmentation.done.sum())
            kept = f"; {count} slices are segmented, and Segment goes on from there" if count else ""
            self.message.say(f"Cancelled{kept}.")
        self._draw()

    def _finish(self, shown: _Shown, segmentation: Segmentation) -> None:
        source = self.state.source
        if source is not None and source.volume is shown.source.volume:
            self.state.set_window(segmentation.window)
        shown.layers.refresh()
        sentence = _summary(segmentation)
        if shown is self.shown and source is not None and not segmentation.done[source.index]:
            sentence += f" {source.slice_name.capitalize()}, which napari shows, is none of them."
        self.message.say(sentence)

    # -- what is seen ------------------------------------------------------------------------------

    def go_to(self, index: int) -> None:
        """Show a slice of the image in the viewer."""
        source = self.state.source
        if source is not None and source.volume.data.ndim == 3:
            go_to_slice(self._viewer, source.layer, source.dimension, index, source.at)

    def _set_view(self, view: SegmentView) -> None:
        for shown in self._all.values():
            shown.layers.set_view(view)

    def _decide(self) -> None:
        """Take another threshold."""
        shown = self.shown
        if shown is not None:
            shown.layers.set_threshold(self.form.threshold_value)
            self._judge()

    def _follow(self, _news: object = None) -> None:
        """Follow the dock to another image, axis or slice, or a result that is new."""
        source, shown = self.state.source, self.shown
        self.form.show_source(source)
        self.plot.set_marker(source.index if source is not None else None)
        segmentation = shown.segmentation if shown is not None else None
        if segmentation is not self._followed or source is None:
            self._followed = segmentation
            self._show_truth()
        self._enable()
        self._draw_later()

    def _enable(self) -> None:
        self.form.show_state(self.job.state, ready=self.state.source is not None)

    def _follow_theme(self) -> None:
        theme = get_theme(self._viewer.theme)
        self.plot.set_theme(theme)
        self.agreement.setStyleSheet(
            f"{table_style(theme)} QTableWidget QHeaderView::section {{ padding: 4px 0px; }}"
        )

    def _on_layer_removed(self, event: Any) -> None:
        layer: Layer = getattr(event.value, "__wrapped__", event.value)
        for shown in self._all.values():
            shown.layers.forget(layer)
        for key in [key for key, shown in self._all.items() if shown.source.layer is layer]:
            gone = self._all.pop(key)
            gone.layers.stop()
            if gone is self._running and self.job.state.busy:
                self._cancelled_because = f"'{layer.name}' was removed, so its segmentation was cancelled."
                self.job.cancel()

    # -- the model ---------------------------------------------------------------------------------

    def _on_model(self, model: Path | None) -> None:
        if self.form.model_box.path != model:
            self.form.model_box.choose(model)
        self._read_model()

    def _read_model(self) -> None:
        model = self.state.model
        self.facts_job.start(lambda report, cancel: read_facts(model))

    def _on_facts(self, outcome: JobOutcome) -> None:
        facts: ModelFacts | None = outcome.result
        if outcome.state is JobState.DONE and facts is not None:
            if facts.model != self.state.model:
                self._read_model()  # another one was chosen meanwhile
                return
            self.form.facts.say(facts.sentence)
        elif outcome.state is JobState.FAILED:
            self.form.facts.say(outcome.message, problem=True)

    # -- the truth ---------------------------------------------------------------------------------

    def _on_edited(self) -> None:
        labels = self.state.labels
        if self._truth is not None and labels is not None and labels.data is self._truth_data:
            self._judge()
        else:
            self._show_truth()  # other data, or what was wrong with them may have been put right

    def _show_truth(self, _labels: Labels | None = None) -> None:
        """Compare what is segmented with the chosen labels, or say why not."""
        source, shown, labels = self.state.source, self.shown, self.state.labels
        segmentation = shown.segmentation if shown is not None else None
        self._truth, problem = None, ""
        if segmentation is not None:
            self.agreement.set_classes(segmentation.classes)
        if source is not None and segmentation is not None and labels is not None:
            try:
                if is_result(labels):
                    raise SegmentationError(
                        f"'{labels.name}' is a result itself: choose labels to compare with."
                    )
                self._truth, self._truth_data = read_labels(labels, source), labels.data
            except TiqaError as error:
                problem = str(error)
        self.agreement.show_problem(problem)
        if shown is not None:
            shown.layers.set_truth(self._truth, self.agreement.value)
        classes = segmentation.classes if segmentation is not None else None
        self.form.show_classes(classes, truth=self._truth is not None)
        self._set_view(self.form.view)
        self._judge()

    def _judge(self) -> None:
        """Compare anew: other labels, or another threshold."""
        source, shown = self.state.source, self.shown
        segmentation = shown.segmentation if shown is not None else None
        index = source.index if source is not None else 0
        self.judge.ask(segmentation, self._truth, self.form.threshold_value, index)
        if shown is not None and self._truth is not None:
            shown.layers.refresh_outcomes()
        self._draw_later()

    def _on_judge_failed(self, sentence: str, error: Exception | None) -> None:
        shown = self.shown
        self._truth = None
        if shown is not None:
            shown.layers.set_truth(None, self.agreement.value)
        self.form.show_classes(
            shown.segmentation.classes if shown is not None and shown.segmentation is not None else None
        )
        self._set_view(self.form.view)
        self.agreement.show_problem(sentence)
        if error is not None:
            self.message.complain(sentence, error)

    # -- curves and tables -------------------------------------------------------------------------

    def _draw_later(self) -> None:
        if not self._draw_soon.isActive():
            self._draw_soon.start(_DRAW_EVERY)

    def _draw(self) -> None:
        """Draw what is known of the slices, and how far the job is."""
        if self._news is not None and self.job.state is JobState.RUNNING:
            self.form.show_progress(self._news)  # here, since Qt paints a bar at once, whoever waits
        source, shown, labels = self.state.source, self.shown, self.state.labels
        segmentation = shown.segmentation if shown is not None else None
        if source is None or segmentation is None:
            for part in (self.plot, self.curves_message, self.save):
                part.hide()
            return
        table = segmentation.table()
        values = {UNCERTAINTY: dict(zip(table["slice"], table["uncertainty"], strict=True))}
        if scores := self._scores.of(source):
            values[SCORE] = scores
        if self._truth is not None and labels is not None:
            judged = self.judge.slices.values()
            self.agreement.show_confusions(
                {one.index: one.confusion for one in judged}, source.index, labels.name
            )
            values[F1] = {one.index: one.f1 for one in judged if np.isfinite(one.f1)}
        several = source.volume.data.ndim == 3
        axis = axis_names(source.layer)[source.dimension] if several else ""
        self.plot.setVisible(several)
        self.save.offer(source.layer_name, curves=several)
        self.plot.show_curves(Curves(values, source.volume.slice_count(source.axis), axis))
        self.curves_message.say(self.plot.agreement())
        self.curves_message.setVisible(several and bool(self.curves_message.text()))

    def _slice_table(self) -> SliceTable | None:
        source, shown, labels = self.state.source, self.shown, self.state.labels
        if source is None or shown is None or shown.segmentation is None:
            return None
        return SliceTable(
            shown.segmentation,
            self._scores.of(source),
            tuple(self.judge.slices.values()),
            labels.name if labels is not None else "",
            self.form.threshold_value,
        )


def _key(source: SliceSource) -> _Key:
    return (source.layer.unique_id, *source.at.items(), source.axis)


def _summary(segmentation: Segmentation) -> str:
    """Say how sure the network is."""
    table = segmentation.table()
    known = table[np.isfinite(table["uncertainty"])]
    most = np.log(len(segmentation.classes))
    if known.empty:
        return "Segmented, but there is not one pixel with a value."
    sure = f"mean uncertainty {known['uncertainty'].mean():.3f} nats (0 is sure, {most:.2f} is a guess)"
    if segmentation.probabilities.ndim == 3:
        return f"The image is segmented: {sure}."
    if len(known) == 1:
        return f"Slice {known['slice'].iloc[0]} is segmented: {sure}."
    worst = known.loc[known["uncertainty"].idxmax()]
    return (
        f"{len(known)} slices are segmented: {sure}, most in slice {int(worst['slice'])} "
        f"({worst['uncertainty']:.3f})."
    )


@dataclass(frozen=True)
class SegmentRequest:
    """Which slices of a volume to segment, with which model; None for all of them, or for the bundled one."""

    volume: Volume
    model: Path | None
    slices: tuple[int, ...] | None
    axis: int
    window: IntensityWindow | None

    def run(self, report: Callable[[PredictProgress], object], cancel: threading.Event) -> Segmentation:
        """Segment."""
        return segment(
            self.volume,
            model=self.model,
            slices=self.slices,
            axis=self.axis,
            window=self.window,
            progress=report,
            cancel=cancel,
        )


@dataclass(frozen=True)
class ModelFacts:
    """What a user should know of a segmenter before using it."""

    model: Path | None
    sentence: str


def read_facts(model: Path | None) -> ModelFacts:
    """Read a model's card.

    Raises
    ------
    BundleError
        If it is no segmenter, or damaged.
    """
    card: dict[str, Any] = segmenter_card(model)
    names = ", ".join(f"“{name}”" for name in classes_of(card).names)
    domain = str(card.get("domain", "")).strip()
    return ModelFacts(model, f"Tells apart {names}. {domain}".rstrip())
