"""The settings of the Train tab: what 0 means, how to train, and where the model goes."""

from dataclasses import replace
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QGridLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from napari_tiqa.learning.training.settings import settings
from napari_tiqa.segmentation.recipe import PAPER, SegmentationRecipe
from napari_tiqa.widgets.shared.file_row import FileRow
from napari_tiqa.widgets.shared.forms import quietly
from napari_tiqa.widgets.shared.setting_rows import SettingBoxes, tooltip
from napari_tiqa.widgets.training.model_output import ModelOutput

_PRESETS = {
    "light: minutes on a CPU": SegmentationRecipe(),
    "paper: hours, better with a GPU": PAPER,
}
_CHANGED = "changed"
_SETTINGS = (
    *("epochs", "validation_share", "distortions"),
    *("encoder", "crop", "learning_rate", "width", "seed"),
)


class SegmentTrainForm(QWidget):
    """Choices that a training is started with."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._base = SegmentationRecipe()
        self.settings = SettingBoxes(self._base, _SETTINGS, self)
        self._make_boxes()
        self.output = ModelOutput("my segmenter")
        self._lay_out()
        self._connect()
        self.choose_preset(self._base)

    @property
    def unlabelled(self) -> int | None:
        """The label value that means "not labelled"; None where 0 is a class like any other."""
        return None if self.zero.currentIndex() else 0

    @property
    def recipe(self) -> SegmentationRecipe:
        """All that the result of a training depends on, beside the labelled slices.

        Raises
        ------
        SegmentationError
            Choices that do not go together.
        """
        return replace(self._base, **self._values())

    def choose_preset(self, recipe: SegmentationRecipe) -> None:
        """Take all settings from a recipe."""
        self._base = recipe
        self._show(recipe)
        self._on_change()

    # -- making it ---------------------------------------------------------------------------------

    def _make_boxes(self) -> None:
        self.zero = QComboBox()
        self.zero.addItems(["not labelled", "a class of its own"])
        self.zero.setToolTip(
            "What the pixels are that are 0 in the Labels layer. Where you paint some strokes, 0 is what\n"
            "you have not painted. Where every pixel has its class, 0 may be one of them."
        )
        self.preset = QComboBox()
        self.preset.addItems([*_PRESETS, _CHANGED])
        self.preset.setToolTip(
            "light: an EfficientNet-Lite0 encoder that knows photographs (ImageNet) and a narrow decoder.\n"
            "paper: D-LinkNet34 from random weights, 1024 x 1024 px, 200 epochs."
        )
        self.dice = QCheckBox("Dice loss too")
        self.dice.setToolTip(tooltip(settings(self._base)["dice_weight"]))
        self.encoder_weights = FileRow(
            self._ask_weights,
            "",
            "A file of ImageNet weights for ResNet34 (.safetensors), which then starts from them.",
        )

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(
            _grid(
                (("0 means", self.zero),),
                (("Preset", self.preset),),
                tuple(self.settings.rows("epochs", "validation_share")),
                (*self.settings.rows("distortions"), ("", self.dice)),
            )
        )
        more = QWidget()
        more.setLayout(
            _grid(
                tuple(self.settings.rows("encoder")),
                (("Weights", self.encoder_weights),),
                tuple(self.settings.rows("crop", "learning_rate")),
                tuple(self.settings.rows("width", "seed")),
            )
        )
        self.more = QCollapsible("More")
        self.more.setDuration(0)
        self.more.toggleButton().setToolTip("Encoder, width, weights, patch side, learning rate, seed.")
        self.more.layout().setContentsMargins(0, 0, 0, 0)
        self.more.addWidget(more)
        layout.addWidget(self.more)
        last = QFormLayout()
        last.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        last.addRow("Save to", self.output)
        layout.addLayout(last)
        for box in (self.zero, self.preset):
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    # -- reactions ---------------------------------------------------------------------------------

    def _connect(self) -> None:
        self.preset.currentTextChanged.connect(self._on_preset)
        self.zero.currentIndexChanged.connect(self._on_change)
        self.settings.changed.connect(self._on_change)
        self.dice.toggled.connect(self._on_change)
        self.encoder_weights.changed.connect(self._on_change)

    def _on_preset(self, name: str) -> None:
        if name in _PRESETS:
            self.choose_preset(_PRESETS[name])

    def _on_change(self, _value: object = None) -> None:
        values = self._values()
        names = [
            name
            for name, recipe in _PRESETS.items()
            if all(getattr(recipe, setting) == value for setting, value in values.items())
        ]
        self.preset.blockSignals(True)
        self.preset.setCurrentText(names[0] if names else _CHANGED)
        self.preset.blockSignals(False)
        self._say_which_weights()
        self.changed.emit()

    def _say_which_weights(self) -> None:
        words = "ImageNet's, which come with napari-tiqa"
        if self.settings["encoder"].currentText() == "ResNet34":
            words = "random, or a file" if self._takes_weights() else "random; a file fits a width of 1"
        self.encoder_weights.setEnabled(self._takes_weights())
        self.encoder_weights.line.setPlaceholderText(words)

    def _takes_weights(self) -> bool:
        return self.settings["encoder"].currentText() == "ResNet34" and self.settings["width"].value() == 1

    def _values(self) -> dict[str, Any]:
        """Return the settings that can be chosen here, by their names in the recipe."""
        weights = self.encoder_weights.line.text().strip() if self._takes_weights() else ""
        return self.settings.values() | {
            "encoder_weights": weights,
            "dice_weight": float(self.dice.isChecked()),
        }

    def _show(self, recipe: SegmentationRecipe) -> None:
        with quietly(self):
            self.settings.show(recipe)
            self.encoder_weights.line.setText(recipe.encoder_weights)
            self.dice.setChecked(recipe.dice_weight > 0)

    def _ask_weights(self) -> str:
        return QFileDialog.getOpenFileName(self, "ImageNet weights", "", "Weights (*.safetensors)")[0]


def _grid(*rows: tuple[tuple[str, QWidget], ...]) -> QGridLayout:
    """Lay out rows of a label and its widget, or of two such pairs."""
    grid = QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(8)
    grid.setVerticalSpacing(4)
    for row, pairs in enumerate(rows):
        for place, (text, widget) in enumerate(pairs):
            grid.addWidget(QLabel(text), row, 2 * place)
            grid.addWidget(widget, row, 2 * place + 1, 1, 1 if len(pairs) > 1 else 3)
    grid.setColumnStretch(1, 1)
    grid.setColumnStretch(3, 1)
    return grid
