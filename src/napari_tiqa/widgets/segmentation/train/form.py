"""The settings of the Train tab: what 0 means, how to train, and where the model goes."""

from dataclasses import replace
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QGridLayout,
    QLabel,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from napari_tiqa.segmentation.recipe import ENCODERS, PAPER, STRIDE, SegmentationRecipe
from napari_tiqa.widgets.shared.file_row import FileRow
from napari_tiqa.widgets.training.model_output import ModelOutput

_PRESETS = {
    "light: minutes on a CPU": SegmentationRecipe(),
    "paper: hours, better with a GPU": PAPER,
}
_CHANGED = "changed"
_PERCENT = 100


class SegmentTrainForm(QWidget):
    """Choices that a training is started with."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._base = SegmentationRecipe()
        self._make_main()
        self._make_more()
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

    def _make_main(self) -> None:
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
        self.epochs = _spin_box(
            1, 9999, "", "Passes of the training; the best one, judged by what is left out, is kept."
        )
        self.validation_share = _spin_box(
            0,
            50,
            " %",
            "Share of the labels that is not learned from, but judged with: whole slices where five or more\n"
            "are labelled, else a region of each. 0 judges with nothing and keeps the last epoch.",
        )
        self.distortions = _spin_box(
            0,
            100,
            " %",
            "Share of the training patches that are made worse by rings, noise or blur, so that the model\n"
            "copes with worse scans than this one.",
        )
        self.dice = QCheckBox("Dice loss too")
        self.dice.setToolTip(
            "Beside the cross-entropy, which counts pixels, learn from the overlap of each class: helps\n"
            "where a class is small."
        )

    def _make_more(self) -> None:
        self.encoder = QComboBox()
        self.encoder.addItems(ENCODERS)
        self.encoder.setToolTip(
            "What sees the image: ResNet34 is the paper's; EfficientNet-Lite0 is lighter, and its ImageNet\n"
            "weights come with napari-tiqa."
        )
        self.width = QDoubleSpinBox()
        self.width.setRange(0.1, 1)
        self.width.setSingleStep(0.05)
        self.width.setToolTip("Channels as a share of the paper's; of EfficientNet-Lite0 only the decoder's.")
        self.encoder_weights = FileRow(
            self._ask_weights,
            "",
            "A file of ImageNet weights for ResNet34 (.safetensors), which then starts from them.",
        )
        self.crop = _spin_box(
            STRIDE,
            4096,
            " px",
            "Side of a training patch; larger ones see more around a pixel and are slower.",
        )
        self.crop.setSingleStep(STRIDE)
        self.learning_rate = QDoubleSpinBox()
        self.learning_rate.setDecimals(5)
        self.learning_rate.setRange(1e-5, 0.1)
        self.learning_rate.setSingleStep(1e-4)
        self.learning_rate.setToolTip("Adam's at first; lower it where the training diverges.")
        self.seed = _spin_box(
            0, 2**31 - 1, "", "The same seed, labels and settings give the same model again."
        )

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(
            _grid(
                (("0 means", self.zero),),
                (("Preset", self.preset),),
                (("Epochs", self.epochs), ("Validate on", self.validation_share)),
                (("Distortions", self.distortions), ("", self.dice)),
            )
        )
        more = QWidget()
        more.setLayout(
            _grid(
                (("Encoder", self.encoder),),
                (("Weights", self.encoder_weights),),
                (("Patch", self.crop), ("Rate", self.learning_rate)),
                (("Width", self.width), ("Seed", self.seed)),
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
        for box in (self.zero, self.preset, self.encoder):
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    # -- reactions ---------------------------------------------------------------------------------

    def _connect(self) -> None:
        self.preset.currentTextChanged.connect(self._on_preset)
        self.zero.currentIndexChanged.connect(self._on_change)
        self.encoder.currentIndexChanged.connect(self._on_change)
        for box in (self.epochs, self.validation_share, self.distortions, self.crop, self.seed):
            box.valueChanged.connect(self._on_change)
        for box in (self.width, self.learning_rate):
            box.valueChanged.connect(self._on_change)
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
        if self.encoder.currentText() == "ResNet34":
            words = "random, or a file" if self._takes_weights() else "random; a file fits a width of 1"
        self.encoder_weights.setEnabled(self._takes_weights())
        self.encoder_weights.line.setPlaceholderText(words)

    def _takes_weights(self) -> bool:
        return self.encoder.currentText() == "ResNet34" and self.width.value() == 1

    def _values(self) -> dict[str, Any]:
        """Return the settings that can be chosen here, by their names in the recipe."""
        return {
            "encoder": self.encoder.currentText(),
            "width": round(self.width.value(), 2),
            "encoder_weights": self.encoder_weights.line.text().strip() if self._takes_weights() else "",
            "crop": self.crop.value(),
            "epochs": self.epochs.value(),
            "learning_rate": round(self.learning_rate.value(), 5),
            "dice_weight": float(self.dice.isChecked()),
            "distortions": self.distortions.value() / _PERCENT,
            "validation_share": self.validation_share.value() / _PERCENT,
            "seed": self.seed.value(),
        }

    def _show(self, recipe: SegmentationRecipe) -> None:
        blocked = self.blockSignals(True)
        self.encoder.setCurrentText(recipe.encoder)
        self.width.setValue(recipe.width)
        self.encoder_weights.line.setText(recipe.encoder_weights)
        self.crop.setValue(recipe.crop)
        self.epochs.setValue(recipe.epochs)
        self.learning_rate.setValue(recipe.learning_rate)
        self.dice.setChecked(recipe.dice_weight > 0)
        self.distortions.setValue(round(recipe.distortions * _PERCENT))
        self.validation_share.setValue(round(recipe.validation_share * _PERCENT))
        self.seed.setValue(recipe.seed)
        self.blockSignals(blocked)

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


def _spin_box(low: int, high: int, suffix: str, tooltip: str) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setSuffix(suffix)
    box.setToolTip(tooltip)
    return box
