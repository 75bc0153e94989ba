"""The Compare tab: how list, job, plot and the shared pipeline act on one another."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QFileDialog, QWidget

from napari_tiqa.errors import TiqaError
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.filtering.compare import UNFILTERED, CompareProgress, Comparison
from napari_tiqa.jobs.filtering.comparison_figure import comparison_figure
from napari_tiqa.jobs.filtering.gain import level
from napari_tiqa.jobs.filtering.trial import Trial
from napari_tiqa.report_folder import write_figure
from napari_tiqa.widgets.filtering.compare.form import CompareForm
from napari_tiqa.widgets.filtering.compare.list import suggested_name
from napari_tiqa.widgets.filtering.state import FilterState
from napari_tiqa.widgets.filtering.trial_tab import TrialTab
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.figure_view import FigureView
from napari_tiqa.widgets.shared.forms import button

_TITLE = "Save the comparison"


class FilterCompareTab(TrialTab):
    """Compares whole pipelines on the same slices."""

    def __init__(self, state: FilterState, viewer: Any, parent: QWidget | None = None) -> None:
        form = CompareForm()
        plot = FigureView(
            "Above: the scores of the slices with each pipeline, a dot each. The box holds the middle half,\n"
            "its line is the median; the dashed line is the median of the slices unfiltered.\n"
            "Below: the detail that each pipeline loses, per cent.",
            least=(220, 250),
        )
        super().__init__(state, viewer, "the comparison", form, plot, parent)
        self.form, self.plot = form, plot
        self.list = self.form.list
        self.comparison: Comparison | None = None
        self.saving = BackgroundJob("saving the comparison")
        self._so_far: dict[str, Trial] = {}
        self.use_button = button(
            "Use selected",
            "Set the pipeline to the selected one, to look at it and to apply it.",
            self.use_chosen,
        )
        self.csv_button = button(
            "Save CSV…",
            "Save the score of each slice with each pipeline as a table.",
            lambda: self._ask_file(_TITLE, "comparison.csv", "Table (*.csv)", self.save_csv),
        )
        self.png_button = button(
            "Save picture…",
            "Save the box plot as a PNG picture, large enough to print.",
            lambda: self._ask_file(_TITLE, "comparison.png", "Picture (*.png)", self.save_png),
        )
        self._lay_out(self.use_button, self.csv_button, self.png_button)
        self.form.add_clicked.connect(self.add_present)
        self.form.add_files_clicked.connect(self._ask_files)
        self.list.renamed.connect(self._rename)
        self.list.removed.connect(self._remove)
        self.list.currentItemChanged.connect(self._enable)
        self.saving.ended.connect(self._on_saved)
        self._end_with_dock(self.saving)
        self._enable()

    def add_present(self) -> None:
        """Add the pipeline as it is now, under the name typed."""
        pipeline = self.state.pipeline
        if not any(step.on for step in pipeline.steps):
            self.message.complain(f'All steps are off; "{UNFILTERED}" already shows that.')
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
        if self.comparison is not None:
            self._save_table(self.comparison.rows, path, f"Saved the score of each slice in {path}.")

    def save_png(self, path: str | Path) -> None:
        """Save the box plot, in a thread: that takes longer than napari's window may stand still."""
        if self.comparison is not None:
            self.saving.start(partial(_write_figure, self.comparison, self.list.colours, Path(path)))

    def _begin(self, request: "partial[Any]") -> None:
        self._so_far = {}

    def _on_progress(self, progress: CompareProgress) -> None:
        self._so_far[progress.name] = progress.trial
        reached = level(progress.trial, self.form.aim_box.currentData())
        self.form.run_row.show_progress(progress, f"{progress.name}: {reached}.")
        self._draw(Comparison(dict(self._so_far), ()))

    def _show_result(self, result: Comparison) -> None:
        self.show_comparison(result)
        stopped = "" if result.complete else f"Stopped after {len(result.trials) - 1} of the pipelines. "
        self.message.say(stopped + result.sentence())

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

    def _enable(self, *_: object) -> None:
        self.use_button.setEnabled(self.list.chosen not in (None, UNFILTERED))
        for each in (self.csv_button, self.png_button):
            each.setEnabled(self.comparison is not None)


def _write_figure(comparison: Comparison, colours: dict[str, str], path: Path, *_: object) -> Path:
    write_figure(comparison_figure(comparison, colours), path)
    return path
