"""The form of the rating dock that says which images are rated: cut from open layers, or in a folder."""

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from napari.layers import Image
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QLabel, QWidget

from napari_tiqa.errors import RatingError
from napari_tiqa.learning.ratings.images import ImageSource
from napari_tiqa.learning.ratings.session_files import REPEAT_SHARE
from napari_tiqa.widgets.shared.file_row import FileRow
from napari_tiqa.widgets.shared.flat_tree import LayerList
from napari_tiqa.widgets.shared.forms import choice_box, column, form_layout, line, spin_box
from napari_tiqa.widgets.shared.read_layer import read_layer
from napari_tiqa.widgets.shared.result_layers import no_original
from napari_tiqa.widgets.shared.run_row import RunRow
from napari_tiqa.widgets.shared.slider import layer_position, layer_shape
from napari_tiqa.wording import counted, free_path

_LAYERS, _FOLDER = "Open layers", "A folder of images, or an earlier session"
_CROPS = (224, 448, 896)  # px
_KEPT_IN = Path("~/napari-tiqa/ratings")


class RatingForm(QWidget):
    """Choices that a rating session is begun with."""

    changed = Signal()

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._own_place = False  # the user has chosen where to keep the images
        self.origin_box = choice_box(
            [(_LAYERS, None), (_FOLDER, None)], "Where the images to rate come from."
        )
        self.layer_list = LayerList(
            "Tick the layers that images are cut from; raters do not learn which is which.", "rate", rows=4
        )
        self.axis_box = choice_box(
            [("z", 0), ("y", 1), ("x", 2)], "Slices are cut across this axis of each tomogram."
        )
        self.count_box = spin_box(
            12, 1, 1000, "Number of images from each layer, spread evenly along the axis."
        )
        self.crop_box = choice_box(
            [("whole slices", None), *((f"crops of {side} px", side) for side in _CROPS)],
            "Whole slices, as the model judges them, or squares cut out at random at native resolution.",
        )
        self.repeat_box = spin_box(
            round(100 * REPEAT_SHARE),
            0,
            100,
            "Each rater sees this share a second time, unannounced, to measure how consistent the rater is.",
            " % of the images",
        )
        self.place = FileRow(
            self._ask_folder, "a new folder", "A new folder for the images and all ratings of them."
        )
        self.folder = FileRow(
            self._ask_folder,
            "a folder",
            "A folder of 8-bit grey images (TIFF, PNG, JPEG), or one that was rated before, to continue.",
        )
        self.run = RunRow(
            "",
            "",
            "Stop preparing the images; nothing is kept.",
            parts="slices",
            message_tooltip="What the dock is doing, and what went wrong.",
            lines=0,
        )
        self._lay_out()
        self.origin_box.currentTextChanged.connect(lambda _: self._show_origin())
        self.layer_list.changed.connect(self._on_choice)
        self.count_box.valueChanged.connect(lambda _: self._on_choice())
        for box in (self.crop_box, self.axis_box):
            box.currentIndexChanged.connect(lambda _: self._on_choice())
        self.place.edited.connect(self._on_place_edited)
        for row in (self.place, self.folder):
            row.changed.connect(self.changed)
        self.reset_choices()
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
        """Return the folder to rate, or the one to keep slices in; RatingError if none was given."""
        path = self.folder.path if self.from_folder else self.place.path
        if path is None:
            purpose = "of images to rate" if self.from_folder else "to keep the images in"
            raise RatingError(f"No folder {purpose} is chosen yet: choose one.")
        return path

    def image_sources(self) -> list[ImageSource]:
        """Return where images are cut from.

        Raises RatingError where no layer is ticked, VolumeError where one cannot be read.
        """
        layers = self.layer_list.ticked()
        if not layers:
            if not self.layer_list.values():
                raise RatingError(no_original("rate"))
            raise RatingError("No layer is ticked: tick one, or rate a folder of images.")
        sources = []
        for layer in layers:
            axis = self.axis_box.currentData() if layer.ndim > 2 else 0
            volume = read_layer(layer, layer_position(self._viewer, layer))
            crop = self.crop_box.currentData()
            sources.append(ImageSource(volume, axis, self.count_box.value(), crop))
        return sources

    # -- what the dock tells the form --------------------------------------------------------------

    def reset_choices(self) -> None:
        """Follow the viewer's layer list."""
        self.layer_list.follow(self._viewer)
        self._on_choice()

    def choose_layers(self, layers: Iterable[str]) -> None:
        """Rate slices of the layers with these ``unique_id`` and of no others."""
        self.origin_box.setCurrentText(_LAYERS)
        self.layer_list.tick_only(layers)

    def _show_origin(self) -> None:
        for field in self._fields_of_layers:
            self._form.setRowVisible(field, not self.from_folder)
        self._form.setRowVisible(self.folder, self.from_folder)
        self._on_choice()
        self.run.start_button.setToolTip(
            "Rate the images of this folder; ratings are kept in it."
            if self.from_folder
            else "Cut the images from the ticked layers, each tomogram in one intensity window."
        )

    def _on_choice(self) -> None:
        self._suggest_place()
        count = sum(self._image_count(layer) for layer in self.layer_list.ticked())
        images = counted(count, "image")
        self.run.start_button.setText("Open this folder" if self.from_folder else f"Prepare {images}")
        self.changed.emit()

    def _image_count(self, layer: Image) -> int:
        asked = self.count_box.value()
        if self.crop_box.currentData() is not None:
            return asked
        return min(asked, layer_shape(layer)[-3:][self.axis_box.currentData()]) if layer.ndim > 2 else 1

    def _suggest_place(self) -> None:
        layers = self.layer_list.ticked()
        if self._own_place or not layers:
            return
        stem = re.sub(r"[^\w\-]+", " ", layers[0].name).strip() or "images"
        folder = _KEPT_IN / f"{stem} {date.today().isoformat()}"
        self.place.set_path(free_path(folder, "{name} ({number})"))

    def suggest_new_place(self) -> None:
        """Offer another folder: the last one is in use now."""
        self._own_place = False
        self._suggest_place()

    def _on_place_edited(self) -> None:
        self._own_place = True

    def _ask_folder(self) -> str:
        return QFileDialog.getExistingDirectory(self, "Choose a folder")

    def _lay_out(self) -> None:
        count = line((self.count_box, 1), QLabel("across"), (self.axis_box, 1))
        self._fields_of_layers = (self.layer_list, count, self.crop_box, self.place)
        self._form = form_layout(
            ("Images from", self.origin_box),
            ("Layers", self.layer_list),
            ("Images per layer", count),
            ("Cut-out", self.crop_box),
            ("Folder", self.folder),
            ("Keep in", self.place),
            ("Shown twice", self.repeat_box),
        )
        column(self._form, self.run, parent=self)
