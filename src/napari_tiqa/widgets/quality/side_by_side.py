"""Layers beside one another in napari's grid, each with the score of the slice shown above it.

The grid has one camera and one set of sliders, so that all show the same place. What is changed of the viewer
for it is put back as it was.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import isfinite
from pathlib import Path
from textwrap import fill
from typing import Any

from napari.layers import Layer
from qtpy.QtCore import QObject, QTimer, Signal

from napari_tiqa.errors import TiqaError, VolumeError
from napari_tiqa.jobs.quality.score import score_volume
from napari_tiqa.scoring.sentence import score_sentence
from napari_tiqa.scoring.table import ScoredSlice
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.quality.run_shelf import RunShelf
from napari_tiqa.widgets.quality.score_run import ScoreRun, row_sentence, rows_of
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.result_layers import is_original, unwrapped
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.widgets.shared.source_follower import SourceFinder

_KEY = "napari_tiqa_score"  # of the text among a layer's overlays
_SCORE_AFTER = 250  # ms that the slider rests, before a slice without a score is scored
_LINE = 28  # characters, which two pictures beside one another have room for
_GRID = ("enabled", "stride", "shape", "spacing")
_CAMERA = ("center", "zoom", "angles")

_Key = tuple[Any, ...]


@dataclass(frozen=True)
class _Former:
    """What the viewer was like before."""

    visible: dict[Layer, bool]
    grid: dict[str, Any]
    camera: dict[str, Any]


class SideBySide(QObject):
    """Shows layers side by side; ``turned`` tells whether it does.

    Parameters
    ----------
    viewer : napari.Viewer
    shelf : RunShelf
        Where the scores are looked up; a slice that no run has is scored once the slider rests.
    choices : callable
        Returns model and view to score such a slice with.
    subscribe : callable
        ``DockPanel._subscribe``.
    """

    turned = Signal(bool)
    problem = Signal(str)

    def __init__(
        self,
        viewer: Any,
        shelf: RunShelf,
        choices: Callable[[], tuple[Path | None, str]],
        subscribe: Callable[[Any, Callable[..., None]], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.job = BackgroundJob("scoring the slices side by side")
        self.layers: list[Layer] = []
        self._viewer = getattr(viewer, "__wrapped__", viewer)  # napari hands plugins a proxy of it
        self._shelf, self._choices = shelf, choices
        self._finder = SourceFinder(self._viewer)
        self._former: _Former | None = None
        self._scored: dict[_Key, str] = {}  # by what was scored here: its sentence
        self._asked: tuple[_Key, SliceSource] | None = None  # what the job under way scores
        self._soon = QTimer(self, singleShot=True, interval=_SCORE_AFTER)
        self._soon.timeout.connect(self._score_next)
        self.job.ended.connect(self._on_ended)
        dims, layers = self._viewer.dims.events, self._viewer.layers.events
        for emitter in (dims.point, dims.order, dims.ndisplay, layers.renamed):
            subscribe(emitter, self.refresh)
        subscribe(layers.removed, self._on_removed)
        if hasattr(self._viewer, "canvas"):
            subscribe(self._viewer.canvas.grid.events.enabled, self._on_grid)

    @property
    def on(self) -> bool:
        """Whether layers are shown side by side."""
        return self._former is not None

    def toggle(self, _on: bool = False) -> None:
        """Show layers side by side, or the viewer as it was before."""
        if self.on:
            self.end()
            return
        try:
            self.begin()
        except VolumeError as error:
            self.problem.emit(str(error))
            self.turned.emit(False)

    def begin(self) -> None:
        """Show the images selected in the layer list, else those visible, else the topmost two.

        Raises VolumeError where there are fewer than two, or napari is too old.
        """
        viewer, layers = self._viewer, _chosen(self._viewer)
        if len(layers) < 2:
            raise VolumeError("Side by side takes two images: open another, or select two in the layer list.")
        if not hasattr(viewer, "canvas"):
            raise VolumeError("Side by side needs napari 0.9: update napari.")
        grid, camera = viewer.canvas.grid, viewer.scene.camera
        self._former = _Former(
            {layer: layer.visible for layer in viewer.layers},
            {name: getattr(grid, name) for name in _GRID},
            {name: getattr(camera, name) for name in _CAMERA},
        )
        self.layers = layers
        for layer in viewer.layers:
            layer.visible = layer in layers
        grid.stride, grid.shape, grid.spacing = 1, (-1, -1) if len(layers) > 3 else (1, -1), 4
        grid.enabled = True
        viewer.reset_view(reset_camera_angle=False)
        self.refresh()
        self.turned.emit(True)

    def end(self) -> None:
        """Put the viewer back as it was."""
        former, self._former = self._former, None
        if former is None:
            return
        self._soon.stop()
        self.job.cancel()
        for layer in self.layers:
            layer._overlays.pop(_KEY, None)
        self.layers = []
        grid = self._viewer.canvas.grid
        for name, value in former.grid.items():
            setattr(grid, name, value)
        for layer, visible in former.visible.items():
            layer.visible = visible
        for name, value in former.camera.items():
            setattr(self._viewer.scene.camera, name, value)
        self.turned.emit(False)

    def refresh(self, _event: object = None) -> None:
        """Write above each layer its name and how the slice shown is."""
        if not self.on:
            return
        missing = False
        for layer in self.layers:
            if layer.ndim > self._viewer.dims.ndim:
                continue  # it is just being taken out, its dimensions first
            try:
                source = self._source(layer)
            except TiqaError as error:
                self._write(layer, str(error))
                continue
            run, row = self._row(source)
            sentence = _sentence(source, row) if row is not None else self._scored.get(self._key(source))
            missing |= sentence is None
            self._write(layer, sentence or f"{source.slice_name}: being scored…", run)
        if missing:
            self._soon.start()

    # -- scores ------------------------------------------------------------------------------------

    def _source(self, layer: Layer) -> SliceSource:
        return self._finder.find(layer)[1]

    def _key(self, source: SliceSource) -> _Key:
        return (*source.volume_key, source.axis, source.index, *self._choices())

    def _row(self, source: SliceSource) -> tuple[ScoreRun | None, ScoredSlice | None]:
        """Return the last run of the layer along the slider, and its row of the slice shown."""
        for entry in reversed(self._shelf.of_layer(source.layer)):
            run = entry.run
            if not run.valid_scores.size or "region" in run.record:
                continue  # of figures alone, or of a part of the slices
            if run.dimension == source.dimension and dict(run.at) == dict(source.at):
                return run, next((row for row in run.rows if row.slice == source.index), None)
        return None, None

    def _score_next(self) -> None:
        """Score the slice of the first layer that has none."""
        if not self.on or self.job.state.busy:
            return
        for layer in self.layers:
            try:
                source = self._source(layer)
            except TiqaError:
                continue
            key = self._key(source)
            if self._row(source)[1] is None and key not in self._scored:
                self._asked = key, source
                model, view = self._choices()
                verb = partial(score_volume, source.volume, slices=(source.index,), axis=source.axis)
                self.job.run(partial(verb, model=model, window=source.window, view=view), layer)
                return

    def _on_ended(self, outcome: JobOutcome) -> None:
        asked, self._asked = self._asked, None
        if asked is None or outcome.state is JobState.CANCELLED:
            return
        key, source = asked
        if outcome.state is JobState.DONE:
            self._scored[key] = _sentence(source, rows_of(outcome.result)[0])
            window = outcome.result.attrs.get("window")
            if window is not None:
                self._finder.keep_window(IntensityWindow(**window), source)
        else:
            self._scored[key] = outcome.message
        self.refresh()

    # -- the viewer --------------------------------------------------------------------------------

    def _write(self, layer: Layer, sentence: str, run: ScoreRun | None = None) -> None:
        from napari_tiqa.widgets.quality.score_text import ScoreText  # needs napari 0.9

        scores = run.valid_scores if run is not None else ()
        mean = [f"mean of {len(scores)} slices: {sum(scores) / len(scores):.2f}"] if len(scores) > 1 else []
        text = "\n".join(fill(part, _LINE) for part in (layer.name, sentence, *mean))
        if _KEY in layer._overlays:
            layer._overlays[_KEY].text = text
        else:
            layer._overlays[_KEY] = ScoreText(text=text, visible=True)

    def _on_removed(self, event: Any) -> None:
        layer = unwrapped(event.value)
        if self._former is not None:
            self._former.visible.pop(layer, None)
        if layer in self.layers:
            self.layers.remove(layer)
            layer._overlays.pop(_KEY, None)
            if len(self.layers) < 2:
                self.end()

    def _on_grid(self, _event: object = None) -> None:
        """End where the user has turned napari's grid off."""
        if self._former is not None and not self._viewer.canvas.grid.enabled:
            self._former.grid["enabled"] = False
            self.end()


def _sentence(source: SliceSource, row: ScoredSlice) -> str:
    return f"{source.slice_name}: {score_sentence(row)}" if isfinite(row.score) else row_sentence(row)


def _chosen(viewer: Any) -> list[Layer]:
    originals = [unwrapped(layer) for layer in viewer.layers if is_original(layer)]
    selected = [layer for layer in originals if layer in viewer.layers.selection]
    visible = [layer for layer in originals if layer.visible]
    return next((some for some in (selected, visible) if len(some) > 1), originals[-2:])
