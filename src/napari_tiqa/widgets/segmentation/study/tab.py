"""The Study tab: what image quality does to the segmentation of labelled slices."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from napari.layers import Layer
from napari.utils.theme import get_theme
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QMessageBox, QVBoxLayout, QWidget

from napari_tiqa.errors import SegmentationError, TiqaError
from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.jobs.study.files import FILES
from napari_tiqa.jobs.study.result import StudiedVersion, Study
from napari_tiqa.jobs.study.study import StudyProgress
from napari_tiqa.segmentation.classes import Classes
from napari_tiqa.segmentation.segmenter import classes_of, segmenter_card
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.segmentation.read_labels import read_labels
from napari_tiqa.widgets.segmentation.state import SegmentState
from napari_tiqa.widgets.segmentation.study.form import SegmentStudyForm
from napari_tiqa.widgets.segmentation.study.layers import StudyLayers
from napari_tiqa.widgets.segmentation.study.request import SaveRequest, StudyRequest
from napari_tiqa.widgets.segmentation.study.results import SegmentStudyResults
from napari_tiqa.widgets.segmentation.study.tables import version_name
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.dock_panel import DockPanel
from napari_tiqa.widgets.shared.result_layers import is_result, no_original
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.widgets.shared.slider import go_to_slice

_DRAW_EVERY = 300  # ms; a version takes about as long


class SegmentStudyTab(DockPanel):
    """Distorts labelled slices of the dock's image, scores and segments them.

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
        self.form = SegmentStudyForm()
        self.message = self.form.message
        self.results = SegmentStudyResults()
        self.layers = StudyLayers(viewer)
        self.job = BackgroundJob("the study")
        self.looking = BackgroundJob("making a version of a slice")
        self.saving = BackgroundJob("saving the study")
        self.reading = BackgroundJob("reading the model")
        self._source: SliceSource | None = None  # what the request is about
        self._request: StudyRequest | None = None
        self._so_far: list[StudiedVersion] = []
        self._looked_at: tuple[SliceSource, str] | None = None
        self._stopped_because = ""
        self._draw_soon = QTimer(self)
        self._draw_soon.setSingleShot(True)
        self._draw_soon.timeout.connect(self._draw_so_far)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.form)
        layout.addWidget(self.results, 1)
        layout.addStretch()  # takes the room while there is no study
        self._connect()
        self._follow_theme()
        self._on_model(state.model)
        self._follow()

    @property
    def jobs(self) -> tuple[BackgroundJob, ...]:
        """What may be under way."""
        return self.job, self.looking, self.saving, self.reading

    def close_down(self) -> None:
        """End what is under way; the layers stay."""
        super().close_down()
        self._draw_soon.stop()

    def _connect(self) -> None:
        form, state = self.form, self.state
        form.study_clicked.connect(self.study)
        form.cancel_clicked.connect(self.job.cancel)
        form.model_box.changed.connect(lambda: state.set_model(form.model_box.path))
        state.model_changed.connect(self._on_model)
        state.source_changed.connect(self._follow)
        state.labels_changed.connect(self._follow)
        self.results.version_clicked.connect(self.look_at)
        self.results.save_clicked.connect(self._ask_folder)
        self.job.state_changed.connect(lambda _: self._enable())
        self.job.progressed.connect(self._on_progress)
        self.job.ended.connect(self._on_ended)
        self.looking.state_changed.connect(lambda _: self._enable())
        self.looking.ended.connect(self._on_seen)
        self.saving.state_changed.connect(lambda _: self._enable())
        self.saving.ended.connect(self._on_saved)
        self.reading.ended.connect(self._on_classes)
        for job in self.jobs:
            self._end_with_dock(job)
        self._subscribe(self._viewer.layers.events.removed, self._on_layer_removed)
        self._subscribe(self._viewer.events.theme, self._follow_theme)

    # -- the study ---------------------------------------------------------------------------------

    def study(self) -> bool:
        """Start what the form asks for; False where that cannot start."""
        try:
            source, request = self._asked()
        except TiqaError as error:
            self.message.complain(str(error))
            return False
        if not self.job.start(request.run):
            return False
        self._source, self._request, self._so_far = source, request, []
        self._stopped_because = "Stopped"
        ready = bool(shared_model_process().device)
        self.message.say("Reading the first slice…" if ready else "Starting the models, a few seconds…")
        return True

    def _asked(self) -> tuple[SliceSource, StudyRequest]:
        source, labels, form = self.state.source, self.state.labels, self.form
        if source is None:
            raise SegmentationError(no_original("study"))
        if labels is None:
            raise SegmentationError("There are no labels to compare with: choose a Labels layer above.")
        if is_result(labels):
            raise SegmentationError(f"'{labels.name}' is a result itself: choose labels to compare with.")
        request = StudyRequest(
            source.volume,
            source.axis,
            read_labels(labels, source),
            form.slices.slices(source),
            form.value,
            self.state.model,
            form.quality_box.path,
            source.window,
        )
        return source, request

    def _on_progress(self, news: StudyProgress) -> None:
        self._so_far.append(news.version)
        if self.job.state is JobState.RUNNING:
            self.form.show_progress(news)
        if not self._draw_soon.isActive():
            self._draw_soon.start(_DRAW_EVERY)

    def _draw_so_far(self) -> None:
        table = pd.DataFrame(self._so_far, columns=list(StudiedVersion._fields))
        self.results.show_so_far(Study(table, complete=False))

    def _on_ended(self, outcome: JobOutcome) -> None:
        self._draw_soon.stop()
        if outcome.state is JobState.DONE:
            found: Study = outcome.result
            self.show_study(found)
            stopped = "" if found.complete else f"{self._stopped_because}; "
            self.message.say(f"{stopped}{len(found.table)} versions were scored and segmented.")
        elif outcome.state is JobState.FAILED:
            self.message.complain(outcome.message, outcome.error)
        else:
            self.message.say(f"{self._stopped_because} before any version was done.")

    def show_study(self, found: Study) -> None:
        """Show what was found of the source that was studied."""
        source = self._source
        if source is None:
            return
        if self.state.source is not None and self.state.source.volume is source.volume:
            self.state.set_window(IntensityWindow(**found.record["window"]))
        numbers = [int(index) for index in found.table["slice"].unique()]
        slices = "the image" if source.volume.data.ndim == 2 else _in_words(numbers)
        phase = found.record["phase"]["name"]
        self.results.show_study(found, f"<b>{source.layer_name}</b>, {slices}; phase: {phase}.")
        self._enable()

    # -- one version -------------------------------------------------------------------------------

    def look_at(self, distortion: str, level: int) -> bool:
        """Show a version of a slice as layers; False where that cannot start."""
        found, source, request = self.results.found, self._source, self._request
        if found is None or source is None or request is None or source.layer not in self._viewer.layers:
            return False
        index = self._index(found)
        if not self.looking.start(request.version(found, index, distortion, level).run):
            return False
        name = version_name(distortion, level)
        self._looked_at = replace(source, index=index), name
        self.message.say(f"Making {name} of slice {index}…")
        return True

    def _index(self, found: Study) -> int:
        """Return the slice chosen; of their mean the one that napari shows, if it is among them."""
        if self.results.index is not None:
            return self.results.index
        studied = [int(index) for index in found.table["slice"].unique()]
        shown = self.state.source.index if self.state.source is not None else studied[0]
        return shown if shown in studied else studied[0]

    def _on_seen(self, outcome: JobOutcome) -> None:
        if outcome.state is JobState.FAILED:
            self.message.complain(outcome.message, outcome.error)
        if outcome.state is not JobState.DONE or self._looked_at is None:
            return
        source, name = self._looked_at
        if source.layer not in self._viewer.layers:
            return
        self.layers.show(source, name, outcome.result)
        if source.volume.data.ndim == 3:
            dimension = [d for d in range(source.layer.ndim) if d not in source.at][source.axis]
            go_to_slice(self._viewer, source.layer, dimension, source.index, source.at)
        self.message.say(f"{name.capitalize()} of {source.slice_name} lies above the other layers.")

    # -- saving ------------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> None:
        """Save tables and figures in a folder, in a thread; those of an earlier study are replaced."""
        if self.results.found is not None:
            self.saving.start(SaveRequest(self.results.found, Path(folder)).run)

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Save tables and figures in a folder")
        there = ", ".join(name for name in FILES if folder and (Path(folder) / name).exists())
        question = f"Replace {there} in {folder}?"
        yes = QMessageBox.StandardButton.Yes
        if folder and (not there or QMessageBox.question(self, "Save the study", question) == yes):
            self.save(folder)

    def _on_saved(self, outcome: JobOutcome) -> None:
        if outcome.state is JobState.DONE:
            files: list[Path] = outcome.result
            self.message.say(f"Saved {', '.join(file.name for file in files)} in {files[0].parent}.")
        elif outcome.state is JobState.FAILED:
            self.message.complain(outcome.message, outcome.error)

    # -- what the dock is told ---------------------------------------------------------------------

    def _follow(self, _news: object = None) -> None:
        self.form.slices.show_source(self.state.source)
        self._enable()

    def _enable(self) -> None:
        ready = self.state.source is not None and self.state.labels is not None
        self.form.show_state(self.job.state, ready=ready)
        self.results.set_busy(any(job.state.busy for job in (self.job, self.looking, self.saving)))

    def _on_model(self, model: Path | None) -> None:
        if self.form.model_box.path != model:
            self.form.model_box.choose(model)
        self.reading.start(lambda report, cancel: (model, classes_of(segmenter_card(model))))

    def _on_classes(self, outcome: JobOutcome) -> None:
        if outcome.state is JobState.FAILED:
            self.message.say(outcome.message, problem=True)
        elif outcome.state is JobState.DONE:
            read: tuple[Path | None, Classes] = outcome.result
            if read[0] != self.state.model:
                self._on_model(self.state.model)  # another one was chosen meanwhile
            else:
                self.form.show_classes(read[1])

    def _on_layer_removed(self, event: Any) -> None:
        layer: Layer = getattr(event.value, "__wrapped__", event.value)
        self.layers.forget(layer)
        if self._source is not None and layer is self._source.layer and self.job.state.busy:
            self._stopped_because = f"'{layer.name}' was removed, so its study was stopped"
            self.job.cancel()

    def _follow_theme(self, _event: object = None) -> None:
        self.results.set_theme(get_theme(self._viewer.theme))


def _in_words(slices: list[int]) -> str:
    if len(slices) == 1:
        return f"slice {slices[0]}"
    return f"slices {', '.join(map(str, slices[:-1]))} and {slices[-1]}"
