"""The Compare tab: how list, job, plot and the shared pipeline act on one another."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from napari.utils.theme import get_theme
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_tiqa.errors import TiqaError
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.filtering.compare import UNFILTERED, CompareProgress, Comparison
from napari_tiqa.jobs.filtering.comparison_figure import comparison_figure
from napari_tiqa.jobs.filtering.trial import Trial
from napari_tiqa.report_folder import write_figure
from napari_tiqa.scoring.table import write_scores
from napari_tiqa.widgets.filtering.compare.form import CompareForm
from napari_tiqa.widgets.filtering.compare.list import suggested_name
from napari_tiqa.widgets.filtering.state import FilterState
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.dock_panel import DockPanel
from napari_tiqa.widgets.shared.figure_view import FigureView


class FilterCompareTab(DockPanel):
    """Compares whole pipelines on the same slices.

    Parameters
    ----------
    state : FilterState
        Pipeline, slice and model that the tabs share.
    viewer : napari.Viewer
        The viewer whose theme is followed.
    """

    def __init__(self, state: FilterState, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(viewer, parent)
        self.state = state
        self.job = BackgroundJob("the comparison")
        self.saving = BackgroundJob("saving the comparison")
        self.form = CompareForm()
        self.list, self.message = self.form.list, self.form.message
        self.plot = FigureView(
            "Above: the scores of the slices with each pipeline, a dot each. The box holds the middle half,\n"
            "its line is the median; the dashed line is the median of the slices unfiltered.\n"
            "Below: the detail that each pipeline loses, per cent.",
            least=(220, 250),
        )
        self.comparison: Comparison | None = None
        self._so_far: dict[str, Trial] = {}
        self.use_button = QPushButton("Use this one")
        self.use_button.setToolTip("Set the pipeline to the selected one, to look at it and to apply it.")
        self.csv_button = QPushButton("Save CSV…")
        self.csv_button.setToolTip("Save the score of each slice with each pipeline as a table.")
        self.png_button = QPushButton("Save picture…")
        self.png_button.setToolTip("Save the box plot as a PNG picture, large enough to print.")
        self._lay_out()
        self._connect()
        self.form.show_pipeline(state.pipeline)
        self.form.slices.show_source(state.source)
        self._enable()
        self._follow_theme()

    @property
    def jobs(self) -> tuple[BackgroundJob, ...]:
        """What may be under way."""
        return self.job, self.saving

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        for button in (self.use_button, self.csv_button, self.png_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.form)
        layout.addWidget(self.plot, 1)
        layout.addLayout(buttons)

    def _connect(self) -> None:
        form = self.form
        form.add_clicked.connect(self.add_present)
        form.add_files_clicked.connect(self._ask_files)
        form.compare_clicked.connect(self.compare)
        form.cancel_clicked.connect(self.job.cancel)
        self.list.renamed.connect(self._rename)
        self.list.removed.connect(self._remove)
        self.list.currentItemChanged.connect(lambda *_: self._enable())
        self.use_button.clicked.connect(self.use_chosen)
        self.csv_button.clicked.connect(
            lambda: self._ask_file("comparison.csv", "Table (*.csv)", self.save_csv)
        )
        self.png_button.clicked.connect(
            lambda: self._ask_file("comparison.png", "Picture (*.png)", self.save_png)
        )
        self.state.pipeline_changed.connect(form.show_pipeline)
        self.state.source_changed.connect(form.slices.show_source)
        self.job.state_changed.connect(form.show_state)
        self.job.progressed.connect(self._on_progress)
        self.job.ended.connect(self._on_ended)
        self.saving.ended.connect(self._on_saved)
        for job in self.jobs:
            self._end_with_dock(job)
        self._subscribe(self._viewer.events.theme, self._follow_theme)

    def add_present(self) -> None:
        """Add the pipeline as it is now, under the name typed."""
        pipeline = self.state.pipeline
        if not any(step.on for step in pipeline.steps):
            self.message.complain("The pipeline has no step that is on, which “unfiltered” shows already.")
            return
        name = self.list.add(self.form.name.text().strip() or suggested_name(pipeline), pipeline)
        self.form.name.clear()
        self.message.say(f"Added “{name}”.")

    def add_files(self, paths: list[str]) -> None:
        """Add pipelines that were saved; those that cannot be read are named."""
        for path in paths:
            try:
                self.list.add(Path(path).stem, Pipeline.load(path))
            except TiqaError as error:
                self.message.complain(str(error))

    def compare(self) -> bool:
        """Start what the form asks for; False where that cannot start."""
        try:
            request = self.form.request(self.state)
        except TiqaError as error:
            self.message.complain(str(error))
            return False
        if not self.job.start(request.run):
            return False
        self._so_far = {}
        return True

    def show_comparison(self, comparison: Comparison) -> None:
        """Show a comparison of pipelines that are in the list."""
        self.comparison = comparison
        self.list.show_comparison(comparison)
        self._draw(comparison)
        self._enable()

    def _draw(self, comparison: Comparison) -> None:
        colours = self.list.colours
        self.plot.show_figure(lambda sheet: comparison_figure(comparison, colours, sheet))

    def use_chosen(self) -> None:
        """Set the pipeline to the selected one."""
        if self.list.chosen in self.list.pipelines:
            self.state.set_pipeline(self.list.pipelines[self.list.chosen])
            self.message.say(f"The pipeline is “{self.list.chosen}” now.")

    def save_csv(self, path: str | Path) -> None:
        """Save a row per pipeline and slice, and the record beside it."""
        if self.comparison is None:
            return
        try:
            write_scores(self.comparison.rows, path)
        except TiqaError as error:
            self.message.complain(str(error))
        else:
            self.message.say(f"Saved the score of each slice in {path}.")

    def save_png(self, path: str | Path) -> None:
        """Save the box plot, in a thread: that takes longer than napari's window may stand still."""
        if self.comparison is not None:
            self.saving.start(partial(_write_figure, self.comparison, self.list.colours, Path(path)))

    def _on_progress(self, news: CompareProgress) -> None:
        self._so_far[news.name] = news.trial
        self.form.show_progress(news)
        self._draw(Comparison(dict(self._so_far), ()))

    def _on_ended(self, outcome: JobOutcome) -> None:
        if outcome.state is JobState.DONE:
            comparison: Comparison = outcome.result
            self.show_comparison(comparison)
            done = len(comparison.trials) - 1
            stopped = "" if comparison.complete else f"Stopped after {done} of the pipelines. "
            self.message.say(stopped + comparison.sentence())
        elif outcome.state is JobState.FAILED:
            self.message.complain(outcome.message, outcome.error)
        else:
            self.message.say(outcome.message)

    def _on_saved(self, outcome: JobOutcome) -> None:
        if outcome.state is JobState.DONE:
            self.message.say(f"Saved the box plot in {outcome.result}.")
        elif outcome.state is JobState.FAILED:
            self.message.complain(outcome.message, outcome.error)

    def _rename(self, before: str, after: str) -> None:
        """Call a pipeline that was compared by its new name."""
        if self.comparison is not None:
            trials = {after if name == before else name: t for name, t in self.comparison.trials.items()}
            self.show_comparison(replace(self.comparison, trials=trials))

    def _remove(self, gone: str) -> None:
        """Show what was compared without the pipeline that was taken out."""
        if self.comparison is not None:
            trials = {name: trial for name, trial in self.comparison.trials.items() if name != gone}
            self.show_comparison(replace(self.comparison, trials=trials))

    def _ask_files(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Add pipelines", "", "Pipeline (*.json)")
        self.add_files(paths)

    def _ask_file(self, name: str, kind: str, save: Callable[[str], None]) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the comparison", name, kind)
        if path:
            save(path)

    def _enable(self) -> None:
        self.use_button.setEnabled(self.list.chosen not in (None, UNFILTERED))
        for button in (self.csv_button, self.png_button):
            button.setEnabled(self.comparison is not None)

    def _follow_theme(self) -> None:
        self.plot.set_theme(get_theme(self._viewer.theme))


def _write_figure(comparison: Comparison, colours: dict[str, str], path: Path, *_: object) -> Path:
    write_figure(comparison_figure(comparison, colours), path)
    return path
