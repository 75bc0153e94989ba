"""What the Tune and the Compare tab share: choices that every trial has, and the job with its results."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from qtpy.QtWidgets import QFileDialog, QPushButton, QWidget

from napari_tiqa.errors import FilterError, TiqaError
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.filtering.objective import FIDELITY, SCORE
from napari_tiqa.scoring.table import write_scores
from napari_tiqa.widgets.filtering.state import FilterState
from napari_tiqa.widgets.host.remembered import remember
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.dock_panel import DockPanel
from napari_tiqa.widgets.shared.forms import TAB_MARGINS, choice_box, column, row
from napari_tiqa.widgets.shared.result_layers import no_original, unwrapped
from napari_tiqa.widgets.shared.run_row import RunRow
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.widgets.shared.slices_box import SlicesBox

_AIMS = ((FIDELITY, "by fidelity"), (SCORE, "by score"))


class TrialForm(QWidget):
    """Slices, aim, and what starts a verb of the core (tune, compare); a subclass lays them out.

    `tried` names what is tried on each slice: "setting".
    """

    def __init__(
        self,
        verb: Callable[..., Any],
        tried: str,
        start: str,
        tooltip: str,
        cancel_tooltip: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.verb = verb  # of the core
        self._has_source = self._has_subject = False
        self.slices = SlicesBox(
            "a few, evenly spread",
            f"The slices that every {tried} is tried on. One is quickest; several show whether it\nsuits the "
            "whole volume.",
        )
        self.aim_box = choice_box(
            ((title, aim) for aim, title in _AIMS),
            "What the best is chosen by. Fidelity estimates, pixel by pixel, how similar the filtered slice\n"
            "is to a perfect scan of it, less what the loss of detail costs. The score is what people\n"
            "would say, who accept some blur for less noise.",
        )
        self.run_row = RunRow(
            start,
            tooltip,
            cancel_tooltip,
            parts=f"{tried}s",
            starting="Starting: scoring the slices as they are…",
            lines=3,
            low=True,
        )
        self._show_ready()

    def request(self, state: FilterState) -> "partial[Any]":
        """Return the verb with the arguments that the form asks for; raises FilterError or VolumeError."""
        source = state.source
        if source is None:
            raise FilterError(no_original(f"{self.verb.__name__} on"))
        subject, options = self._subject(state.pipeline)
        return partial(
            self.verb,
            source.volume,
            *subject,
            slices=self.slices.slices(source),
            axis=source.axis,
            model=state.model,
            window=source.window,
            aim=self.aim_box.currentData(),
            **options,
        )

    def show_pipeline(self, pipeline: Pipeline) -> None:
        """Follow the pipeline that is being built."""
        raise NotImplementedError

    def show_source(self, source: SliceSource | None) -> None:
        """Follow the slice that the dock works on; where there is none, the dock's message says why."""
        self.slices.show_source(source)
        self._has_source = source is not None
        self._show_ready()

    def show_state(self, state: JobState) -> None:
        """Enable what can be done in a state, and nothing else."""
        self.run_row.show_state(state)

    def _set_has_subject(self, has_subject: bool) -> None:
        """Say whether there is something to try."""
        self._has_subject = has_subject
        self._show_ready()

    def _show_ready(self) -> None:
        self.run_row.set_ready(self._has_source and self._has_subject)

    def _subject(self, pipeline: Pipeline) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the verb's positional arguments after the volume, and its options of its own."""
        raise NotImplementedError


class TrialTab(DockPanel):
    """Tries settings or pipelines in the background and draws what comes of them."""

    def __init__(
        self,
        state: FilterState,
        viewer: Any,
        job: str,
        form: TrialForm,
        plot: Any,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(viewer, parent)
        self.state = state
        self.message = form.run_row.message
        self.job = BackgroundJob(job)
        self._form, self._plot = form, plot
        form.run_row.start_clicked.connect(self.start)
        form.run_row.cancel_clicked.connect(self.job.cancel)
        state.pipeline_changed.connect(form.show_pipeline)
        state.source_changed.connect(form.show_source)
        self.job.state_changed.connect(form.show_state)
        self.job.progressed.connect(self._on_progress)
        self.job.ended.connect(self._on_ended)
        self._end_with_dock(self.job)
        self._subscribe(viewer.layers.events.removed, self._on_removed)
        state.source_changed.connect(self.message.retract)
        self._use_theme(plot)
        remember(form.verb.__name__, slices=form.slices, aim=form.aim_box)
        form.show_pipeline(state.pipeline)
        form.show_source(state.source)

    def _lay_out(self, *buttons: QPushButton) -> None:
        """Lay out form and plot, with what can be done with the results below."""
        column(self._form, (self._plot, 1), row(*buttons), parent=self, margins=TAB_MARGINS)

    def start(self) -> bool:
        """Start what the form asks for; False where that cannot start."""
        try:
            request = self._form.request(self.state)
        except TiqaError as error:
            self.message.refuse(str(error))
            return False
        source = self.state.source
        if source is None or not self.job.run(request, source.layer):
            return False
        self._begin(request)
        return True

    # -- what a subclass does ----------------------------------------------------------------------

    def _begin(self, request: "partial[Any]") -> None:
        """Show that these trials have begun."""
        raise NotImplementedError

    def _on_progress(self, progress: Any) -> None:
        raise NotImplementedError

    def _show_result(self, result: Any) -> None:
        """Show what the job has returned."""
        raise NotImplementedError

    # -- results -----------------------------------------------------------------------------------

    @property
    def _is_of_the_layer_shown(self) -> bool:
        """Whether the job, under way or the last one, belongs to the layer that the dock works on."""
        return self.state.source is not None and self.state.source.layer is self.job.layer

    def _on_removed(self, event: Any) -> None:
        if unwrapped(event.value) is self.job.layer and not self.job.state.busy:
            self.message.forget_problem()

    def _on_ended(self, outcome: JobOutcome) -> None:
        if outcome.state is JobState.DONE:
            self._show_result(outcome.result)
        elif outcome.state is JobState.FAILED:
            self.message.complain(outcome.message, outcome.error)
        else:
            self.message.say(outcome.message, problem=outcome.layer_gone)

    def _save_table(self, table: pd.DataFrame, path: str | Path, sentence: str) -> None:
        """Save a table with its record, and say so."""
        try:
            write_scores(table, path)
        except TiqaError as error:
            self.message.complain(str(error))
        else:
            self.message.say(sentence)

    def _ask_file(self, title: str, name: str, kinds: str, save: Callable[[str], None]) -> None:
        path, _ = QFileDialog.getSaveFileName(self, title, name, kinds)
        if path:
            save(path)
