"""The form of the training dock: which originals and ratings to learn from, how, and where the model goes."""

from enum import StrEnum
from pathlib import Path
from typing import Any

from napari.layers import Image
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QGridLayout,
    QListWidget,
    QWidget,
)

from napari_tiqa.learning.images.observers import OBSERVER_SETS, OBSERVERS
from napari_tiqa.learning.ratings.session_files import RATINGS_FILE, is_session
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.widgets.shared.file_row import FileRow
from napari_tiqa.widgets.shared.flat_tree import LayerList
from napari_tiqa.widgets.shared.forms import (
    button,
    choice_box,
    collapsible,
    column,
    form_layout,
    page,
    quietly,
    row,
)
from napari_tiqa.widgets.shared.setting_rows import SettingBoxes
from napari_tiqa.widgets.training.model_output import ModelOutput
from napari_tiqa.wording import expanded

_DEFAULTS = TrainingRecipe(originals=("-",), slices=12)
_SETTINGS = (
    *("slices", "backbone", "scale"),
    *("ranking_epochs", "regression_epochs", "validation_share", "seed"),
)
_LIST_HEIGHT = 76  # px: three or four rows
_NO_RATINGS = "none: every original is rated 5"
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
        return Source(self.source_box.currentData())

    @property
    def layers(self) -> list[Image]:
        """The ticked layers, where originals come from layers."""
        return self.layer_list.ticked() if self.source is Source.LAYERS else []

    @property
    def chosen(self) -> int:
        """Which of the originals is selected, the first where none is; its versions are shown by Preview."""
        if self.source is Source.LAYERS:
            selected = self.layer_list.selected
            return self.layers.index(selected) if selected in self.layers else 0
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
        """Return all that the result depends on; `originals` are files to learn from instead of those chosen.

        Raises TrainingError for a choice that no training can be started with.
        """
        return TrainingRecipe(
            originals=self.paths if originals is None else originals,
            ratings=self.ratings,
            observers=tuple(name for name, box in self.observers.items() if box.isChecked()),
            **self.settings.values(),
        )

    # -- what the dock tells the form --------------------------------------------------------------

    def choose_folder(self, folder: Path) -> None:
        """Learn from a folder, such as a rated session."""
        self.source_box.setCurrentIndex(self.source_box.findData(Source.FOLDER))
        self.folder.set_path(folder)

    def reset_choices(self) -> None:
        """Follow the viewer's layer list; ticks stay, new layers are ticked."""
        self.layer_list.follow(self._viewer)
        self.changed.emit()

    # -- making it ---------------------------------------------------------------------------------

    def _make_originals(self) -> None:
        self.source_box = choice_box(
            [(str(source), source) for source in Source],
            "Originals are good images; the training makes the bad ones from them.\n"
            "A rated session is what the rating dock keeps: its images and its ratings.csv.",
        )
        self.layer_list = LayerList(
            "Tick the layers to learn from. Each counts as one specimen: its slices are never\n"
            "split between training and validation.",
            "learn from",
            rows=3.4,
        )
        self.file_list = QListWidget()
        self.file_list.setToolTip("Images and tomograms to learn from; each file counts as one specimen.")
        self.file_list.setFixedHeight(_LIST_HEIGHT)
        self.file_list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.file_list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.file_list.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.add_files = button("Add files…", "Choose images or tomograms.", self._ask_files)
        self.remove_files = button("Remove", "Remove the selected files from the list.", self._remove_files)
        self.folder = FileRow(
            lambda: QFileDialog.getExistingDirectory(self, "Folder of originals"),
            "a folder of images, or a rated session",
            "A folder of images, a folder that was rated in the rating dock, or a dataset.",
        )
        self._pages = {
            Source.LAYERS: self.layer_list,
            Source.FILES: page(self.file_list, row(self.add_files, self.remove_files)),
            Source.FOLDER: self.folder,
        }
        self.source_box.currentIndexChanged.connect(self._show_source)
        self.layer_list.changed.connect(self.changed)
        self.folder.changed.connect(self.changed)

    def _make_ratings(self) -> None:
        self.ratings_row = FileRow(
            self._ask_ratings,
            _NO_RATINGS,
            "People's ratings of the originals: CSV files (image, rater, score, time), several\n"
            f"separated by '{_BETWEEN.strip()}'. Those of a rated session are found automatically.",
        )
        self.ratings_row.changed.connect(self.changed)
        self.changed.connect(self._show_found_ratings)

    def _make_advanced(self) -> None:
        self.observer_set = choice_box(
            [(name, None) for name in (*OBSERVER_SETS, "chosen below")],
            "Which full-reference metrics label the distorted images in place of people: those named\n"
            "in the paper, those of the authors' 2020 report, or the ones ticked below.",
        )
        self.observers = {name: QCheckBox(_in_words(name)) for name in OBSERVERS}
        for name, box in self.observers.items():
            box.setToolTip(
                f"Let {_in_words(name)} take part in labelling the distorted images: it compares each with "
                f"its original, as an observer would ({name} in recipes and in the shell)."
            )
            box.toggled.connect(self._name_observer_set)
        self.observer_set.currentTextChanged.connect(self._tick_observer_set)
        self._tick_observer_set(self.observer_set.currentText())

    def _lay_out(self) -> None:
        self._top = form_layout(
            ("Originals", self.source_box),
            *(("", field) for field in self._pages.values()),
            *self.settings.rows("slices"),
            ("Ratings", self.ratings_row),
            ("Save model to", self.output),
        )
        boxes = QGridLayout()
        boxes.setVerticalSpacing(2)
        for place, box in enumerate(self.observers.values()):
            boxes.addWidget(box, *divmod(place, 3))
        backbone, *others = self.settings.rows(*_SETTINGS[1:])
        self.advanced = collapsible(
            "Advanced",
            "Backbone, metrics that label, scale, epochs, seed: the defaults are the paper's.",
            form_layout(backbone, ("Labels by", self.observer_set), ("", boxes), *others),
        )
        column(self._top, self.advanced, parent=self)

    # -- reactions ---------------------------------------------------------------------------------

    def _show_source(self) -> None:
        for source, field in self._pages.items():
            self._top.setRowVisible(field, source is self.source)
        self.changed.emit()

    def _tick_observer_set(self, name: str) -> None:
        if name in OBSERVER_SETS:
            for observer, box in self.observers.items():
                with quietly(box):
                    box.setChecked(observer in OBSERVER_SETS[name])

    def _name_observer_set(self) -> None:
        ticked = {name for name, box in self.observers.items() if box.isChecked()}
        names = [name for name, members in OBSERVER_SETS.items() if set(members) == ticked]
        self.observer_set.setCurrentText(names[0] if names else "chosen below")

    def _show_found_ratings(self) -> None:
        found = self._found_ratings()
        text = f"those of the session, {found.name}" if found else _NO_RATINGS
        self.ratings_row.line.setPlaceholderText(text)

    def _found_ratings(self) -> Path | None:
        """Return the ratings of a rated session folder."""
        if self.source is not Source.FOLDER or not self.paths:
            return None
        folder = expanded(self.paths[0]).absolute()
        ratings = folder / RATINGS_FILE
        return ratings if is_session(folder) and ratings.is_file() else None

    def _ask_ratings(self) -> str:
        return _BETWEEN.join(QFileDialog.getOpenFileNames(self, "Ratings", "", "Ratings (*.csv)")[0])

    def _ask_files(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Originals", "", f"{_IMAGE_FILES};;All files (*)")
        self.add_paths(paths)

    def add_paths(self, paths: list[str]) -> None:
        """Add files to the list, each once."""
        known = set(self.paths)
        self.file_list.addItems([path for path in dict.fromkeys(paths) if path not in known])
        self.changed.emit()

    def _remove_files(self) -> None:
        for item in self.file_list.selectedItems():
            self.file_list.takeItem(self.file_list.row(item))
        self.changed.emit()


def _in_words(observer: str) -> str:
    """Return a metric's name as papers write it: "MS-SSIM"."""
    return observer.upper().replace("_", "-")
