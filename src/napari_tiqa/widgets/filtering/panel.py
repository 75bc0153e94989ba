"""The filter dock's content: how layer, slider, pipeline, preview and score act on one another."""

from collections.abc import Callable
from functools import partial
from typing import Any

from napari.layers import Image, Layer
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QButtonGroup, QLabel, QPushButton, QWidget

from napari_tiqa.filtering.pipeline import Pipeline, Step, holds_pipeline
from napari_tiqa.filtering.ring_centre import CENTRE_PARAMETERS
from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.filtering.apply.tab import FilterApplyTab
from napari_tiqa.widgets.filtering.centre import CentreMark, with_centre
from napari_tiqa.widgets.filtering.compare.tab import FilterCompareTab
from napari_tiqa.widgets.filtering.figures import FilterScore
from napari_tiqa.widgets.filtering.history import FilterHistory
from napari_tiqa.widgets.filtering.layers import FilterLayers, View
from napari_tiqa.widgets.filtering.preview import FilterPreview
from napari_tiqa.widgets.filtering.split_line import SplitLine
from napari_tiqa.widgets.filtering.state import FilterState
from napari_tiqa.widgets.filtering.steps import FilterSteps
from napari_tiqa.widgets.filtering.trial import FilteredSlice, SliceTrial
from napari_tiqa.widgets.filtering.tune.tab import FilterTuneTab
from napari_tiqa.widgets.host.remembered import remember
from napari_tiqa.widgets.host.shortcuts import key_of
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.dock_panel import DockPanel
from napari_tiqa.widgets.shared.file_drop import FileDrop
from napari_tiqa.widgets.shared.forms import DOCK_MARGINS, button, column, form_layout, line, page
from napari_tiqa.widgets.shared.layer_box import LayerBox
from napari_tiqa.widgets.shared.model_box import ModelBox
from napari_tiqa.widgets.shared.result_layers import no_original, unwrapped
from napari_tiqa.widgets.shared.scrolling_tabs import ScrollingTabs
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.widgets.shared.source_follower import SourceFollower

TABS: tuple[tuple[str, type[FilterTuneTab] | type[FilterCompareTab] | type[FilterApplyTab]], ...] = (
    ("Tune", FilterTuneTab),
    ("Compare", FilterCompareTab),
    ("Apply", FilterApplyTab),
)
"""The tabs beside that of the steps; each is made of the dock's state and the viewer."""


_VIEWS = {
    View.AFTER: "The filtered slice.",
    View.BEFORE: "The unfiltered slice.",
    View.SPLIT: "Unfiltered to the left of the line, filtered to the right: drag the line in the picture.",
    View.DIFFERENCE: "After minus before: red where the filters made it brighter, blue where darker.",
}


class FilterPanel(DockPanel):
    """Everything in the filter dock."""

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(viewer, parent)
        self.state = FilterState(self)
        self.preview = FilterPreview(self.state, self)
        self.layers = FilterLayers(viewer, self)
        self.steps = FilterSteps(self.state)
        self.score = FilterScore()
        self.history = FilterHistory()
        self.message = SentenceLabel(
            "What the dock is doing, what went wrong, and whether the score can be believed.",
            lines=2,
            fixed=True,
        )
        self.layer_box = LayerBox(
            viewer,
            "The image layer to filter; settings are tried on the slice that the viewer shows.\n"
            "The layer itself is never changed.",
            subscribe=self._subscribe,
        )
        self.model_box = ModelBox(
            "What scores the slices: the default model, or one trained on your own images."
        )
        self.views = {view: self._view_button(view) for view in View}
        self.tabs = ScrollingTabs()
        self._centre_job = BackgroundJob("finding the ring centre")
        self._centre_asked: tuple[int, Step] | None = None  # number and step that it is looked for
        self._mark = CentreMark(viewer)
        self._line = SplitLine(viewer, self.layers)
        FileDrop(self, ".json", self.steps.load, holds_pipeline)
        self.follower = SourceFollower(viewer, self._subscribe, no_original("filter"), self)
        self._previewed = False  # whether the trial under way has got as far as being scored
        self._passing = ""  # the message that the next score clears
        self._model_process = shared_model_process()
        self._model_process.start()  # Keras is imported while the user looks around.
        self._lay_out()
        self._connect()
        self._use_theme()
        remember("filter", model=self.model_box, pipeline=self.state)
        self._prefer("model", self.model_box.keep)
        self.follower.follow(self.layer)

    def add_tab(self, title: str, tab: Callable[[FilterState, Any], QWidget]) -> None:
        """Make a tab and add it."""
        self.tabs.add(title, tab(self.state, self._viewer))

    def _lay_out(self) -> None:
        form = form_layout(("Layer", self.layer_box.row), ("Model", self.model_box))
        views = QButtonGroup(self)
        for view_button in self.views.values():
            views.addButton(view_button)
        self.views[View.AFTER].setChecked(True)
        view = line(QLabel(f"View ({key_of('next_view')})"), *((each, 1) for each in self.views.values()))
        self.tabs.add("Steps", page(self.steps, (self.history, 1)))
        parts = (form, self.score, view, self.message, (self.tabs, 1))
        column(*parts, parent=self, margins=DOCK_MARGINS)

    def _view_button(self, view: View) -> QPushButton:
        made = button(
            view.capitalize(),
            f"{_VIEWS[view]}\nOver the picture, {key_of('next_view')} goes from one to the next, "
            f"{key_of('flip')} from before to after and back;\nzoom and contrast stay.",
            lambda: self.layers.set_view(view),
        )
        made.setCheckable(True)
        return made

    def _connect(self) -> None:
        self.layer_box.changed.connect(lambda _: self.follower.follow(self.layer))
        self.follower.found.connect(self._on_source_found)
        self.follower.lost.connect(self._on_source_lost)
        self.model_box.changed.connect(lambda: self.state.set_model(self.model_box.path))
        self.state.source_changed.connect(self._on_source)
        self.state.model_changed.connect(self._on_source)
        self.preview.begun.connect(self._on_begun)
        self.preview.slow.connect(self._say_until_scored)
        self.preview.filtered.connect(self._on_filtered)
        self.preview.scored.connect(self._on_scored)
        self.preview.failed.connect(self._on_failed)
        self.preview.window_found.connect(self._on_window_found)
        self.steps.find_centre_clicked.connect(self.find_centre)
        self.steps.notified.connect(self.message.say)
        self.steps.problem.connect(self.message.complain)
        self.score.warned.connect(self.message.caution)
        self.history.chosen.connect(self.state.set_pipeline)
        self.layers.view_changed.connect(lambda view: self.views[view].setChecked(True))
        self._centre_job.ended.connect(self._on_centre)
        self._end_with_dock(self.preview.job)
        self._end_with_dock(self._centre_job)
        layers = self._viewer.layers.events
        self._subscribe(layers.removed, self._on_layer_removed)
        for event in (layers.inserted, layers.reordered, layers.renamed):
            self._subscribe(event, self.reset_choices)
        self._serve_shortcuts("Filter and tune")
        undo, within = QKeySequence.StandardKey, Qt.ShortcutContext.WidgetWithChildrenShortcut
        QShortcut(undo.Undo, self, self.state.undo, context=within)
        QShortcut(undo.Redo, self, self.state.redo, context=within)

    # -- what the dock is told ---------------------------------------------------------------------

    @property
    def layer(self) -> Image | None:
        """The chosen layer."""
        return self.layer_box.layer

    def choose_layer(self, layer: Layer) -> None:
        """Choose a layer of the viewer."""
        self.layer_box.choose(layer)

    def reset_choices(self, _event: object = None) -> None:
        """Follow the viewer's layer list."""
        self.layer_box.reset_choices()
        self.follower.follow(self.layer)

    def find_centre(self, number: int) -> None:
        """Find the ring centre in the slice shown, set it in a step and mark it in the viewer."""
        source = self.state.source
        if source is None or self._centre_job.state.busy:
            return
        automatic = self.state.pipeline
        for name in CENTRE_PARAMETERS:
            automatic = automatic.with_parameter(number, name, None)
        step = automatic.steps[number]
        self._centre_asked = number, step
        self.message.say("Looking for the centre of the rings…")
        work = partial(with_centre, step, source.volume, source.axis, source.index, source.window)
        self._centre_job.start(work, source.layer)

    def close_down(self) -> None:
        """End what is under way and remove the preview: the dock was closed."""
        super().close_down()
        self.preview.stop()
        for tab in self.tabs.pages:
            if isinstance(tab, DockPanel):
                tab.close_down()
        self.follower.close_down()
        self.layers.clear()
        self._mark.clear()
        self._line.close_down()

    # -- layers and sliders ------------------------------------------------------------------------

    def _on_layer_removed(self, event: Any) -> None:
        layer: Layer = unwrapped(event.value)
        self.layers.forget(layer)
        self._mark.forget(layer)
        self.reset_choices()

    def _on_source_found(self, source: SliceSource) -> None:
        self.message.say("")
        self.state.set_source(source)

    def _on_source_lost(self, sentence: str) -> None:
        if self.state.source is not None:
            self.state.set_source(None)
        self.message.say(sentence, problem=True)

    def _on_source(self, _changed: object) -> None:
        """Follow another slice, or another model."""
        source, shown = self.state.source, self.layers.source
        if source is None or (shown is not None and shown.layer is not source.layer):
            self.layers.clear()
        if source is None or not self._mark.is_of(source.layer):
            self._mark.clear()
        self.score.clear()
        self.history.show_slice(self.state.source, self.state.model)

    def _on_window_found(self, window: IntensityWindow) -> None:
        self.follower.keep_window(window)
        self.state.set_window(window)

    # -- the preview -------------------------------------------------------------------------------

    def _on_begun(self) -> None:
        self._previewed = False
        self.score.expect_trial()
        if not self._model_process.device:
            self._say_until_scored("Starting the network (a few seconds)…")

    def _say_until_scored(self, sentence: str, *, problem: bool = False) -> None:
        self.message.say(sentence, problem=problem)
        self._passing = self.message.text()

    def _on_filtered(self, filtered: FilteredSlice) -> None:
        self._previewed = True
        source = self.state.source
        if source is None:
            return
        if any(step.on for step in filtered.pipeline.steps):
            self.layers.show(source, filtered)
        else:
            self.layers.clear()
        self.steps.show_found(filtered.settled)
        self._move_mark(source, filtered.settled)

    def _on_scored(self, trial: SliceTrial) -> None:
        if self.message.text() == self._passing:
            self.message.say("")
        self.score.show_trial(trial)
        self.history.add(trial)

    def _on_failed(self, outcome: JobOutcome) -> None:
        if not self._previewed:
            self.layers.clear()  # else settings that fail would seem to give what those before gave
        self.score.clear()
        if outcome.error is not None:
            self.message.complain(outcome.message, outcome.error)
        # No notification for what a slider can do at every place of it.
        self._say_until_scored(outcome.message, problem=True)

    # -- the ring centre ---------------------------------------------------------------------------

    def _on_centre(self, outcome: JobOutcome) -> None:
        asked, self._centre_asked = self._centre_asked, None
        if outcome.state is JobState.FAILED:
            self.message.complain(outcome.message, outcome.error)
        elif outcome.layer_gone:
            self.message.say(outcome.message, problem=True)
        source, pipeline = self.state.source, self.state.pipeline
        if outcome.state is not JobState.DONE or asked is None:
            return
        if source is None or source.layer is not outcome.layer:
            return  # the dock has turned to another layer meanwhile
        number, step = asked
        if number >= len(pipeline.steps) or pipeline.steps[number].filter != step.filter:
            return  # the pipeline was changed meanwhile
        for name in CENTRE_PARAMETERS:
            pipeline = pipeline.with_parameter(number, name, outcome.result.parameters[name])
        y, x = (float(outcome.result.parameters[name]) for name in CENTRE_PARAMETERS)
        self.message.say(f"The rings' centre is {y:+.1f} px in y, {x:+.1f} px in x from the slice's middle.")
        self._mark.show(source, (y, x))
        self.state.set_pipeline(pipeline)

    def _move_mark(self, source: SliceSource, pipeline: Pipeline) -> None:
        for step in pipeline.steps:
            y, x = (step.parameters.get(name) for name in CENTRE_PARAMETERS)
            if isinstance(y, float) and isinstance(x, float):
                self._mark.move(source, (y, x))
                return
