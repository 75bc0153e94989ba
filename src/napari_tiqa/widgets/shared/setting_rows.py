"""Boxes for the settings of a recipe, as their fields describe them."""

import math
import textwrap
from collections.abc import Iterable
from typing import Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QSpinBox, QWidget

from napari_tiqa.learning.training.settings import Recipe, Setting, settings
from napari_tiqa.widgets.shared.forms import choice_box, narrow, quietly, spin_box

_PERCENT = 100
_MOST = 9999  # what a form offers where a number has no upper bound
_TOOLTIP_WIDTH = 95


def tooltip(setting: Setting) -> str:
    """Return what a setting does, in lines that fit a tooltip."""
    return textwrap.fill(setting.sentence, _TOOLTIP_WIDTH)


class SettingBoxes(QObject):
    """A box for each of some settings of a recipe: a choice, a switch, a whole number or a number.

    `changed` tells that the user, or a program, has set one of the boxes; not that `show` has.
    """

    changed = Signal()

    def __init__(self, recipe: Recipe, names: Iterable[str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        described = settings(recipe)
        self._settings = {name: described[name] for name in names}
        self._boxes = {
            name: self._box(setting, getattr(recipe, name)) for name, setting in self._settings.items()
        }
        self.show(recipe)

    def __getitem__(self, name: str) -> Any:
        """Return the box of a setting."""
        return self._boxes[name]

    def rows(self, *names: str) -> list[tuple[str, QWidget]]:
        """Return labels and boxes for ``forms.form_layout``."""
        return [(self._settings[name].label, self._boxes[name]) for name in names]

    def values(self) -> dict[str, Any]:
        """Return what is chosen, by the settings' names."""
        return {name: self._value(box, self._settings[name]) for name, box in self._boxes.items()}

    def kept(self) -> dict[str, Any]:
        """Return what is chosen as it is remembered."""
        return self.values()

    def keep(self, values: dict[str, Any]) -> None:
        """Choose what was remembered; settings that are not among it stay."""
        for name in self._boxes.keys() & values.keys():
            box = self._boxes[name]
            if not isinstance(box, QComboBox) or box.findData(values[name]) >= 0:
                self._show(name, values[name])
        self.changed.emit()

    def show(self, recipe: Recipe) -> None:
        """Show the values of a recipe; `changed` is not emitted."""
        for name in self._boxes:
            self._show(name, getattr(recipe, name))

    def _show(self, name: str, value: Any) -> None:
        box = self._boxes[name]
        with quietly(box):
            if isinstance(box, QComboBox):
                box.setCurrentIndex(box.findData(value))
            elif isinstance(box, QCheckBox):
                box.setChecked(value)
            else:
                box.setValue(round(value * _PERCENT) if self._settings[name].share else value)

    def _box(self, setting: Setting, value: Any) -> QWidget:
        tip = tooltip(setting)
        box: QComboBox | QCheckBox | QSpinBox | QDoubleSpinBox
        if setting.choices:
            box = choice_box([(title, choice) for choice, title in setting.choices.items()], tip)
            box.currentIndexChanged.connect(self.changed)
        elif isinstance(value, bool):
            box = QCheckBox()
            box.setToolTip(tip)
            box.toggled.connect(self.changed)
        else:
            box = _number_box(setting, value, tip)
            box.valueChanged.connect(self.changed)
        return box

    def _value(self, box: Any, setting: Setting) -> Any:
        if isinstance(box, QComboBox):
            return box.currentData()
        if isinstance(box, QCheckBox):
            return box.isChecked()
        return box.value() / _PERCENT if setting.share else round(box.value(), setting.decimals)


def _number_box(setting: Setting, value: float, tip: str) -> QSpinBox | QDoubleSpinBox:
    unit = f" {setting.unit}" if setting.unit else ""
    if setting.share:
        return spin_box(0, round(setting.low * _PERCENT), round(setting.high * _PERCENT), tip, " %")
    low, high = max(setting.low, setting.above), min(setting.high, setting.below)
    low, high = (low if math.isfinite(low) else 0), (high if math.isfinite(high) else _MOST)
    if isinstance(value, int):
        box = spin_box(value, int(low), int(high), tip, unit)
        box.setSingleStep(int(setting.step or 1))
        return box
    number = QDoubleSpinBox()
    narrow(number)
    number.setDecimals(setting.decimals)
    # A bound that is not allowed itself is left out by one digit.
    digit = 10**-setting.decimals
    number.setRange(low + digit * (low == setting.above), high - digit * (high == setting.below))
    number.setSingleStep(setting.step or 0.05)
    number.setSuffix(unit)
    number.setToolTip(tip)
    return number
