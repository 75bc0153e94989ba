"""The form of the Compare tab: pipelines, slices, aim."""

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLineEdit, QWidget

from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.filtering.compare import compare
from napari_tiqa.widgets.filtering.compare.list import PipelineList, suggested_name
from napari_tiqa.widgets.filtering.trial_tab import TrialForm
from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.forms import button, column, form_layout, line


class CompareForm(TrialForm):
    """Choices that a comparison is started with."""

    add_clicked = Signal()
    add_files_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            compare,
            "pipeline",
            "Compare",
            "Filter the same slices with each pipeline and score them.",
            "Stop; the pipelines that are done stay.",
            parent,
        )
        self.slices.choose()
        self.list = PipelineList()
        self.name = QLineEdit()
        self.name.setToolTip("What the present pipeline is called in table and plot.")
        self.add_button = button(
            "Add",
            "Add the pipeline of the Steps tab, as it is now, to those compared.",
            self.add_clicked.emit,
        )
        self.files_button = button(
            "Add files…", "Add pipelines that were saved as JSON.", self.add_files_clicked.emit
        )
        self.remove_button = button(
            "Remove", "Take the selected pipeline out of the comparison.", self.list.remove_chosen
        )
        add = line((self.name, 1), self.add_button, self.files_button, self.remove_button)
        rows = form_layout(("Slices", line((self.slices, 4), (self.aim_box, 3))))
        column(add, self.list, rows, self.run_row, parent=self)
        self.name.returnPressed.connect(self.add_clicked)
        self.list.currentItemChanged.connect(self._enable)
        self.list.model().rowsInserted.connect(self._enable)
        self.list.model().rowsRemoved.connect(self._enable)
        self._enable()

    def show_pipeline(self, pipeline: Pipeline) -> None:
        """Name the pipeline that is being built."""
        self.name.setPlaceholderText(suggested_name(pipeline) or "no step is on")

    def show_state(self, state: JobState) -> None:
        """Enable what can be done in a state, and nothing else."""
        super().show_state(state)
        self._enable()

    def _subject(self, pipeline: Pipeline) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.list.pipelines,), {}

    def _enable(self, *_: object) -> None:
        idle = not self.run_row.state.busy
        self._set_has_subject(bool(self.list.pipelines))
        for widget in (self.name, self.add_button, self.files_button, self.list):
            widget.setEnabled(idle)
        self.remove_button.setEnabled(idle and bool(self.list.chosen) and self.list.currentIndex().row() > 0)
