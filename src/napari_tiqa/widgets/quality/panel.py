"""The quality dock's content: how form, job, results and napari's slider act on one another.

Imported in a background thread (shared/dock_shell.py), since pandas, dask and pyqtgraph take longer to import
than napari's window may stand still.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from napari.layers import Image, Layer
from napari.utils import progress
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from napari_tiqa.errors import TiqaError, VolumeError
from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.jobs.quality.map import MapProgress, QualityMap, score_map
from napari_tiqa.jobs.quality.score import score_overview_first, score_volume
from napari_tiqa.jobs.quality.score_run import ScoreProgress
from napari_tiqa.scoring.views import PYRAMID
from napari_tiqa.volumes.region import Region
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.host.remembered import remember
from napari_tiqa.widgets.quality.controls import ScoreControls
from napari_tiqa.widgets.quality.form import VIEW_WORDS, ScoreForm
from napari_tiqa.widgets.quality.map_layer import show_map
from napari_tiqa.widgets.quality.measuring import Measuring, leave_unscored
from napari_tiqa.widgets.quality.plot import ScorePlot
from napari_tiqa.widgets.quality.results import ResultsView
from napari_tiqa.widgets.quality.run_shelf import RunShelf, ShelvedRun
from napari_tiqa.widgets.quality.score_run import (
    cancelled_sentence,
    row_sentence,
    rows_of,
    run_sentence,
)
from napari_tiqa.widgets.quality.side_by_side import SideBySide
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.dock_panel import DockPanel
from napari_tiqa.widgets.shared.file_drop import FileDrop
from napari_tiqa.widgets.shared.forms import DOCK_MARGINS, column
from napari_tiqa.widgets.shared.result_layers import no_original, unwrapped
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.widgets.shared.slider import go_to_slice, show_layer, shown_slice
from napari_tiqa.widgets.shared.source_follower import SourceFollower
from napari_tiqa.widgets.shared.source_state import SourceState

_ASK_DEVICE_EVERY = 500  # ms
_ACTIVITY_AFTER = 200  # ms: not for a run that is over at once, and apart from drawing its start


class QualityPanel(DockPanel):
    """The quality dock; the caller makes the plot, since that takes as long as all the rest."""

    def __init__(self, viewer: Any, plot: ScorePlot, parent: QWidget | None = None) -> None:
        super().__init__(viewer, parent)
        self.job = BackgroundJob("scoring")
        self.shelf = RunShelf()
        self.form = ScoreForm(viewer, self._subscribe)
        self.controls = ScoreControls()
        self.message = self.controls.message
        self.results = ResultsView(self.shelf, plot)
        self.measuring = Measuring(self.results.plotted_box.currentData, self)
        self.state = SourceState(self)
        self.follower = SourceFollower(viewer, self._subscribe, no_original("score"), self)
        self.side_by_side = SideBySide(
            viewer, self.shelf, lambda: (self.form.model, self.form.view), self._subscribe, self
        )
        self._running: ShelvedRun | None = None
        self._scored: SliceSource | None = None  # what the job under way scores or maps
        self._region: Region | None = None  # what counts of the slices of the job under way
        self._no_source = ""  # why there is nothing to score
        self._told: tuple[Layer, str] | None = None  # how the last run ended, and of which layer that is
        self._activity: progress | None = None
        self._percent = 0  # of the run under way
        self._model_process = shared_model_process()
        self._model_process.start()  # Keras is imported while the user looks around.
        column(self.form, self.controls, (self.results, 1), parent=self, margins=DOCK_MARGINS)
        self._connect()
        self._ask_device = QTimer(self)
        self._ask_device.timeout.connect(self._show_device)
        self._ask_device.start(_ASK_DEVICE_EVERY)
        self._show_device()
        self._use_theme(self.results.plot)
        FileDrop(self, ".csv", self.results.load_csv)
        for layer in viewer.layers:
            self._take_in(unwrapped(layer))
        self.reset_choices()

    def _connect(self) -> None:
        self.form.axis_changed.connect(self._follow_source)
        self.form.changed.connect(self.message.retract)
        self.form.changed.connect(self.side_by_side.refresh)
        self.follower.found.connect(self._on_source_found)
        self.follower.lost.connect(self._on_source_lost)
        self.state.window_changed.connect(self.form.window_boxes.show_window)
        self.controls.start_clicked.connect(self.score_all)
        self.controls.slice_button.clicked.connect(self.score_this_slice)
        self.controls.map_button.clicked.connect(self.map_this_slice)
        for cancel in (self.job.cancel, self.measuring.cancel):
            self.controls.cancel_clicked.connect(cancel)
        self.results.slice_clicked.connect(self.go_to)
        self.results.current_changed.connect(self._follow_slider)
        self.results.sample_clicked.connect(self.open_sample)
        self.results.notified.connect(self.message.say)
        self.results.problem.connect(self.message.complain)
        self.results.plotted_chosen.connect(self._on_plotted)
        self.results.shown_changed.connect(self._measure)
        self.results.forgotten.connect(self.measuring.forget)
        self.measuring.said.connect(self.message.say)
        self.measuring.problem.connect(self.message.complain)
        self.measuring.measured.connect(self.results.refresh)
        self.measuring.ended.connect(self._on_measured)
        self.measuring.job.progressed.connect(self.controls.show_measuring)
        for job in (self.job, self.measuring.job):
            job.state_changed.connect(self.controls.show_state)
        for job in (self.job, self.measuring.job, self.side_by_side.job):
            self._end_with_dock(job)
        self.job.progressed.connect(self._on_progress)
        self.job.ended.connect(self._on_ended)
        self.form.compare_button.clicked.connect(self.side_by_side.toggle)
        self.side_by_side.turned.connect(self.form.compare_button.setChecked)
        self.side_by_side.problem.connect(self.message.refuse)
        layers, dims = self._viewer.layers.events, self._viewer.dims.events
        self._subscribe(layers.inserted, self._on_layer_inserted)
        self._subscribe(layers.removed, self._on_layer_removed)
        for emitter in (layers.reordered, layers.renamed):
            self._subscribe(emitter, self.reset_choices)
        for emitter in (dims.point, dims.order, dims.ndisplay):
            self._subscribe(emitter, self._follow_slider)
        self._serve_shortcuts("Slice quality")
        remember("quality", model=self.form.model_box, view=self.form.view_box)
        self._prefer("model", self.form.model_box.keep)
        self._prefer("scales", self.form.choose_view)

    def reset_choices(self, _event: object = None) -> None:
        """Follow the viewer's layer list."""
        self.form.reset_choices()
        self._follow_source()

    def close_down(self) -> None:
        """Cancel a run and let go of the viewer: the dock was closed."""
        self.side_by_side.end()
        super().close_down()
        self.follower.close_down()
        self._ask_device.stop()
        self._end_activity()

    def open_sample(self) -> None:
        """Open the sample electrode, as File > Open Sample does."""
        try:
            self._viewer.open_sample("napari-tiqa", "electrode")
        except TiqaError as error:
            self.message.say(str(error), problem=True)

    # -- starting a run ----------------------------------------------------------------------------

    def score_all(self) -> bool:
        """Score every slice of the chosen layer along the chosen axis; False where that cannot start."""
        return self._start(self._all_slices)

    def score_this_slice(self) -> bool:
        """Score the slice that the slider is on; False where that cannot start."""
        return self._start(self._this_slice)

    def map_this_slice(self) -> bool:
        """Map the quality of the slice that the slider is on, as a layer; False where that cannot start."""
        return self._start(self._map)

    def _start(self, chosen: Callable[[SliceSource, IntensityWindow | None], partial[Any]]) -> bool:
        """Start what `chosen` makes of the slice shown and the window typed or known."""
        if self.job.state.busy or self.measuring.job.state.busy:
            self.message.say("A run is still in progress: wait for it or cancel it first.", problem=True)
            return False
        try:
            window = self.form.window_boxes.typed()
            source = self._catch_up()
        except TiqaError as error:
            self.message.refuse(str(error))
            return False
        self._scored = source
        self._running, self._percent = None, 0
        # A region has a window of its own, since nothing outside may have a part in it.
        verb = chosen(source, window or (source.window if self._region is None else None))
        ready = bool(self._model_process.device)
        self.message.say("Reading the first slices…" if ready else "Starting the model, a few seconds…")
        asked = {"axis": source.axis, "model": self.form.model, "region": self._region}
        self.job.run(partial(verb, source.volume, **asked), source.layer)
        if self._running is not None:
            QTimer.singleShot(_ACTIVITY_AFTER, self._begin_activity)
        return True

    def _catch_up(self) -> SliceSource:
        """Return the slice that the dock works on now, and note what counts of it; raises VolumeError."""
        self.form.layer_box.catch_up()  # at once: a layer may just have been clicked on,
        self._follow_source()  # or the slider have been moved
        source = self.state.source
        if source is None:
            raise VolumeError(self._no_source)
        self._region = self.form.region(source)
        return source

    def _all_slices(self, source: SliceSource, window: IntensityWindow | None) -> partial[Any]:
        self._running = self._shelve_new_run(source, self._named_choices(view=True))
        if self.form.view == PYRAMID:
            return partial(score_overview_first, window=window)
        return partial(score_volume, window=window, view=self.form.view)

    def _this_slice(self, source: SliceSource, window: IntensityWindow | None) -> partial[Any]:
        return partial(score_volume, slices=(source.index,), window=window, view=self.form.view)

    def _map(self, source: SliceSource, window: IntensityWindow | None) -> partial[Any]:
        return partial(score_map, index=source.index, window=window)

    def _shelve_new_run(self, source: SliceSource, notes: list[str]) -> ShelvedRun:
        entry = self.shelf.new_run(source, notes, self._region)
        self.results.add(entry)
        return entry

    def _named_choices(self, *, view: bool) -> list[str]:
        """Return what a reader must know to tell this result from one with the form's first choices."""
        model = self.form.model
        named = [f"model {model.stem}"] if model else []
        named += [f"in {self._region.name}"] if self._region else []
        return [*named, VIEW_WORDS[self.form.view]] if view and self.form.view != PYRAMID else named

    # -- while it runs, and its end ----------------------------------------------------------------

    def _on_progress(self, progress: ScoreProgress | MapProgress) -> None:
        if isinstance(progress, MapProgress):
            self.controls.show_progress(progress, parts="tiles")
            return
        if self._running is None:
            self.controls.show_progress(progress, parts="slices")
            return
        self._percent = 100 * progress.done // progress.total
        run = self._running.run
        run.take_rows(progress.rows)
        self.controls.show_scoring(progress, run.asked)
        self.message.say(f"Scoring {run.name}.")
        self.results.refresh(self._running)
        QTimer.singleShot(0, self._update_activity)  # on its own: it draws whatever waits to be drawn

    def _on_ended(self, outcome: JobOutcome) -> None:
        self._end_activity()
        entry, self._running = self._running, None
        source, self._scored = self._scored, None
        assert source is not None
        if entry is not None:
            self._finish_run(entry, source.layer, outcome)
        self._keep_window(source, outcome)
        self._say_ended(entry, source, outcome)
        self._told = None if outcome.layer_gone else (source.layer, self.message.text())
        self._measure()

    def _on_plotted(self) -> None:
        """Measure what is shown, and where no run is, all slices of the layer without a score."""
        self.measuring.try_again()
        busy = self.job.state.busy or self.measuring.job.state.busy
        if self.results.plotted.is_figure and not self.results.shown() and not busy:
            try:
                source = self._catch_up()
            except TiqaError as error:
                self.message.refuse(str(error))
                return
            notes = [*([f"in {self._region.name}"] if self._region else []), "not scored"]
            leave_unscored(self._shelve_new_run(source, notes).run, source)
        self._measure()

    def _measure(self) -> None:
        """Measure what the runs shown lack, where a figure is plotted, unless a run is under way."""
        if self.results.plotted.is_figure and not self.job.state.busy:
            self.measuring.ask(self.results.shown())

    def _on_measured(self, entry: ShelvedRun) -> None:
        if self.shelf.get(entry.run.key) is entry and entry.layer is not None:
            self.shelf.save(entry.layer)
            self.results.finish(entry)

    def _say_ended(self, entry: ShelvedRun | None, source: SliceSource, outcome: JobOutcome) -> None:
        if outcome.state is JobState.FAILED:
            self.message.complain(outcome.message, outcome.error)
        elif outcome.state is JobState.CANCELLED:
            kept = cancelled_sentence(entry.run if entry else None)
            self.message.say(outcome.message if outcome.layer_gone else kept, problem=outcome.layer_gone)
        elif isinstance(outcome.result, QualityMap):
            self.message.say(show_map(self._viewer, source, outcome.result, self._named_choices(view=False)))
        elif entry is not None:
            self.message.say(run_sentence(entry.run))
        else:
            self.message.say(row_sentence(rows_of(outcome.result)[0]))

    def _finish_run(self, entry: ShelvedRun, layer: Layer, outcome: JobOutcome) -> None:
        run = entry.run
        table = outcome.of_gone_layer if outcome.layer_gone else outcome.result
        if outcome.data_replaced:
            run.rows.clear()  # of what the layer no longer shows
        elif table is not None:
            run.take_table(table)
        run.ended = outcome.state.value
        if run.rows:
            # Also into a layer that was removed meanwhile: its scores are there when it is added again.
            self.shelf.save(layer)
            self.results.finish(entry)
            self.side_by_side.refresh()
        if not run.rows or not self._is_in_viewer(layer):
            self.results.forget(entry)

    def _keep_window(self, source: SliceSource, outcome: JobOutcome) -> None:
        """Keep the automatic window of the volume scored, so that it is estimated once and can be shown."""
        result = outcome.result
        record = result.record if isinstance(result, QualityMap) else getattr(result, "attrs", {})
        if record.get("window") is None or "region" in record or not self.form.window_boxes.automatic:
            return
        window = IntensityWindow(**record["window"])
        self.follower.keep_window(window, source)
        if self.state.source is not None and self.state.source.volume_key == source.volume_key:
            self.state.set_window(window)
            self.form.window_boxes.show_window(window)

    def _begin_activity(self) -> None:
        """Show the run in napari's activity dock, which lets all of Qt's events run meanwhile."""
        entry = self._running
        if entry is None or self._activity is not None:
            return
        activity = progress(total=100, desc=f"TIQA: {entry.run.name}")
        if self._running is entry:
            self._activity = activity
        else:
            activity.close()

    def _update_activity(self) -> None:
        if self._running is not None and self._activity is not None:
            self._activity.update(self._percent - self._activity.n)

    def _end_activity(self) -> None:
        activity, self._activity = self._activity, None
        if activity is not None:
            activity.close()

    # -- slider and layers -------------------------------------------------------------------------

    def go_to(self, index: int) -> None:
        """Show a slice of the current run, and the layer it belongs to, in the viewer."""
        entry = self.results.current
        layer = self._layer_of(entry)
        if entry is not None and layer is not None and entry.run.dimension < layer.ndim:
            show_layer(self._viewer, layer)
            go_to_slice(self._viewer, layer, entry.run.dimension, index, entry.run.at)

    def _follow_source(self) -> None:
        self.follower.follow(self.form.layer, self.form.dimension)
        self.controls.set_ready(self.form.layer is not None)
        self.results.show_hint(any_layer=self.form.layer is not None)
        self._follow_slider()

    def _on_source_found(self, source: SliceSource) -> None:
        if self._no_source and self.message.text().endswith(self._no_source):
            self.message.say("")
        self._no_source = ""
        self.form.follow_data()
        self.state.set_source(source)

    def _on_source_lost(self, sentence: str) -> None:
        if self.state.source is not None:
            self.state.set_source(None)
        if sentence != self._no_source and not self.job.state.busy:
            self.message.say(sentence, problem=self.form.layer is not None)
        self._no_source = sentence

    def _follow_slider(self) -> None:
        entry = self.results.current
        layer = self._layer_of(entry)
        index = None
        if entry is not None and layer is not None and self._has_sliders(layer):
            index = shown_slice(self._viewer, layer, min(entry.run.dimension, layer.ndim - 1))
        self.results.plot.set_marker(index)

    def _has_sliders(self, layer: Layer) -> bool:
        """Tell a layer in the viewer from one that is just being taken out, its dimensions first."""
        return layer.ndim <= self._viewer.dims.ndim

    def _layer_of(self, entry: ShelvedRun | None) -> Layer | None:
        """Return the layer that a run belongs to; one loaded from a file goes with the chosen layer."""
        if entry is None:
            return None
        return self.form.layer if entry.layer is None else entry.layer

    def _is_in_viewer(self, layer: Layer) -> bool:
        return any(other.unique_id == layer.unique_id for other in self._viewer.layers)

    def _on_layer_inserted(self, event: Any) -> None:
        self._take_in(unwrapped(event.value))
        self.reset_choices()

    def _on_layer_removed(self, event: Any) -> None:
        layer: Layer = unwrapped(event.value)
        if self._told == (layer, self.message.text()):
            self.message.say("")  # it was of a slice of that layer
        for entry in self.shelf.of_layer(layer):
            if entry is not self._running:
                self.results.forget(entry)
        self.reset_choices()

    def _take_in(self, layer: Layer) -> None:
        if not isinstance(layer, Image):
            return
        entries, unreadable = self.shelf.load(layer)
        for entry in entries:
            self.results.add(entry)
        if unreadable:
            self.message.say(f"Some scores kept with '{layer.name}' cannot be read.", problem=True)

    def _show_device(self) -> None:
        self.controls.show_device(self._model_process.device)
