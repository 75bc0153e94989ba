"""The settings of the Train tab: the meaning of label 0, the recipe, and where the model is saved."""

from dataclasses import replace
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QFileDialog, QGridLayout, QLabel, QWidget

from napari_tiqa.learning.training.settings import settings
from napari_tiqa.segmentation.recipe import PAPER, SegmentationRecipe
from napari_tiqa.widgets.shared.file_row import FileRow
from napari_tiqa.widgets.shared.forms import SPACING, choice_box, collapsible, column, form_layout, quietly
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
        self.zero = choice_box(
            (("unlabelled", 0), ("a class (background)", None)),
            "The meaning of label 0 in the Labels layer. Where you paint only some strokes, 0 is what you\n"
            "have not painted. Where every pixel has a class, 0 may be one of them.",
        )
        self.preset = choice_box(
            ((name, name) for name in (*_PRESETS, _CHANGED)),
            "light: an EfficientNet-Lite0 encoder trained on photographs (ImageNet) and a narrow decoder.\n"
            "paper: D-LinkNet34 from random weights, 1024 x 1024 px, 200 epochs.",
        )
        self.dice = QCheckBox("Dice loss")
        self.dice.setToolTip(tooltip(settings(self._base)["dice_weight"]))
        self.encoder_weights = FileRow(
            self._ask_weights,
            "",
            "A file with ImageNet weights of ResNet34 (.safetensors) to start from.",
        )
        self.output = ModelOutput("my segmenter")
        self.more = collapsible(
            "More", "Encoder, width, weights, patch side, learning rate, seed.", self._advanced()
        )
        column(self._main(), self.more, form_layout(("Save to", self.output)), parent=self)
        for changed in (self.zero.currentIndexChanged, self.settings.changed, self.dice.toggled):
            changed.connect(self._on_change)
        self.encoder_weights.changed.connect(self._on_change)
        self.preset.currentTextChanged.connect(self._on_preset)
        self.choose_preset(self._base)

    @property
    def unlabelled(self) -> int | None:
        """The label value that means "unlabelled"; None where 0 is a class like any other."""
        return self.zero.currentData()

    @property
    def recipe(self) -> SegmentationRecipe:
        """All that a training depends on, beside labels; SegmentationError for choices that clash."""
        return replace(self._base, **self._values())

    def choose_preset(self, recipe: SegmentationRecipe) -> None:
        """Take all settings from a recipe."""
        self._base = recipe
        with quietly(self):
            self.settings.show(recipe)
            self.encoder_weights.line.setText(recipe.encoder_weights)
            self.dice.setChecked(recipe.dice_weight > 0)
        self._on_change()

    def _main(self) -> QGridLayout:
        return _grid(
            [("Label 0 is", self.zero)],
            [("Preset", self.preset)],
            self.settings.rows("epochs", "validation_share"),
            [*self.settings.rows("distortions"), ("", self.dice)],
        )

    def _advanced(self) -> QGridLayout:
        return _grid(
            self.settings.rows("encoder"),
            [("Weights", self.encoder_weights)],
            self.settings.rows("crop", "learning_rate"),
            self.settings.rows("width", "seed"),
        )

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
        with quietly(self.preset):
            self.preset.setCurrentText(names[0] if names else _CHANGED)
        hint = "ImageNet's, which come with napari-tiqa"
        if self.settings["encoder"].currentData() == "ResNet34":
            hint = "random, or a file" if self._takes_weights() else "random (a file needs width 1)"
        self.encoder_weights.setEnabled(self._takes_weights())
        self.encoder_weights.line.setPlaceholderText(hint)
        self.changed.emit()

    def _takes_weights(self) -> bool:
        return self.settings["encoder"].currentData() == "ResNet34" and self.settings["width"].value() == 1

    def _values(self) -> dict[str, Any]:
        """Return the settings that can be chosen here, by their names in the recipe."""
        weights = self.encoder_weights.line.text().strip() if self._takes_weights() else ""
        return self.settings.values() | {
            "encoder_weights": weights,
            "dice_weight": float(self.dice.isChecked()),
        }

    def _ask_weights(self) -> str:
        return QFileDialog.getOpenFileName(self, "ImageNet weights", "", "Weights (*.safetensors)")[0]


def _grid(*rows: list[tuple[str, QWidget]]) -> QGridLayout:
    """Lay out rows of a label and its widget, or of two such pairs."""
    grid = QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(2 * SPACING)
    grid.setVerticalSpacing(SPACING)
    for row, pairs in enumerate(rows):
        for place, (text, widget) in enumerate(pairs):
            grid.addWidget(QLabel(text), row, 2 * place)
            grid.addWidget(widget, row, 2 * place + 1, 1, 1 if len(pairs) > 1 else 3)
    grid.setColumnStretch(1, 1)
    grid.setColumnStretch(3, 1)
    return grid
