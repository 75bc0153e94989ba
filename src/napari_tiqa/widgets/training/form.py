"""The form of the training dock: which originals and ratings to learn from, how, and where the model goes."""

from enum import StrEnum
from pathlib import Path
from typing import Any

from napari.layers import Image
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from napari_tiqa.learning.images.observers import OBSERVER_SETS, OBSERVERS
from napari_tiqa.learning.ratings.session_files import RATINGS_FILE, is_session
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.widgets.shared.file_row import FileRow
from napari_tiqa.widgets.shared.forms import button, form_layout, row
from napari_tiqa.widgets.shared.result_layers import is_original, unwrapped
from napari_tiqa.widgets.shared.setting_rows import SettingBoxes
from napari_tiqa.widgets.training.model_output import ModelOutput

_DEFAULTS = TrainingRecipe(originals=("-",), slices=12)
_SETTINGS = (
    *("slices", "backbone", "scale"),
    *("ranking_epochs", "regression_epochs", "validation_share", "seed"),
)
_LIST_HEIGHT = 76  # px: three or four rows
_NO_RATINGS = "none: every original counts as a 5"
_BETWEEN = "; "  # the paths of several tables of ratings
_IMAGE_FILES = (
    "Images and tomograms (*.tif *.tiff *.btf *.tf8 *.h5 *.hdf5 *.hdf *.nxs *.npy *.mrc *.rec *.map)"
)


class Source(StrEnum):
    """Where the originals are."""

    LAYERS = "Open layers"
    FILES = "Files"
    FOLDER = "Folder or rated session"


class TrainingForm(QWidget):
    """Choices that a training is started with."""

    changed = Signal()

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.settings = SettingBoxes(_DEFAULTS, _SETTINGS, self)
        self.settings.changed.connect(self.changed)
        self._make_originals()
        self._make_ratings()
        self.output = ModelOutput("my model")
        self._make_advanced()
        self._lay_out()
        self.reset_choices()
        self._show_source()

    # -- what the form says ------------------------------------------------------------------------

    @property
    def source(self) -> Source:
        """Where the originals are taken from."""
        return Source(self.source_box.currentText())

    @property
    def layers(self) -> list[Image]:
        """The ticked layers, where originals come from layers."""
        if self.source is not Source.LAYERS:
            return []
        return [layer for item, layer in self._layer_items() if item.checkState() is Qt.CheckState.Checked]

    @property
    def chosen(self) -> int:
        """Which of the originals is selected, the first where none is; its versions are shown by Preview."""
        if self.source is Source.LAYERS:
            selected = self.layer_list.currentItem()
            rows = [item for item, layer in self._layer_items() if layer in self.layers]
            return rows.index(selected) if selected in rows else 0
        return max(self.file_list.currentRow(), 0) if self.source is Source.FILES else 0

    @property
    def paths(self) -> tuple[str, ...]:
        """The chosen files, or the folder; empty where originals come from layers."""
        if self.source is Source.FILES:
            return tuple(self.file_list.item(row).text() for row in range(self.file_list.count()))
        folder = self.folder.line.text().strip()
        return (folder,) if self.source is Source.FOLDER and folder else ()

    @property
    def ratings(self) -> tuple[str, ...]:
        """The chosen tables of ratings, and the one of a rated session folder."""
        typed = self.ratings_row.line.text().split(_BETWEEN)
        chosen = tuple(path.strip() for path in typed if path.strip())
        found = self._found_ratings()
        return (str(found), *(path for path in chosen if Path(path) != found)) if found else chosen

    def recipe(self, originals: tuple[str, ...] | None = None) -> TrainingRecipe:
        """Return all that the training's result depends on.

        Parameters
        ----------
        originals : tuple of str, optional
            Files to learn from instead of the chosen ones: where slices of layers will be written.

        Raises
        ------
        TrainingError
            A choice that no training can be started with.
        """
        return TrainingRecipe(
            originals=self.paths if originals is None else originals,
            ratings=self.ratings,
            observers=tuple(name for name, box in self.observers.items() if box.isChecked()),
            **self.settings.values(),
        )

    # -- what the dock tells the form --------------------------------------------------------------

    def reset_choices(self) -> None:
        """Follow the viewer's layer list; ticks stay, new layers are ticked."""
        unticked = {
            layer.unique_id
            for item, layer in self._layer_items()
            if item.checkState() is not Qt.CheckState.Checked
        }
        layers = [unwrapped(layer) for layer in reversed(self._viewer.layers)]  # the top one first
        self.layer_list.blockSignals(True)
        self.layer_list.clear()
        for layer in layers:
            if not is_original(layer):
                continue
            item = QListWidgetItem(layer.name)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            ticked = layer.unique_id not in unticked
            item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
            item.setData(Qt.ItemDataRole.UserRole, layer)
            self.layer_list.addItem(item)
        self.layer_list.blockSignals(False)
        self.changed.emit()

    def allow_changes(self, allowed: bool) -> None:
        """Freeze the form while a training uses it."""
        self.setEnabled(allowed)

    # -- making it ---------------------------------------------------------------------------------

    def _make_originals(self) -> None:
        self.source_box = QComboBox()
        self.source_box.addItems([str(source) for source in Source])
        self.source_box.setToolTip(
            "Originals are good images; the training makes the bad ones from them.\n"
            "A rated session is what the rating dock keeps: its images and its ratings.csv."
        )
        self.layer_list = QListWidget()
        self.layer_list.setToolTip(
            "Tick the layers to learn from. Each counts as one specimen: its slices are never\n"
            "split between training and validation."
        )
        self.file_list = QListWidget()
        self.file_list.setToolTip("Images and tomograms to learn from; each file counts as one specimen.")
        for list_widget in (self.layer_list, self.file_list):
            list_widget.setFixedHeight(_LIST_HEIGHT)
            list_widget.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            list_widget.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.file_list.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.add_files = button("Add files…", "Choose images or tomograms.", self._ask_files)
        self.remove_files = button("Remove", "Take the selected files off the list.", self._remove_files)
        self.folder = FileRow(
            lambda: QFileDialog.getExistingDirectory(self, "Folder of originals"),
            "a folder of images, or a rated session",
            "A folder of images, a folder that was rated in the rating dock, or a dataset.",
        )
        self._pages = {
            Source.LAYERS: self.layer_list,
            Source.FILES: self._files_page(),
            Source.FOLDER: self.folder,
        }
        self.source_box.currentIndexChanged.connect(self._show_source)
        self.layer_list.itemChanged.connect(self.changed)
        self.layer_list.itemSelectionChanged.connect(self.changed)
        self.folder.changed.connect(self.changed)

    def _files_page(self) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.file_list)
        layout.addWidget(row(self.add_files, self.remove_files))
        return page

    def _make_ratings(self) -> None:
        self.ratings_row = FileRow(
            self._ask_ratings,
            _NO_RATINGS,
            "What people said of the originals: CSV files (image, rater, score, time), several\n"
            f"separated by '{_BETWEEN.strip()}'. Those of a rated session are found by themselves.",
        )
        self.ratings_row.changed.connect(self.changed)
        self.changed.connect(self._say_what_ratings_there_are)

    def _make_advanced(self) -> None:
        self.observer_set = QComboBox()
        self.observer_set.addItems([*OBSERVER_SETS, "chosen below"])
        self.observer_set.setToolTip(
            "Which full-reference metrics label the distorted images in place of people: those named\n"
            "in the paper, those of the authors' 2020 report, or the ones ticked below."
        )
        self.observers = {name: QCheckBox(name) for name in OBSERVERS}
        for name, box in self.observers.items():
            box.setToolTip(f"Let {name} have a vote on the labels.")
            box.toggled.connect(self._name_observer_set)
        self.observer_set.currentTextChanged.connect(self._tick_observer_set)
        self._tick_observer_set(self.observer_set.currentText())

    def _advanced_page(self) -> QWidget:
        page = QWidget()
        boxes = QWidget()
        grid = QGridLayout(boxes)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        for place, box in enumerate(self.observers.values()):
            grid.addWidget(box, *divmod(place, 3))
        backbone, *others = self.settings.rows(*_SETTINGS[1:])
        form_layout(backbone, ("Observers", self.observer_set), ("", boxes), *others, parent=page)
        return page

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        top = QWidget()
        self._top = form = form_layout(parent=top)
        form.addRow("Originals", self.source_box)
        for page in self._pages.values():
            form.addRow("", page)
        form.addRow(*self.settings.rows("slices")[0])
        form.addRow("Ratings", self.ratings_row)
        form.addRow("Save model to", self.output)
        layout.addWidget(top)
        self.advanced = QCollapsible("Advanced")
        self.advanced.setDuration(0)
        self.advanced.toggleButton().setToolTip(
            "Backbone, observers, scale, epochs, seed: the defaults are the paper's."
        )
        self.advanced.layout().setContentsMargins(0, 0, 0, 0)
        self.advanced.addWidget(self._advanced_page())
        layout.addWidget(self.advanced)
        for box in (self.source_box, self.observer_set):
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    # -- reactions ---------------------------------------------------------------------------------

    def _show_source(self) -> None:
        for source, page in self._pages.items():
            self._top.setRowVisible(page, source is self.source)
        self.changed.emit()

    def _tick_observer_set(self, name: str) -> None:
        if name in OBSERVER_SETS:
            for observer, box in self.observers.items():
                box.blockSignals(True)
                box.setChecked(observer in OBSERVER_SETS[name])
                box.blockSignals(False)

    def _name_observer_set(self) -> None:
        ticked = {name for name, box in self.observers.items() if box.isChecked()}
        names = [name for name, members in OBSERVER_SETS.items() if set(members) == ticked]
        self.observer_set.setCurrentText(names[0] if names else "chosen below")

    def _say_what_ratings_there_are(self) -> None:
        found = self._found_ratings()
        there_are = f"those of the session, {found.name}" if found else _NO_RATINGS
        self.ratings_row.line.setPlaceholderText(there_are)

    def _found_ratings(self) -> Path | None:
        """Return the ratings of a rated session folder."""
        if self.source is not Source.FOLDER or not self.paths:
            return None
        folder = Path(self.paths[0]).expanduser().absolute()
        ratings = folder / RATINGS_FILE
        return ratings if is_session(folder) and ratings.is_file() else None

    def _layer_items(self) -> list[tuple[QListWidgetItem, Image]]:
        items = [self.layer_list.item(row) for row in range(self.layer_list.count())]
        return [(item, item.data(Qt.ItemDataRole.UserRole)) for item in items]

    def _ask_ratings(self) -> str:
        return _BETWEEN.join(QFileDialog.getOpenFileNames(self, "Ratings", "", "Ratings (*.csv)")[0])

    def _ask_files(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Originals", "", f"{_IMAGE_FILES};;All files (*)")
        self.add_paths(paths)

    def add_paths(self, paths: list[str]) -> None:
        """Add files to the list, each once."""
        there = set(self.paths)
        self.file_list.addItems([path for path in dict.fromkeys(paths) if path not in there])
        self.changed.emit()

    def _remove_files(self) -> None:
        for item in self.file_list.selectedItems():
            self.file_list.takeItem(self.file_list.row(item))
        self.changed.emit()
