"""The quality dock's content: how form, job, results and napari's slider act on one another.

Imported in a background thread (quality_dock.py), since pandas, dask and pyqtgraph take longer to import than
napari's window may stand still.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Image, Layer
from napari.utils import progress
from napari.utils.theme import get_theme
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QMessageBox, QVBoxLayout, QWidget

from napari_tiqa.errors import TiqaError
from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.jobs.quality.map import MapProgress, QualityMap
from napari_tiqa.jobs.quality.score import ScoreProgress
from napari_tiqa.scoring.sentence import score_sentence
from napari_tiqa.scoring.table import UNLIKE_TRAINING, ScoredSlice, read_scores, write_scores
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.quality.controls import ScoreControls
from napari_tiqa.widgets.quality.form import ScoreForm
from napari_tiqa.widgets.quality.map_layer import map_layer
from napari_tiqa.widgets.quality.plot import ScorePlot
from napari_tiqa.widgets.quality.request import MapRequest, ScoringRequest
from napari_tiqa.widgets.quality.results import ResultsView
from napari_tiqa.widgets.quality.run_shelf import RunShelf, ShelvedRun
from napari_tiqa.widgets.quality.score_run import SINGLE_IMAGE, ScoreRun, rows_of, run_of_table
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.dock_panel import DockPanel
from napari_tiqa.widgets.shared.dock_style import dock_style
from napari_tiqa.widgets.shared.read_layer import axis_names, kept_dimensions, read_layer
from napari_tiqa.widgets.shared.result_layers import no_original
from napari_tiqa.widgets.shared.slider import go_to_slice, layer_position, shown_slice

_ASK_DEVICE_EVERY = 500  # ms
_ACTIVITY_AFTER = 200  # ms: not for a run that is over at once, and apart from drawing its start


class QualityPanel(DockPanel):
    """Everything in the quality dock.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer whose layers are scored.
    plot : ScorePlot
        Where scores are drawn; made by the caller, since it takes as long as all the rest.
    """

    def __init__(self, viewer: Any, plot: ScorePlot, parent: QWidget | None = None) -> None:
        super().__init__(viewer, parent)
        self.job = BackgroundJob("scoring")
        self.shelf = RunShelf()
        self.form = ScoreForm(viewer)
        self.controls = ScoreControls()
        self.message = self.controls.message
        self.results = ResultsView(self.shelf, plot)
        self._running: ShelvedRun | None = None
        self._mapped_at: dict[int, int] = {}
        self._scoring_layer: Layer | None = None
        self._cancelled_because = ""
        self._activity: progress | None = None
        # The automatic window of each volume scored, so that it is estimated once and can be shown.
        self._windows: dict[tuple[Any, ...], IntensityWindow] = {}
        self._window_key: tuple[Any, ...] = ()
        self._model_process = shared_model_process()
        self._model_process.start()  # Keras is imported while the user looks around.

        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        layout.setSpacing(6)
        layout.addWidget(self.form)
        layout.addWidget(self.controls)
        layout.addWidget(self.results, 1)
        self._connect()
        self._ask_device = QTimer(self)
        self._ask_device.timeout.connect(self._show_device)
        self._ask_device.start(_ASK_DEVICE_EVERY)
        self._show_device()
        self._follow_theme()
        self._follow_layers()

    def _connect(self) -> None:
        self.form.layer_changed.connect(self._on_layer_chosen)
        self.form.axis_changed.connect(self._show_known_window)
        self.controls.score_clicked.connect(self.score_all)
        self.controls.slice_clicked.connect(self.score_this_slice)
        self.controls.map_clicked.connect(self.map_this_slice)
        self.controls.cancel_clicked.connect(self.job.cancel)
        self.results.slice_clicked.connect(self.go_to)
        self.results.current_changed.connect(self._follow_slider)
        self.results.export_csv_clicked.connect(self._ask_csv_path)
        self.results.export_png_clicked.connect(self._ask_png_path)
        self.results.load_csv_clicked.connect(self._ask_saved_path)
        self.results.remove_clicked.connect(self._ask_remove)
        self.job.state_changed.connect(self.controls.show_state)
        self.job.progressed.connect(self._on_progress)
        self.job.ended.connect(self._on_ended)
        self._end_with_dock(self.job)
        viewer = self._viewer
        self._subscribe(viewer.layers.events.inserted, self._on_layer_inserted)
        self._subscribe(viewer.layers.events.removed, self._on_layer_removed)
        self._subscribe(viewer.layers.events.reordered, self.reset_choices)
        self._subscribe(viewer.layers.events.renamed, self.reset_choices)
        self._subscribe(viewer.dims.events.point, self._follow_slider)
        self._subscribe(viewer.dims.events.order, self._follow_slider)
        self._subscribe(viewer.dims.events.ndisplay, self._follow_slider)
        self._subscribe(viewer.events.theme, self._follow_theme)

    def reset_choices(self, _event: object = None) -> None:
        """Follow the viewer's layer list."""
        self.form.reset_choices()

    def close_down(self) -> None:
        """Cancel a run and let go of the viewer: the dock was closed."""
        super().close_down()
        self._ask_device.stop()
        self._end_activity()

    # -- starting a run ----------------------------------------------------------------------------

    def score_all(self) -> bool:
        """Score every slice of the chosen layer along the chosen axis; False where that cannot start."""
        return self._start(self._begin_run)

    def score_this_slice(self) -> bool:
        """Score the slice that the slider is on; False where that cannot start."""
        return self._start(lambda layer, asked: replace(asked, slices=(self._slider_slice(layer),)))

    def map_this_slice(self) -> bool:
        """Map the quality of the slice that the slider is on, as a layer; False where that cannot start."""
        return self._start(self._begin_map)

    def _start(self, begin: Callable[[Image, ScoringRequest], ScoringRequest | MapRequest]) -> bool:
        """Start what `begin` makes of a request for all slices of the chosen layer."""
        if self.job.state.busy:
            self.message.say("A run is still going: wait for it or cancel it first.", problem=True)
            return False
        layer = self.form.layer
        if layer is None:
            self.message.say(no_original("score"), problem=True)
            return False
        try:
            all_slices = self._request(layer)
        except TiqaError as error:
            self.message.complain(str(error))
            return False
        self._scoring_layer = layer
        self._cancelled_because = ""
        self._running = None
        self._mapped_at = {}
        request = begin(layer, all_slices)
        ready = bool(self._model_process.device)
        self.message.say("Reading the first slices…" if ready else "Starting the model, a few seconds…")
        self.job.start(request.run)
        if self._running is not None:
            QTimer.singleShot(_ACTIVITY_AFTER, self._begin_activity)
        return True

    def _request(self, layer: Image) -> ScoringRequest:
        dimension = self.form.dimension
        volume = read_layer(layer, layer_position(self._viewer, layer), dimension)
        axis = kept_dimensions(layer.ndim, dimension).index(dimension) if layer.ndim > 2 else 0
        self._window_key = self._key_of_window(layer)
        window = self.form.typed_window() or self._windows.get(self._window_key)
        slices = tuple(range(volume.slice_count(axis)))
        return ScoringRequest(volume, axis, slices, self.form.model, window, self.form.tiles)

    def _slider_slice(self, layer: Image) -> int:
        return layer_position(self._viewer, layer)[self.form.dimension] if layer.ndim > 2 else 0

    def _begin_run(self, layer: Image, request: ScoringRequest) -> ScoringRequest:
        self._running = self._shelve_new_run(layer, request)
        return request

    def _begin_map(self, layer: Image, request: ScoringRequest) -> MapRequest:
        position = layer_position(self._viewer, layer)
        kept = kept_dimensions(layer.ndim, self.form.dimension)
        across = [d for d in range(layer.ndim) if d not in kept] + [self.form.dimension]
        self._mapped_at = {d: position[d] for d in across} if layer.ndim > 2 else {}
        index = self._slider_slice(layer)
        return MapRequest(request.volume, request.axis, index, request.model, request.window)

    def _shelve_new_run(self, layer: Image, request: ScoringRequest) -> ShelvedRun:
        dimension = self.form.dimension
        names = axis_names(layer)
        kept = kept_dimensions(layer.ndim, dimension)
        position = layer_position(self._viewer, layer)
        at = {d: position[d] for d in range(layer.ndim) if d not in kept}
        parts = [layer.name]
        if layer.ndim > 2:
            parts.append(f"axis {names[dimension]}")
        parts += [f"{names[d]} {index}" for d, index in at.items()]
        parts += self._named_choices(tiles=True)
        run = ScoreRun(
            name=self.shelf.free_name(", ".join(parts)),
            axis=names[dimension] if layer.ndim > 2 else SINGLE_IMAGE,
            unit=request.volume.unit,
            spacing=request.volume.voxel_size[request.axis],
            dimension=dimension,
            at=at,
            asked=len(request.slices),
        )
        entry = self.shelf.add(run, layer)
        self.results.add(entry)
        return entry

    def _named_choices(self, *, tiles: bool) -> list[str]:
        """Return what a reader must know to tell this result from one with the form's first choices."""
        model = self.form.model
        named = [f"model {model.stem}"] if model else []
        return [*named, "native tiles"] if tiles and self.form.tiles == "native" else named

    # -- while it runs, and its end ----------------------------------------------------------------

    def _on_progress(self, news: ScoreProgress | MapProgress) -> None:
        self.controls.show_progress(news.done, news.total, news.seconds_left)
        if self._running is None or isinstance(news, MapProgress):
            return
        self.message.say(f"Scoring {self._running.run.name}.")
        self._running.run.rows.extend(news.rows)
        self.results.refresh(self._running)
        QTimer.singleShot(0, self._update_activity)  # on its own: it draws whatever waits to be drawn

    def _on_ended(self, outcome: JobOutcome) -> None:
        self._end_activity()
        entry, self._running = self._running, None
        layer, self._scoring_layer = self._scoring_layer, None
        if entry is not None and layer is not None:
            self._finish_run(entry, layer, outcome)
        self._keep_window(outcome)
        if outcome.state is JobState.FAILED:
            self.message.complain(outcome.message, outcome.error)
        elif outcome.state is JobState.CANCELLED:
            self._say_cancelled(entry)
        elif isinstance(outcome.result, QualityMap) and layer is not None:
            self._show_map(layer, outcome.result)
        elif entry is not None:
            self.message.say(_summary(entry.run))
        else:
            self.message.say(_one_score(rows_of(outcome.result)[0]))

    def _finish_run(self, entry: ShelvedRun, layer: Layer, outcome: JobOutcome) -> None:
        run = entry.run
        if outcome.result is not None:
            run.take_table(outcome.result)
        run.ended = outcome.state.value
        if run.rows:
            # Also into a layer that was removed meanwhile: its scores are there when it is added again.
            self.shelf.save(layer)
            self.results.finish(entry)
        if not run.rows or not self._is_in_viewer(layer):
            self._forget(entry)

    def _show_map(self, layer: Layer, quality_map: QualityMap) -> None:
        names = axis_names(layer)
        parts = [f"quality of {layer.name}", *(f"{names[d]} {i}" for d, i in sorted(self._mapped_at.items()))]
        name = ", ".join(parts + self._named_choices(tiles=False))
        self._viewer.add_layer(map_layer(layer, quality_map, self._mapped_at, name))
        scores = quality_map.values[:, 0]
        self.message.say(
            f"Quality map of slice {quality_map.record['slice']}: {len(scores)} tiles, mean "
            f"{quality_map.mean:.2f}, {scores.min():.2f} to {scores.max():.2f}."
        )

    def _keep_window(self, outcome: JobOutcome) -> None:
        window = None
        if isinstance(outcome.result, QualityMap):
            window = outcome.result.record["window"]
        elif outcome.result is not None:
            window = outcome.result.attrs.get("window")
        if window is not None and self.form.auto_window.value:
            self._windows[self._window_key] = IntensityWindow(**window)
            self._show_known_window()

    def _say_cancelled(self, entry: ShelvedRun | None) -> None:
        if self._cancelled_because:
            self.message.say(self._cancelled_because, problem=True)
        elif entry is None:
            self.message.say("Cancelled.")
        elif not entry.run.rows:
            self.message.say("Cancelled before a slice was scored.")
        else:
            done, asked = len(entry.run.rows), entry.run.asked
            self.message.say(f"Cancelled; the {done} of {asked} slices scored so far are kept.")

    def _begin_activity(self) -> None:
        """Show the run in napari's activity dock, which lets all of Qt's events run meanwhile."""
        entry = self._running
        if entry is None or self._activity is not None:
            return
        activity = progress(total=entry.run.asked, desc=f"TIQA: {entry.run.name}")
        if self._running is entry:
            self._activity = activity
        else:
            activity.close()

    def _update_activity(self) -> None:
        if self._running is not None and self._activity is not None:
            self._activity.update(len(self._running.run.rows) - self._activity.n)

    def _end_activity(self) -> None:
        activity, self._activity = self._activity, None
        if activity is not None:
            activity.close()

    # -- slider and layers -------------------------------------------------------------------------

    def go_to(self, index: int) -> None:
        """Show a slice of the current run in the viewer."""
        entry = self.results.current
        layer = self._layer_of(entry)
        if entry is not None and layer is not None and entry.run.dimension < layer.ndim:
            go_to_slice(self._viewer, layer, entry.run.dimension, index, entry.run.at)

    def _follow_slider(self) -> None:
        chosen = self.form.layer
        if chosen is not None and chosen.ndim > 3 and self._has_sliders(chosen):
            self._show_known_window()  # each time step has its own
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

    def _follow_layers(self) -> None:
        for layer in self._viewer.layers:
            self._take_in(getattr(layer, "__wrapped__", layer))
        self.form.reset_choices()
        self._on_layer_chosen()

    def _on_layer_inserted(self, event: Any) -> None:
        layer: Layer = getattr(event.value, "__wrapped__", event.value)
        self._take_in(layer)
        self.form.reset_choices()
        self._on_layer_chosen()

    def _on_layer_removed(self, event: Any) -> None:
        layer: Layer = getattr(event.value, "__wrapped__", event.value)
        name = layer.name
        if self._scoring_layer is layer and self.job.state.busy:
            self._cancelled_because = f"'{name}' was removed, so its scoring was cancelled."
            self.job.cancel()
        for entry in self.shelf.of_layer(layer):
            if entry is not self._running:
                self._forget(entry)
        self.form.reset_choices()
        self._on_layer_chosen()

    def _take_in(self, layer: Layer) -> None:
        if not isinstance(layer, Image):
            return
        entries, unreadable = self.shelf.load(layer)
        for entry in entries:
            self.results.add(entry)
        if unreadable:
            self.message.say(f"Some scores kept with '{layer.name}' cannot be read.", problem=True)

    def _forget(self, entry: ShelvedRun) -> None:
        self.shelf.remove(entry.run.key)
        self.results.remove(entry)

    def _on_layer_chosen(self) -> None:
        self.controls.allow_scoring(self.form.layer is not None)
        self.results.show_hint(any_layer=self.form.layer is not None)
        self._show_known_window()
        self._follow_slider()

    def _show_known_window(self) -> None:
        layer = self.form.layer
        if layer is None:
            self.form.show_window(None)
            return
        self.form.show_window(self._windows.get(self._key_of_window(layer)))

    def _key_of_window(self, layer: Layer) -> tuple[Any, ...]:
        """Identify the volume that the form asks to score: a layer's data, and its fixed time or channel."""
        kept = kept_dimensions(layer.ndim, self.form.dimension)
        at = layer_position(self._viewer, layer)
        return (layer.unique_id, id(layer.data), kept, *(at[d] for d in range(layer.ndim) if d not in kept))

    def _follow_theme(self) -> None:
        theme = get_theme(self._viewer.theme)
        self.setStyleSheet(dock_style(theme))
        self.results.plot.set_theme(theme)

    def _show_device(self) -> None:
        self.controls.show_device(self._model_process.device)

    # -- files -------------------------------------------------------------------------------------

    def export_csv(self, path: str) -> None:
        """Write the current run as a score table; a file of that name is replaced."""
        entry = self.results.current
        if entry is None:
            return
        try:
            write_scores(entry.run.table(), path)
        except TiqaError as error:
            self.message.complain(str(error))
        else:
            self.message.say(f"Scores saved to {path}.")

    def export_png(self, path: str) -> None:
        """Write the plot as a picture; a file of that name is replaced."""
        try:
            self.results.plot.save_png(path)
        except OSError as error:
            self.message.complain(f"The plot could not be saved ({error}); choose another place.")
        else:
            self.message.say(f"Plot saved to {path}.")

    def load_csv(self, path: str) -> None:
        """Show a saved score table beside the other runs."""
        try:
            run = run_of_table(read_scores(path), Path(path).stem)
        except TiqaError as error:
            self.message.complain(str(error))
            return
        run.name = self.shelf.free_name(run.name)
        self.results.add(self.shelf.add(run, None))
        self.message.say(_summary(run))

    def _ask_csv_path(self) -> None:
        self._ask_path("Save scores", "csv", "Score table (*.csv)", self.export_csv)

    def _ask_png_path(self) -> None:
        self._ask_path("Save plot", "png", "Picture (*.png)", self.export_png)

    def _ask_path(self, title: str, suffix: str, kind: str, save: Callable[[str], None]) -> None:
        stem = entry.run.name if (entry := self.results.current) else "scores"
        dialog = QFileDialog(self, title, f"{stem}.{suffix}", kind)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)  # asks before it overwrites
        dialog.setDefaultSuffix(suffix)
        if dialog.exec():
            save(dialog.selectedFiles()[0])

    def _ask_saved_path(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Load scores", "", "Score table (*.csv)")
        if path:
            self.load_csv(path)

    def _ask_remove(self) -> None:
        entry = self.results.current
        if entry is None or entry is self._running:
            return
        question = f"Remove the scores of '{entry.run.name}'? They cannot be brought back."
        if QMessageBox.question(self, "Remove scores", question) == QMessageBox.StandardButton.Yes:
            self.remove_run(entry)

    def remove_run(self, entry: ShelvedRun) -> None:
        """Remove a run from the list and from its layer's metadata."""
        self._forget(entry)
        if entry.layer is not None:
            self.shelf.save(entry.layer)


def _summary(run: ScoreRun) -> str:
    scores = run.valid_scores
    if not scores.size:
        return f"None of the {len(run.rows)} slices could be scored: {run.rows[0].reason}."
    worst = run.worst(1)[0]
    if run.axis == SINGLE_IMAGE:
        return f"{run.title()}: {score_sentence(worst)} (1 worst, 5 best)."
    sentence = f"{run.title()}: mean {scores.mean():.2f}, worst slice {worst.slice}: {score_sentence(worst)}"
    unscored = len(run.rows) - scores.size
    flagged = int(run.flagged.sum())
    if unscored:
        sentence += f"; {unscored} slices could not be scored"
    if flagged:
        sentence += f"; {flagged} are {UNLIKE_TRAINING}"
    return f"{sentence}."


def _one_score(row: ScoredSlice) -> str:
    if not np.isfinite(row.score):
        return f"Slice {row.slice} has no score: {row.reason}."
    return f"Slice {row.slice}: {score_sentence(row)} (score {row.score:.2f}, 1 worst, 5 best)."
