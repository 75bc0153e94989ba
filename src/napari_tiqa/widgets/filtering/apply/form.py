"""The Apply tab's widgets: what will be filtered, the lazy layer, the export and its result."""

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QGroupBox, QWidget

from napari_tiqa.volumes.writing.formats import FORMATS
from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.file_row import FileRow
from napari_tiqa.widgets.shared.forms import SPACING, STRETCH, button, choice_box, column, form_layout
from napari_tiqa.widgets.shared.run_row import RunRow
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel

_FORMAT_TOOLTIPS = {
    "ome-zarr": "A folder that holds any volume, compressed without loss, with smaller versions for\n"
    "display; napari, Fiji and neuroglancer open it.",
    "tiff": "A TIFF file that ImageJ opens with its voxel size; above 4 GB, an OME BigTIFF.",
    "tiff-slices": "A folder with a TIFF file for each slice, as reconstruction programs write them.",
}


class ApplyForm(QWidget):
    """Shows what is to be applied and exported; decides nothing."""

    show_clicked = Signal()
    open_clicked = Signal()
    place_changed = Signal()
    format_chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.summary = SentenceLabel("What will be applied to which slices.")
        self.show_button = button(
            "Show filtered volume",
            "Add the whole filtered volume as a layer at once: a slice is filtered when it is looked at,\n"
            "and nothing is stored.",
            self.show_clicked.emit,
        )
        self.format_box = choice_box(
            ((item.title, name, _FORMAT_TOOLTIPS[name]) for name, item in FORMATS.items()),
            "\n".join(_FORMAT_TOOLTIPS.values()),
        )
        self.place = FileRow(
            self._ask_place,
            "Where to export to",
            "The file or folder to write; the volume itself is not changed.",
        )
        self.facts = SentenceLabel("How large the export will be, and what is there already.", lines=2)
        self.run_row = RunRow(
            "Export",
            "Filter all slices and store them with\nvoxel size, pipeline and intensity window.",
            "Stop; the slices that are written stay, and Resume continues with the others.",
            parts="slices",
            message_tooltip="What the tab is doing, and how the last export ended.",
            starting="Checking the volume…",
            stopping="Stopping once the slices in progress are written…",
        )
        self.message = self.run_row.message
        self.open_button = button(
            "Open the result", "Add the exported volume as a layer, to score it.", self.open_clicked.emit
        )
        self.open_button.hide()
        box = QGroupBox("Export")
        export = form_layout(("Format", self.format_box), ("Place", self.place), self.facts, self.run_row)
        box.setLayout(export)
        export.setContentsMargins(*[2 * SPACING] * 4)
        # The message is about the lazy layer as well, so it stands below the box.
        column(self.summary, self.show_button, box, self.message, self.open_button, STRETCH, parent=self)
        self.place.changed.connect(self.place_changed)
        self.format_box.activated.connect(lambda _: self.format_chosen.emit())

    @property
    def format(self) -> str:
        """The name of the chosen format."""
        return str(self.format_box.currentData())

    def show_state(self, state: JobState) -> None:
        """Follow the export."""
        self.run_row.show_state(state)
        self.format_box.setEnabled(not state.busy)
        self.place.setEnabled(not state.busy)
        if state is JobState.STARTING:
            self.open_button.hide()

    def _ask_place(self) -> str:
        path, _ = QFileDialog.getSaveFileName(
            self,
            "Export the filtered volume",
            str(self.place.path or Path.home()),
            # Whether to replace what is there is asked when it is known what that is.
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        return path
