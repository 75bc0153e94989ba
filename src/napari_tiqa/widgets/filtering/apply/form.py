"""The Apply tab's widgets: what will be filtered, the lazy layer, format and place, progress, the result."""

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_tiqa.progress import Progress
from napari_tiqa.volumes.writing.formats import FORMATS
from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.file_row import FileRow
from napari_tiqa.widgets.shared.job_bar import JobBar, time_left
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel

_FORMAT_TOOLTIPS = {
    "ome-zarr": "A folder that holds any volume, compressed without loss, with smaller versions for\n"
    "display; napari, Fiji and neuroglancer open it.",
    "tiff": "A TIFF file that ImageJ opens with its voxel size; of more than 4 GB, an OME BigTIFF.",
    "tiff-slices": "A folder with a TIFF file for each slice, as reconstruction programs write them.",
}


class ApplyForm(QWidget):
    """Shows what is to be applied and exported; decides nothing."""

    show_clicked = Signal()
    export_clicked = Signal()
    cancel_clicked = Signal()
    open_clicked = Signal()
    place_changed = Signal()
    format_chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.summary = SentenceLabel("What will be applied to which slices.")
        self.show_button = QPushButton("Show filtered volume")
        self.show_button.setToolTip(
            "Add the whole filtered volume as a layer at once: a slice is filtered when it is looked at,\n"
            "and nothing is stored."
        )
        self.format_box = QComboBox()
        for name, one in FORMATS.items():
            self.format_box.addItem(one.title, name)
            self.format_box.setItemData(
                self.format_box.count() - 1, _FORMAT_TOOLTIPS[name], 3
            )  # 3: Qt's ToolTipRole
        self.format_box.setToolTip("\n".join(_FORMAT_TOOLTIPS.values()))
        self.format_box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.place = FileRow(
            self._ask_place,
            "Where to export to",
            "The file or folder to write; the volume itself is not changed.",
        )
        self.facts = SentenceLabel("How large the export will be, and what is there already.", lines=2)
        self.export_button = QPushButton("Export")
        self.export_button.setToolTip(
            "Filter all slices and store them with voxel size, pipeline and intensity window,\n"
            "beside anything else you do in napari."
        )
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip(
            "Stop; the slices that are written stay, and Resume goes on from there."
        )
        self.bar = JobBar("Slices written, and the time left.")
        self.message = SentenceLabel("What the tab is doing, and how the last export ended.", lines=2)
        self.open_button = QPushButton("Open the result")
        self.open_button.setToolTip("Add the exported volume as a layer, to score it.")
        self.open_button.hide()
        self._lay_out()
        self.show_button.clicked.connect(self.show_clicked)
        self.export_button.clicked.connect(self.export_clicked)
        self.cancel_button.clicked.connect(self.cancel_clicked)
        self.open_button.clicked.connect(self.open_clicked)
        self.place.changed.connect(self.place_changed)
        self.format_box.activated.connect(lambda _: self.format_chosen.emit())
        self.bar.hide()
        self.cancel_button.setEnabled(False)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.summary)
        layout.addWidget(self.show_button)
        box = QGroupBox("Export")
        inside = QVBoxLayout(box)
        inside.setSpacing(6)
        form = QFormLayout()
        form.setHorizontalSpacing(8)
        form.setVerticalSpacing(4)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Format", self.format_box)
        form.addRow("Place", self.place)
        inside.addLayout(form)
        inside.addWidget(self.facts)
        buttons = QHBoxLayout()
        buttons.addWidget(self.export_button, 1)
        buttons.addWidget(self.cancel_button, 1)
        inside.addLayout(buttons)
        inside.addWidget(self.bar)
        layout.addWidget(box)
        layout.addWidget(self.message)
        layout.addWidget(self.open_button)
        layout.addStretch(1)

    @property
    def format(self) -> str:
        """The name of the chosen format."""
        return str(self.format_box.currentData())

    def choose_format(self, name: str) -> None:
        """Choose a format by its name."""
        self.format_box.setCurrentIndex(self.format_box.findData(name))

    def show_state(self, state: JobState) -> None:
        """Follow the export."""
        self.bar.show_state(state)
        self.cancel_button.setEnabled(state.cancellable)
        self.format_box.setEnabled(not state.busy)
        self.place.setEnabled(not state.busy)
        if state is JobState.STARTING:
            self.open_button.hide()
            self.message.say("Looking at the volume…")
        elif state is JobState.CANCELLING:
            self.bar.setRange(0, 0)  # moves to and fro: how long is not known
            self.message.say("Stopping once the slices under way are written…")

    def show_progress(self, news: Progress) -> None:
        """Show how many slices are written."""
        self.bar.show_done(news.done, news.total, time_left(news.seconds_left))
        self.message.say(f"{news.done} of {news.total} slices are written.")

    def _ask_place(self) -> str:
        path, _ = QFileDialog.getSaveFileName(
            self,
            "Export the filtered volume",
            str(self.place.path or Path.home()),
            # Whether to replace what is there is asked when it is known what that is.
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        return path
