"""The widgets that set one parameter of a filter: a slider with its number, a tick or a choice."""

import math

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtWidgets import QCheckBox, QDoubleSpinBox, QSlider, QWidget

from napari_tiqa.filtering.parameter import Parameter, Value
from napari_tiqa.widgets.shared.forms import Part, choice_box, line, quietly

_STEPS = 500  # of a slider
_NUMBER_WIDTH = 112  # px
_LONGEST_UNIT = 3  # characters
_FIGURES = 3  # that a number in the middle of its range has


class ParameterEditor(QWidget):
    """Shows and sets the value of one parameter by some parts; `changed` only comes from the user."""

    changed = Signal(object)  # Value

    def __init__(self, parameter: Parameter, *parts: Part) -> None:
        super().__init__()
        self.parameter = parameter
        self.setLayout(line(*parts))
        self.setToolTip(_tooltip(parameter))

    def show_value(self, value: Value) -> None:
        """Show a value that was set elsewhere."""
        raise NotImplementedError


def parameter_editor(parameter: Parameter) -> ParameterEditor:
    """Make the editor that suits a parameter."""
    if parameter.kind is bool:
        return TickEditor(parameter)
    if parameter.kind is str:
        return ChoiceEditor(parameter)
    return NumberEditor(parameter)


class TickEditor(ParameterEditor):
    """A check box for a parameter that is true or false."""

    def __init__(self, parameter: Parameter) -> None:
        box = QCheckBox()
        super().__init__(parameter, box)
        self.box = box
        self.box.toggled.connect(lambda on: self.changed.emit(on))

    def show_value(self, value: Value) -> None:
        """Show a value that was set elsewhere."""
        with quietly(self.box):
            self.box.setChecked(bool(value))


class ChoiceEditor(ParameterEditor):
    """A list to choose from."""

    def __init__(self, parameter: Parameter) -> None:
        box = choice_box((choice, choice) for choice in parameter.choices)
        super().__init__(parameter, (box, 1))
        self.box = box
        _leave_wheel_to_the_dock(self.box)
        self.box.currentTextChanged.connect(lambda text: self.changed.emit(text))

    def show_value(self, value: Value) -> None:
        """Show a value that was set elsewhere."""
        with quietly(self.box):
            self.box.setCurrentText(str(value))


class NumberEditor(ParameterEditor):
    """A slider and the number that it stands for, to be typed in too; "auto" where the filter can find it."""

    def __init__(self, parameter: Parameter) -> None:
        slider, number, auto = QSlider(Qt.Orientation.Horizontal), QDoubleSpinBox(), QCheckBox("auto")
        super().__init__(parameter, auto, (slider, 1), number)
        self.slider, self.number, self.auto = slider, number, auto
        self.auto.setToolTip("Found by the filter itself.")
        self._set_range()
        for widget in (self.slider, self.number):
            _leave_wheel_to_the_dock(widget)
        self.number.setFixedWidth(_NUMBER_WIDTH)
        self.number.setKeyboardTracking(False)  # a number half typed is not tried
        self.auto.setVisible(parameter.default is None)
        self.slider.valueChanged.connect(self._on_slider)
        self.number.valueChanged.connect(self._on_number)
        self.auto.toggled.connect(self._on_auto)

    def show_value(self, value: Value) -> None:
        """Show a value that was set elsewhere, None for one that the filter finds."""
        self.show_auto(value is None)
        if value is not None:
            self.show_number(float(value))

    def show_auto(self, auto: bool) -> None:
        """Show that the filter finds the number, or that it is set."""
        with quietly(self.auto):
            self.auto.setChecked(auto)
        self.slider.setEnabled(not auto)
        self.number.setEnabled(not auto)

    def show_number(self, number: float) -> None:
        """Show a number, set or found."""
        with quietly(self.number), quietly(self.slider):
            self.number.setValue(number)
            self.slider.setValue(self._place(number))

    def _set_range(self) -> None:
        parameter = self.parameter
        low, high = parameter.low, parameter.high
        span = high - low
        bounded = math.isfinite(span)
        self._logarithmic = parameter.logarithmic and low > 0 and bounded
        whole = parameter.kind is int
        self.number.setDecimals(self._decimals())
        self.number.setRange(low if bounded else -1e9, high if bounded else 1e9)
        self.number.setSuffix(_suffix(parameter.unit))
        self.number.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        self.slider.setRange(0, int(min(span, _STEPS)) if whole and bounded else _STEPS)
        self.slider.setPageStep(max(1, self.slider.maximum() // 10))
        # What a filter finds is a place in a large slice: a slider would jump over it.
        self.slider.setVisible(bounded and parameter.default is not None)

    def _decimals(self) -> int:
        parameter = self.parameter
        if parameter.kind is int:
            return 0
        if parameter.default is None:
            return 1  # a place, px
        low, high = parameter.low, parameter.high
        middle = math.sqrt(low * high) if self._logarithmic else (high - low) / 2
        return min(6, max(0, _FIGURES - 1 - math.floor(math.log10(middle)))) if math.isfinite(middle) else 3

    def _place(self, number: float) -> int:
        low, high = self.parameter.low, self.parameter.high
        if not math.isfinite(high - low):
            return 0
        if self._logarithmic:
            share = math.log(number / low) / math.log(high / low)
        else:
            share = (number - low) / (high - low)
        return round(share * self.slider.maximum())

    def _at(self, place: int) -> float:
        low, high = self.parameter.low, self.parameter.high
        share = place / self.slider.maximum()
        number = low * (high / low) ** share if self._logarithmic else low + share * (high - low)
        return min(max(round(number, self.number.decimals()), low), high)

    def _on_slider(self, place: int) -> None:
        number = self._at(place)
        with quietly(self.number):
            self.number.setValue(number)
        self._tell(number)

    def _on_number(self, number: float) -> None:
        with quietly(self.slider):
            self.slider.setValue(self._place(number))
        self._tell(number)

    def _on_auto(self, auto: bool) -> None:
        self.show_auto(auto)
        if auto:
            self.changed.emit(None)
        else:
            self._tell(self.number.value())

    def _tell(self, number: float) -> None:
        self.changed.emit(round(number) if self.parameter.kind is int else number)


class _WheelToTheDock(QObject):
    """Lets the wheel scroll the dock, not the widget under the mouse, unless that has the focus."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)


def _leave_wheel_to_the_dock(widget: QWidget) -> None:
    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    widget.installEventFilter(_WheelToTheDock(widget))


def _suffix(unit: str) -> str:
    """Return a unit short enough to stand behind a number; the tooltip has all of it."""
    short = "%" if unit.startswith("%") else unit
    return f" {short}" if 0 < len(short) <= _LONGEST_UNIT else ""


def _tooltip(parameter: Parameter) -> str:
    lines = [parameter.advice] if parameter.advice else []
    default = "found automatically" if parameter.default is None else parameter.default
    if parameter.kind in (int, float) and math.isfinite(parameter.high - parameter.low):
        lines.append(f"{parameter.range_text}; default {default}.")
    elif parameter.kind is bool:
        lines.append(f"Default {'on' if default else 'off'}.")
    else:
        lines.append(f"Default {default}.")
    # Rich text, which Qt breaks into lines.
    return "<p>" + "<br>".join(line.replace("<", "&lt;") for line in lines) + "</p>"
