"""The form of the rating dock that says which images are rated: cut from open layers, or in a folder."""

import re
from datetime import date
from pathlib import Path
from typing import Any

from napari.layers import Image
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSpinBox,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_tiqa.errors import RatingError
from napari_tiqa.learning.ratings.images import ImageSource
from napari_tiqa.learning.ratings.session_files import REPEAT_SHARE
from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.file_row import FileRow
from napari_tiqa.widgets.shared.job_bar import JobBar
from napari_tiqa.widgets.shared.read_layer import read_layer
from napari_tiqa.widgets.shared.result_layers import is_original
from napari_tiqa.widgets.shared.slider import layer_position

_LAYERS, _FOLDER = "Open layers", "A folder of images, or an earlier session"
_WHOLE = "whole slices"
_CROPS = (224, 448, 896)  # px
_LAYER = Qt.ItemDataRole.UserRole
_KEPT_IN = Path("~/napari-tiqa/ratings")


class RatingForm(QWidget):
    """Choices that a rating session is begun with."""

    begin_clicked = Signal()
    cancel_clicked = Signal()

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._own_place = False  # the user has chosen where to keep the images
        self.origin_box = QComboBox()
        self.origin_box.addItems([_LAYERS, _FOLDER])
        self.origin_box.setToolTip("Where the images to rate come from.")
        self.layer_list = _LayerList()
        self.axis_box = QComboBox()
        self.axis_box.addItems(["z", "y", "x"])
        self.axis_box.setToolTip("Slices are cut across this axis of each tomogram.")
        self.count_box = QSpinBox()
        self.count_box.setRange(1, 1000)
        self.count_box.setValue(12)
        self.count_box.setToolTip("How many images of each layer, spread evenly along the axis.")
        self.crop_box = QComboBox()
        self.crop_box.addItem(_WHOLE, None)
        for side in _CROPS:
            self.crop_box.addItem(f"crops of {side} px", side)
        self.crop_box.setToolTip(
            "Whole slices, as the model judges them, or squares cut from them at random at native resolution."
        )
        self.repeat_box = QSpinBox()
        self.repeat_box.setRange(0, 100)
        self.repeat_box.setValue(round(100 * REPEAT_SHARE))
        self.repeat_box.setSuffix(" % of the images")
        self.repeat_box.setToolTip(
            "Each rater sees this share a second time, unannounced: how steady a rater is."
        )
        self.place = FileRow(
            self._ask_folder, "a new folder", "A new folder for the images and everybody's ratings of them."
        )
        self.folder = FileRow(
            self._ask_folder,
            "a folder",
            "A folder of 8-bit grey images (TIFF, PNG, JPEG), or one that was rated before, to go on with.",
        )
        self.begin_button = QPushButton()
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Stop preparing the images; nothing is kept.")
        self.bar = JobBar("Slices read so far.")
        self._lay_out()
        self.origin_box.currentTextChanged.connect(lambda _: self._show_origin())
        self.layer_list.itemChanged.connect(lambda *_: self._on_choice())
        self.count_box.valueChanged.connect(lambda _: self._on_choice())
        self.crop_box.currentIndexChanged.connect(lambda _: self._on_choice())
        self.axis_box.currentIndexChanged.connect(lambda _: self._on_choice())
        self.place.edited.connect(self._on_place_edited)
        self.begin_button.clicked.connect(self.begin_clicked)
        self.cancel_button.clicked.connect(self.cancel_clicked)
        self.reset_choices()
        self.show_state(JobState.IDLE)
        self._show_origin()

    # -- what the form says ------------------------------------------------------------------------

    @property
    def from_folder(self) -> bool:
        """Whether images of a folder are rated, in place of slices of layers."""
        return self.origin_box.currentText() == _FOLDER

    @property
    def repeat_share(self) -> float:
        """Share of the images shown twice."""
        return self.repeat_box.value() / 100

    def chosen_folder(self) -> Path:
        """Return the folder to rate, or the one to keep slices in.

        Raises
        ------
        RatingError
            None was given.
        """
        path = self.folder.path if self.from_folder else self.place.path
        if path is None:
            what = "of the images" if self.from_folder else "to keep the images in"
            raise RatingError(f"There is no folder {what} yet: choose one.")
        return path

    def image_sources(self) -> list[ImageSource]:
        """Return where images are cut from.

        Raises
        ------
        RatingError
            No layer is ticked.
        VolumeError
            A layer is no grey image.
        """
        layers = self.layer_list.ticked()
        if not layers:
            raise RatingError("No layer is ticked: open a tomogram and tick it, or rate a folder of images.")
        sources = []
        for layer in layers:
            axis = self.axis_box.currentIndex() if layer.ndim > 2 else 0
            volume = read_layer(layer, layer_position(self._viewer, layer))
            crop = self.crop_box.currentData()
            sources.append(ImageSource(volume, axis, self.count_box.value(), crop))
        return sources

    # -- what the dock tells the form --------------------------------------------------------------

    def reset_choices(self) -> None:
        """Follow the viewer's layer list."""
        # napari's own list has the topmost layer first.
        self.layer_list.show_layers([layer for layer in self._viewer.layers[::-1] if is_original(layer)])
        self._on_choice()

    def show_state(self, state: JobState) -> None:
        """Enable what can be done in a state, and nothing else."""
        self.begin_button.setEnabled(not state.busy)
        self.cancel_button.setVisible(state.busy)
        self.cancel_button.setEnabled(state.cancellable)
        self.bar.show_state(state)

    def show_progress(self, done: int, total: int) -> None:
        """Show slices read."""
        self.bar.show_done(done, total, f"{done} of {total} slices")

    def _show_origin(self) -> None:
        for row in self._rows_of_layers:
            row.setVisible(not self.from_folder)
        for row in self._rows_of_folder:
            row.setVisible(self.from_folder)
        self._on_choice()
        self.begin_button.setToolTip(
            "Take the images of this folder; ratings are kept in it."
            if self.from_folder
            else "Cut the images from the ticked layers, each tomogram in one intensity window."
        )

    def _on_choice(self) -> None:
        self._suggest_place()
        count = sum(self._image_count(layer) for layer in self.layer_list.ticked())
        images = f"{count} image{'s' * (count != 1)}"
        self.begin_button.setText("Open this folder" if self.from_folder else f"Prepare {images}")

    def _image_count(self, layer: Image) -> int:
        asked = self.count_box.value()
        if self.crop_box.currentData() is not None:
            return asked
        return min(asked, _shape(layer)[-3:][self.axis_box.currentIndex()]) if layer.ndim > 2 else 1

    def _suggest_place(self) -> None:
        layers = self.layer_list.ticked()
        if self._own_place or not layers:
            return
        stem = re.sub(r"[^\w\-]+", " ", layers[0].name).strip() or "images"
        base = f"{stem} {date.today().isoformat()}"
        name, number = base, 1
        while (_KEPT_IN / name).expanduser().exists():
            number += 1
            name = f"{base} ({number})"
        self.place.set_path(_KEPT_IN / name)

    def suggest_new_place(self) -> None:
        """Offer another folder: the last one is in use now."""
        self._own_place = False
        self._suggest_place()

    def _on_place_edited(self) -> None:
        self._own_place = True

    def _ask_folder(self) -> str:
        return QFileDialog.getExistingDirectory(self, "Choose a folder")

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(8)
        form.setVerticalSpacing(5)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        how = QWidget()
        row = QHBoxLayout(how)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.count_box)
        row.addWidget(QLabel("across"))
        row.addWidget(self.axis_box)
        row.addStretch(1)
        form.addRow("Images from", self.origin_box)
        self._rows_of_layers: list[QWidget] = []
        self._rows_of_folder: list[QWidget] = []
        for text, field, rows in (
            ("Layers", self.layer_list, self._rows_of_layers),
            ("Of each", how, self._rows_of_layers),
            ("Show", self.crop_box, self._rows_of_layers),
            ("Folder", self.folder, self._rows_of_folder),
            ("Keep in", self.place, self._rows_of_layers),
        ):
            label = QLabel(text)
            form.addRow(label, field)
            rows += [label, field]
        form.addRow("Shown twice", self.repeat_box)
        buttons = QHBoxLayout()
        buttons.addWidget(self.begin_button, 2)
        buttons.addWidget(self.bar, 3)
        buttons.addWidget(self.cancel_button, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(form)
        layout.addLayout(buttons)


class _LayerList(QTreeWidget):
    """Image layers with a tick each."""

    def __init__(self) -> None:
        super().__init__()
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.setToolTip("Tick the layers that images are cut from; raters do not learn which is which.")

    def sizeHint(self) -> QSize:
        """Return a height of four rows."""
        return QSize(200, 92)

    def show_layers(self, layers: list[Image]) -> None:
        """List these layers; new ones are ticked, the others keep their ticks."""
        unticked = {
            item.data(0, _LAYER).unique_id
            for item in self._items()
            if item.checkState(0) == Qt.CheckState.Unchecked
        }
        blocked = self.blockSignals(True)
        self.clear()
        for layer in layers:
            item = QTreeWidgetItem([layer.name, " × ".join(map(str, _shape(layer)))])
            item.setData(0, _LAYER, layer)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            ticked = layer.unique_id not in unticked
            item.setCheckState(0, Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
            self.addTopLevelItem(item)
        self.blockSignals(blocked)

    def ticked(self) -> list[Image]:
        """Return the ticked layers, in the order of the list."""
        items = [item for item in self._items() if item.checkState(0) == Qt.CheckState.Checked]
        layers = [item.data(0, _LAYER) for item in items]
        return [getattr(layer, "__wrapped__", layer) for layer in layers]

    def _items(self) -> list[QTreeWidgetItem]:
        return [self.topLevelItem(row) for row in range(self.topLevelItemCount())]


def _shape(layer: Image) -> tuple[int, ...]:
    return (layer.data[0] if layer.multiscale else layer.data).shape[: layer.ndim]
