"""The Study tab: what image quality does to the segmentation of labelled slices."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import dask.array as da
import pandas as pd
from napari.layers import Layer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from napari_tiqa.errors import SegmentationError, TiqaError
from napari_tiqa.jobs.study.result import StudiedVersion, Study
from napari_tiqa.jobs.study.study import FILES, StudyProgress, study_segmentation, write_study
from napari_tiqa.jobs.study.version import seen_version
from napari_tiqa.segmentation.segmenter import classes_of, segmenter_card
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.host.remembered import remember
from napari_tiqa.widgets.segmentation.header import SegmentState
from napari_tiqa.widgets.segmentation.model_tab import ModelTab
from napari_tiqa.widgets.segmentation.study.form import SegmentStudyForm
from napari_tiqa.widgets.segmentation.study.layers import StudyLayers
from napari_tiqa.widgets.segmentation.study.results import SegmentStudyResults
from napari_tiqa.widgets.segmentation.study.tables import version_name
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.forms import ask_report_folder
from napari_tiqa.widgets.shared.result_layers import no_original
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.widgets.shared.slider import go_to_slice

_DRAW_EVERY = 300  # ms; a version takes about as long


class SegmentStudyTab(ModelTab):
    """Distorts labelled slices of the dock's image, scores and segments them; parameters as of ModelTab."""

    def __init__(self, state: SegmentState, viewer: Any, parent: QWidget | None = None) -> None:
        form = SegmentStudyForm()
        super().__init__(state, viewer, form, "the study", parent)
        self.form = form
        self.results = SegmentStudyResults()
        self.layers = StudyLayers(viewer)
        self.looking = BackgroundJob("making a version of a slice")
        self.saving = BackgroundJob("saving the study")
        self._source: SliceSource | None = None  # that was studied
        self._model: Path | None = None  # that it was studied with
        self._so_far: list[StudiedVersion] = []
        self._looked_at: tuple[SliceSource, str] | None = None
        self._draw_soon = QTimer(self, singleShot=True)
        self._draw_soon.timeout.connect(self._draw_so_far)
        state.labels_changed.connect(self._follow)
        self.results.version_clicked.connect(self.look_at)
        self.results.save_clicked.connect(self._ask_folder)
        for job in (self.job, self.looking, self.saving):
            job.state_changed.connect(self._enable)
        self.looking.ended.connect(self._on_seen)
        self.saving.ended.connect(self._on_saved)
        self._use_theme(self.results)
        self._set_up((self.results, 1))
        remember("study", quality_model=form.quality_box, slices=form.slices)
        self._prefer("model", form.quality_box.keep)

    @property
    def jobs(self) -> tuple[BackgroundJob, ...]:
        """What ends with the dock."""
        return *super().jobs, self.looking, self.saving

    def close_down(self) -> None:
        """End what is under way; the layers stay."""
        super().close_down()
        self._draw_soon.stop()

    # -- the study ---------------------------------------------------------------------------------

    def start(self) -> bool:
        """Study what the form asks for; False where that cannot start."""
        source, form = self.state.source, self.form
        try:
            if source is None:
                raise SegmentationError(no_original("study"))
            chosen = {
                "labels": self._compared_labels(),
                "slices": form.slices.slices(source),
                "axis": source.axis,
                "model": self.state.model,
                "quality_model": form.quality_box.path,
                "window": source.window,
                "value": form.value,
            }
        except TiqaError as error:
            self.message.refuse(str(error))
            return False
        if not self.job.run(partial(_study, source.volume, **chosen), source.layer):
            return False
        if self._source is not None and self._source.layer is not source.layer:
            self.layers.clear()
        self._source, self._model, self._so_far = source, self.state.model, []
        self._say_starting()
        return True

    def _on_progress(self, progress: StudyProgress) -> None:
        version = progress.version
        self._so_far.append(version)
        if self.job.state is JobState.RUNNING:
            name = version_name(version.distortion, version.level)
            sentence = f"Slice {version.slice}, {name}: score {version.score:.2f}, F1 {version.f1:.3f}."
            self.form.run_row.show_progress(progress, sentence)
        if not self._draw_soon.isActive():
            self._draw_soon.start(_DRAW_EVERY)

    def _draw_so_far(self) -> None:
        table = pd.DataFrame(self._so_far, columns=list(StudiedVersion._fields))
        self.results.show_so_far(Study(table, complete=False))

    def _on_ended(self, outcome: JobOutcome) -> None:
        self._draw_soon.stop()
        found: Study | None = outcome.of_gone_layer if outcome.layer_gone else outcome.result
        if outcome.state is JobState.FAILED:
            self.message.complain(outcome.message, outcome.error)
            return
        if found is not None:
            self.show_study(found)  # tables and figures of what was studied, its layer there or not
        done = f"{len(found.table)} versions were scored and segmented." if found is not None else ""
        if outcome.layer_gone:
            self.message.say(f"{outcome.message} {done}".rstrip(), problem=True)
        elif found is None:
            self.message.say("Stopped before any version was done.")
        else:
            self.message.say(done if found.complete else f"Stopped; {done}")

    def show_study(self, found: Study) -> None:
        """Show the results of the source that was studied."""
        source = self._source
        if source is None:
            return
        if self.state.source is not None and self.state.source.volume is source.volume:
            self.state.set_window(IntensityWindow(**found.record["window"]))
        numbers = [int(index) for index in found.table["slice"].unique()]
        slices = "the image" if source.volume.data.ndim == 2 else _in_words(numbers)
        phase = found.record["phase"]["name"]
        self.results.show_study(found, f"'{source.layer_name}', {slices}; phase: {phase}.")

    # -- one version -------------------------------------------------------------------------------

    def look_at(self, distortion: str, level: int) -> bool:
        """Show a version of a slice as layers; False where that cannot start."""
        found, source = self.results.found, self._source
        if found is None or source is None:
            return False
        if source.layer not in self._viewer.layers or not source.is_current:
            return False
        index = self._index(found)
        window = IntensityWindow(**found.record["window"])
        version = (source.volume, source.axis, index, distortion, level, window, self._model)
        make = partial(seen_version, *version, seed=int(found.record["seed"]))
        if not self.looking.start(lambda _report, cancel: make(cancel=cancel), source.layer):
            return False
        name = version_name(distortion, level)
        self._looked_at = replace(source, index=index), name
        self.message.say(f"Making {name} of slice {index}…")
        return True

    def _index(self, found: Study) -> int:
        """Return the slice chosen; of their mean the one on screen, if it is among them."""
        if self.results.index is not None:
            return self.results.index
        studied = [int(index) for index in found.table["slice"].unique()]
        shown = self.state.source.index if self.state.source is not None else studied[0]
        return shown if shown in studied else studied[0]

    def _on_seen(self, outcome: JobOutcome) -> None:
        if outcome.state is JobState.FAILED:
            self.message.complain(outcome.message, outcome.error)
        elif outcome.layer_gone:
            self.message.say(outcome.message, problem=True)
        if outcome.state is not JobState.DONE or self._looked_at is None:
            return
        source, name = self._looked_at
        self.layers.show(source, name, outcome.result)
        if source.volume.data.ndim == 3:
            go_to_slice(self._viewer, source.layer, source.dimension, source.index, source.at)
        self.message.say(f"{name.capitalize()} of {source.slice_name} lies above the other layers.")

    # -- saving ------------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> None:
        """Save tables and figures in a folder, in a thread; those of an earlier study are replaced."""
        if self.results.found is not None:
            study = self.results.found
            self.saving.start(lambda _report, _cancel: write_study(study, folder))

    def _ask_folder(self) -> None:
        if folder := ask_report_folder(self, "Save the study", FILES):
            self.save(folder)

    def _on_saved(self, outcome: JobOutcome) -> None:
        if outcome.state is JobState.DONE:
            files: list[Path] = outcome.result
            self.message.say(f"Saved {', '.join(file.name for file in files)} in {files[0].parent}.")
        elif outcome.state is JobState.FAILED:
            self.message.complain(outcome.message, outcome.error)

    # -- following the dock ------------------------------------------------------------------------

    def _follow(self, _changed: object = None) -> None:
        self.form.slices.show_source(self.state.source)
        self.form.run_row.set_ready(self.state.source is not None and self.state.labels is not None)

    def _enable(self, _state: JobState) -> None:
        self.results.set_busy(any(job.state.busy for job in (self.job, self.looking, self.saving)))

    def _show_card(self, card: dict[str, Any] | None, problem: str) -> None:
        if card is None:
            self.message.say(problem, problem=True)
        else:
            self.form.show_classes(classes_of(card))

    def _forget(self, layer: Layer) -> None:
        self.layers.forget(layer)


def _study(volume: Volume, labels: da.Array, *, model: Path | None, **chosen: Any) -> Study:
    """Study in the background; pixels that the model's classes call unlabelled are left out."""
    unlabelled = classes_of(segmenter_card(model)).unlabelled
    found = study_segmentation(volume, labels, model=model, unlabelled=unlabelled, **chosen)
    _ = found.correlations  # here, since they take longer than a window may stand still
    return found


def _in_words(slices: list[int]) -> str:
    if len(slices) == 1:
        return f"slice {slices[0]}"
    return f"slices {', '.join(map(str, slices[:-1]))} and {slices[-1]}"
