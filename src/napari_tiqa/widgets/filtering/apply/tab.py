"""The Apply tab: the pipeline on the whole volume, as a lazy layer at once, or exported."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from napari.layers import Layer
from napari.settings import get_settings
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_tiqa.errors import ExportError, TiqaError
from napari_tiqa.filtering.applied import earlier_record
from napari_tiqa.filtering.lazy import filter_volume
from napari_tiqa.jobs.filtering.export import check_format, export, export_size
from napari_tiqa.jobs.filtering.unfinished_export import done_slices, read_plan
from napari_tiqa.jobs.process.place import free_space, size_text, stored_at
from napari_tiqa.progress import Progress
from napari_tiqa.volumes.applied import KEY, note
from napari_tiqa.volumes.napari_reader import LayerData, read_layer
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.writing.formats import FORMATS, format_for
from napari_tiqa.widgets.filtering.apply.form import ApplyForm
from napari_tiqa.widgets.filtering.state import FilterState
from napari_tiqa.widgets.host.remembered import remember
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.derived_layer import derived_layer, insert_layer
from napari_tiqa.widgets.shared.dock_panel import DockPanel
from napari_tiqa.widgets.shared.forms import TAB_MARGINS, column
from napari_tiqa.widgets.shared.result_layers import unwrapped
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.wording import free_name

_SOON = 150  # ms after the last change, since looking at a disk may take a while
_NOTICED = 0.05  # s for a slice, beyond which napari is felt to stand still


class FilterApplyTab(DockPanel):
    """Applies the pipeline of the dock to the whole volume."""

    def __init__(self, state: FilterState, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(viewer, parent)
        self.state = state
        self.form = ApplyForm()
        self.message = self.form.message
        self.show_job = BackgroundJob("filtering the volume")
        self.export_job = BackgroundJob("the export")
        self.open_job = BackgroundJob("opening the export")
        self._shown_for: SliceSource | None = None  # the source that the lazy layer is being made for
        self._exported: partial[Any] | None = None  # the last export, with its arguments
        self._proposed = ""
        self._place_of: Any = None  # the layer that a place was proposed for
        self._look_soon = QTimer(self, singleShot=True, interval=_SOON)
        self._look_soon.timeout.connect(self._look)
        column(self.form, parent=self, margins=TAB_MARGINS)
        self._connect()
        remember("apply", format=self.form.format_box)
        self._follow()

    def close_down(self) -> None:
        """End what is under way; an export can be resumed."""
        super().close_down()
        self._look_soon.stop()

    def _connect(self) -> None:
        form = self.form
        form.show_clicked.connect(self.show_filtered)
        form.run_row.start_clicked.connect(lambda: self.export())
        form.run_row.cancel_clicked.connect(self.export_job.cancel)
        form.open_clicked.connect(self.open_result)
        form.place_changed.connect(self._look_later)
        form.format_chosen.connect(self._on_format)
        self.state.pipeline_changed.connect(self._follow)
        self.state.source_changed.connect(self._follow)
        self.show_job.state_changed.connect(self._enable)
        self.show_job.ended.connect(self._on_shown)
        self.export_job.state_changed.connect(self._on_export_state)
        self.export_job.progressed.connect(self._on_progress)
        self.export_job.ended.connect(self._on_exported)
        self.open_job.ended.connect(self._on_opened)
        for job in (self.show_job, self.export_job, self.open_job):
            self._end_with_dock(job)
        self._subscribe(self._viewer.layers.events.removed, self._on_removed)

    def _on_removed(self, event: Any) -> None:
        layer = unwrapped(event.value)
        jobs = self.show_job, self.export_job
        if any(job.layer is layer for job in jobs) and not any(job.state.busy for job in jobs):
            self.message.forget_problem()

    # -- what is to be applied ---------------------------------------------------------------------

    def _follow(self, _changed: object = None) -> None:
        """Show what would be applied to what."""
        source = self.state.source
        self.form.summary.say(_summary(self.state))
        layer = source.layer if source else None
        if source is not None and layer is not self._place_of:
            self._place_of = layer
            self._propose_place()
        self._look_later()
        self._enable()

    def _enable(self, _state: object = None) -> None:
        ready = self.state.source is not None and any(step.on for step in self.state.pipeline.steps)
        self.form.show_button.setEnabled(ready and not self.show_job.state.busy)
        self.form.run_row.set_ready(ready and self.form.place.path is not None)

    def _options(self, source: SliceSource) -> dict[str, Any] | None:
        """Return how to apply the pipeline, None where the user does not want to apply it twice."""
        volume, pipeline = source.volume, self.state.pipeline
        record = earlier_record(pipeline, volume)
        if record is not None:
            question = (
                f"'{volume.name}' has been filtered with {pipeline.describe()} already "
                f"({record.get('created', 'date unknown')}).\n\nFilter it again?"
            )
            if not self._agrees("Filter twice", question):
                return None
        return {"axis": source.axis, "window": source.window, "again": record is not None}

    def _agrees(self, title: str, question: str) -> bool:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        return bool(QMessageBox.question(self, title, question, yes | no, no) == yes)

    # -- the lazy layer ----------------------------------------------------------------------------

    def show_filtered(self) -> None:
        """Add the filtered volume as a layer, whose slices are filtered when they are looked at."""
        source = self.state.source
        options = self._options(source) if source is not None else None
        if source is None or options is None:
            return
        self._shown_for = source
        self.message.say("Filtering the slice shown…")
        make = partial(filter_volume, source.volume, self.state.pipeline, **options)
        self.show_job.start(partial(_make_lazy, make, source.axis, source.index), source.layer)

    def _on_shown(self, outcome: JobOutcome) -> None:
        source, self._shown_for = self._shown_for, None
        if outcome.state is JobState.FAILED:
            self.message.complain(outcome.message, outcome.error)
            return
        if outcome.layer_gone:
            self.message.say(outcome.message, problem=True)
        if outcome.state is not JobState.DONE or source is None:
            return
        volume, seconds = outcome.result
        self._ask_for_async(seconds)
        layer = derived_layer(
            source.layer,
            volume.data,
            f"{source.layer_name} filtered",
            source.at,
            # Given, since napari would look for them in slices that are not filtered yet.
            contrast_limits=source.layer.contrast_limits,
            colormap=source.layer.colormap,
            gamma=source.layer.gamma,
            interpolation2d=source.layer.interpolation2d,
            metadata={KEY: note(volume.applied, source=volume.source)},
        )
        insert_layer(self._viewer, layer)  # the dock stays with its source
        self.message.say(f"'{layer.name}' is filtered slice by slice as you view it; export it to keep it.")

    def _ask_for_async(self, seconds: float) -> None:
        """Offer to have napari wait for slow slices in the background."""
        experimental = get_settings().experimental
        if seconds < _NOTICED or experimental.async_:
            return
        question = (
            f"Filtering a slice takes {seconds:.2g} s, and napari stands still while it waits for one.\n\n"
            "Switch on napari's asynchronous slicing (File > Preferences, Experimental), so that slices "
            "appear when they are ready?"
        )
        if self._agrees("Slow slices", question):
            experimental.async_ = True

    # -- the export --------------------------------------------------------------------------------

    def _propose_place(self) -> None:
        """Propose a free name beside the volume, unless the user has typed a place."""
        source, form = self.state.source, self.form
        if source is None or (form.place.path is not None and str(form.place.path) != self._proposed):
            return
        stored = stored_at(source.volume)
        folder = stored.parent if stored is not None else Path.home()
        name = "".join(c if c.isalnum() or c in " -_" else "_" for c in source.layer_name) or "volume"
        suffix = FORMATS[form.format].suffixes[0]
        taken = {path.name for path in folder.glob("*")}
        path = folder / free_name(f"{name}_filtered{suffix}", taken, f"{name}_filtered_{{number}}{suffix}")
        self._proposed = str(path)
        form.place.set_path(path)

    def _on_format(self) -> None:
        """Change the end of the name with the format."""
        path = self.form.place.path
        if path is None or str(path) == self._proposed:
            self._propose_place()
            return
        ends = {end for item in FORMATS.values() for end in item.suffixes}
        stem = path.with_suffix("") if path.suffix.lower() in ends else path
        self.form.place.set_path(f"{stem}{FORMATS[self.form.format].suffixes[0]}")

    def _look_later(self) -> None:
        self._look_soon.start()

    def _look(self) -> None:
        """Say how large the export will be, and whether it resumes one that was interrupted."""
        source, path, format = self.state.source, self.form.place.path, self.form.format
        export_button = self.form.run_row.start_button
        export_button.setText("Export")
        self._enable()
        if source is None or path is None:
            self.form.facts.say("")
            return
        try:
            check_format(source.volume, source.axis, format)
            format_for(path, format)
            sentence = f"At most {size_text(export_size(source.volume, format))}"
            sentence += f"; {size_text(free_space(path))} are free."
        except TiqaError as error:
            self.form.facts.say(str(error), problem=True)
            self.form.run_row.set_ready(False)
            return
        if self._can_resume(source, path):
            count = source.volume.slice_count(source.axis)
            export_button.setText("Resume")
            sentence += f" {done_slices(path)} of {count} slices are already written."
        elif path.exists():
            sentence += " Something of that name already exists."
        self.form.facts.say(sentence)

    def _can_resume(self, source: SliceSource, path: Path) -> bool:
        """Tell whether a place has an unfinished export that looks like this one; the export looks closer."""
        plan = read_plan(path)
        record = plan.get("record") if plan is not None else None
        if plan is None or not isinstance(record, dict) or plan.get("format") != self.form.format:
            return False
        same = record.get("volume") == source.volume.name and record.get("axis") == source.axis
        return (
            same
            and earlier_record(self.state.pipeline, replace(source.volume, applied=(record,))) is not None
        )

    def export(self, *, overwrite: bool = False) -> None:
        """Start the export, or resume one."""
        source, path = self.state.source, self.form.place.path
        if source is None or path is None:
            return
        options = self._options(source)
        if options is not None:
            options |= {"format": self.form.format, "overwrite": overwrite}
            self._start(partial(_export, source.volume, self.state.pipeline, path, **options), source.layer)

    def _start(self, request: "partial[Any]", layer: Layer) -> None:
        if self.export_job.run(request, layer):
            self._exported = request

    def _on_export_state(self, state: JobState) -> None:
        self.form.show_state(state)
        self._enable()

    def _on_progress(self, progress: Progress) -> None:
        if self.export_job.state is JobState.RUNNING:
            self.form.run_row.show_progress(
                progress, f"{progress.done} of {progress.total} slices are written."
            )

    def _on_exported(self, outcome: JobOutcome) -> None:
        request = self._exported
        assert request is not None
        output: Path = request.args[2]
        self._look_later()
        if isinstance(outcome.result, ExportError):
            self.message.say("")
            if self._agrees("Replace", _question_of_replacing(output)):
                self._start(partial(request, overwrite=True), outcome.layer)
        elif outcome.state is JobState.DONE:
            self.message.say(f"Exported {outcome.result['steps']} to {output}.")
            self.form.open_button.show()
        elif outcome.state is JobState.CANCELLED:
            self.message.say(outcome.message, problem=outcome.layer_gone)
        else:
            self.message.complain(outcome.message, outcome.error)

    # -- the result --------------------------------------------------------------------------------

    def open_result(self) -> None:
        """Add the exported volume as a layer."""
        if self._exported is not None:
            self.open_job.start(partial(_open, self._exported.args[2]))

    def _on_opened(self, outcome: JobOutcome) -> None:
        if outcome.state is JobState.DONE:
            for data, keywords, kind in outcome.result:
                insert_layer(self._viewer, Layer.create(data, keywords, kind))
        elif outcome.state is JobState.FAILED:
            self.message.complain(outcome.message, outcome.error)


def _summary(state: FilterState) -> str:
    """Say what is applied to what."""
    source = state.source
    if source is None:
        return "There is no volume to filter: open a tomogram and choose its layer above."
    if not any(step.on for step in state.pipeline.steps):
        return "The pipeline has no step that is on: add filters in the Steps tab."
    count = source.volume.slice_count(source.axis)
    slices = f"{count} slices along {source.volume.axes[source.axis]}" if count > 1 else "the image"
    sentence = f"{state.pipeline.describe()} on {slices} of '{source.layer_name}'."
    before = [str(record.get("steps")) for record in source.volume.applied]
    return f"{sentence}\n⚠ It was filtered before: {'; then '.join(before)}." if before else sentence


def _question_of_replacing(output: Path) -> str:
    if output.exists():
        return f"There is an earlier export at {output}.\n\nReplace it?"
    return (
        f"There is an unfinished export of another volume or with other settings at {output}.\n\n"
        "Discard it and start again?"
    )


def _make_lazy(make: Callable[[], Volume], axis: int, index: int, *_: object) -> tuple[Volume, float]:
    """Return the lazily filtered volume, the slice shown ready in it, and the seconds that a slice takes."""
    filtered = make()
    neighbour = index - 1 if index else min(1, filtered.slice_count(axis) - 1)
    seconds = []
    for place in (index, neighbour):  # two, since the first may have had to wait for a disk or an import
        start = time.monotonic()
        filtered.slice(axis, place)
        seconds.append(time.monotonic() - start)
    return filtered, min(seconds)


def _export(*arguments: Any, **options: Any) -> dict[str, Any] | ExportError:
    """Export; where the user may want to replace what is in the way, the error is returned."""
    try:
        return export(*arguments, **options)
    except ExportError as error:
        if error.replaceable:
            return error
        raise


def _open(path: Path, *_: object) -> list[LayerData]:
    """Open an exported volume as napari's File > Open does; reads a few slices for the contrast limits."""
    return read_layer(str(path))
