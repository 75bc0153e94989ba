"""The choices of the Compare tab: pipelines, slices; its buttons, progress and message."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from napari_tiqa.errors import FilterError
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.filtering.compare import CompareProgress, Comparison, compare
from napari_tiqa.jobs.filtering.gain import level
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.filtering.aim import AimBox
from napari_tiqa.widgets.filtering.compare.list import PipelineList, suggested_name
from napari_tiqa.widgets.filtering.state import FilterState
from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.job_bar import JobBar, time_left
from napari_tiqa.widgets.shared.result_layers import no_original
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel
from napari_tiqa.widgets.shared.slices_box import SlicesBox


@dataclass(frozen=True)
class CompareRequest:
    """What to compare, frozen in the main thread: a job never sees a widget, a layer or the viewer."""

    volume: Volume
    axis: int
    slices: list[int] | None
    pipelines: dict[str, Pipeline]
    model: Path | None
    window: IntensityWindow | None
    aim: str

    def run(self, progress: Callable[[CompareProgress], object], cancel: threading.Event) -> Comparison:
        """Compare."""
        return compare(
            self.volume,
            self.pipelines,
            slices=self.slices,
            axis=self.axis,
            model=self.model,
            window=self.window,
            aim=self.aim,
            progress=progress,
            cancel=cancel,
        )


class CompareForm(QWidget):
    """Choices that a comparison is started with, its buttons and its progress."""

    add_clicked = Signal()
    add_files_clicked = Signal()
    compare_clicked = Signal()
    cancel_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = QLineEdit()
        self.name.setToolTip("What the present pipeline is called in table and plot.")
        self.add_button = QPushButton("Add")
        self.add_button.setToolTip("Add the pipeline of the Steps tab, as it is now, to those compared.")
        self.files_button = QPushButton("Add files…")
        self.files_button.setToolTip("Add pipelines that were saved as JSON.")
        self.list = PipelineList()
        self.remove_button = QPushButton("Remove")
        self.remove_button.setToolTip("Take the selected pipeline out of the comparison.")
        self.slices = SlicesBox(
            "a few, evenly spread",
            "The slices that every pipeline is tried on. One is quickest; several show whether it\nsuits the "
            "whole volume.",
        )
        self.slices.choose()
        self.aim_box = AimBox()
        self.compare_button = QPushButton("Compare")
        self.compare_button.setToolTip("Filter the same slices with each pipeline and score them.")
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Stop; the pipelines that are done stay.")
        self.bar = JobBar("How many pipelines are done, and the time left.")
        self.message = SentenceLabel("What the comparison is doing, and what came of it.")
        self._state = JobState.IDLE
        self._lay_out()
        self.add_button.clicked.connect(self.add_clicked)
        self.name.returnPressed.connect(self.add_clicked)
        self.files_button.clicked.connect(self.add_files_clicked)
        self.remove_button.clicked.connect(self.list.remove_chosen)
        self.compare_button.clicked.connect(self.compare_clicked)
        self.cancel_button.clicked.connect(self.cancel_clicked)
        self.list.currentItemChanged.connect(lambda *_: self._enable())
        self.list.model().rowsInserted.connect(lambda *_: self._enable())
        self.list.model().rowsRemoved.connect(lambda *_: self._enable())
        self.show_state(JobState.IDLE)

    def request(self, state: FilterState) -> CompareRequest:
        """Return what the form asks for.

        Raises
        ------
        FilterError
            If there is no slice to compare on.
        VolumeError
            If the slices are not there.
        """
        source = state.source
        if source is None:
            raise FilterError(no_original("compare on"))
        return CompareRequest(
            source.volume,
            source.axis,
            self.slices.slices(source),
            self.list.pipelines,
            state.model,
            source.window,
            self.aim_box.aim,
        )

    def show_pipeline(self, pipeline: Pipeline) -> None:
        """Follow the pipeline that is being built."""
        self.name.setPlaceholderText(suggested_name(pipeline) or "no step is on")

    def show_state(self, state: JobState) -> None:
        """Enable what can be done in a state, and nothing else."""
        self._state = state
        self._enable()
        self.bar.show_state(state)
        if state is JobState.STARTING:
            self.message.say("Starting: scoring the slices as they are…")
        elif state is JobState.CANCELLING:
            self.message.say("Stopping…")

    def show_progress(self, news: CompareProgress) -> None:
        """Show how much is done and the time left."""
        text = f"{news.done} of {news.total}   {time_left(news.seconds_left)}"
        self.bar.show_done(news.done, news.total, text)
        self.message.say(f"{news.name}: {level(news.trial, self.aim_box.aim)}.")

    def _enable(self) -> None:
        idle = not self._state.busy
        self.compare_button.setEnabled(idle and bool(self.list.pipelines))
        self.cancel_button.setEnabled(self._state.cancellable)
        for widget in (self.name, self.add_button, self.files_button, self.list):
            widget.setEnabled(idle)
        self.remove_button.setEnabled(idle and bool(self.list.chosen) and self.list.currentIndex().row() > 0)

    def _lay_out(self) -> None:
        add = QHBoxLayout()
        add.addWidget(self.name, 1)
        add.addWidget(self.add_button)
        add.addWidget(self.files_button)
        add.addWidget(self.remove_button)
        form = QFormLayout()
        form.setHorizontalSpacing(8)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setVerticalSpacing(4)
        where = QHBoxLayout()
        where.addWidget(self.slices, 1)
        where.addWidget(self.aim_box)
        form.addRow("On", where)
        buttons = QHBoxLayout()
        buttons.addWidget(self.compare_button, 2)
        buttons.addWidget(self.cancel_button, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(add)
        layout.addWidget(self.list)
        layout.addLayout(form)
        layout.addLayout(buttons)
        layout.addWidget(self.bar)
        layout.addWidget(self.message)
