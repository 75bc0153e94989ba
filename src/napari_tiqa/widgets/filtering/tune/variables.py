"""The parameters that a tuning may vary: a tick and a range for each."""

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from math import ceil, floor, log10

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QDoubleSpinBox,
    QGridLayout,
    QLabel,
    QSizePolicy,
    QWidget,
)

from napari_tiqa.errors import FilterError
from napari_tiqa.filtering.parameter import Parameter
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.filtering.variables import Variable, variables

_FIELD_WIDTH = 64  # px
_COLUMNS = 4  # tick, low, "to", high


class VariableList(QWidget):
    """Lists the parameters of a pipeline's steps, also of those that are off: to vary one switches it on.

    The one that matters most in the first step that can be tuned is ticked at first.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[VariableRow] = []
        self._filters: tuple[str, ...] = ()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(4)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(0, 1)

    def show_pipeline(self, pipeline: Pipeline) -> None:
        """List what can be varied; ticks and ranges stay where the pipeline has the same filters."""
        filters = tuple(step.filter for step in pipeline.steps)
        if filters == self._filters:
            return
        self._filters = filters
        while (item := self._grid.takeAt(0)) is not None:
            item.widget().deleteLater()
        self.rows = []
        ticked = False
        switched_on = Pipeline(replace(step, on=True) for step in pipeline.steps)
        step_before = -1
        for variable in _tunable(switched_on):
            if variable.step != step_before:
                step_before = variable.step
                title = QLabel(f"Vary in <b>{escape(switched_on.steps[step_before].definition.title)}</b>")
                self._grid.addWidget(title, self._grid.rowCount(), 0, 1, _COLUMNS)
            row = VariableRow(variable, switched_on)
            self._add_row(row)
            main = switched_on.steps[variable.step].definition.main
            if variable.parameter == main and not ticked:  # a grid over all steps would take long
                row.tick.setChecked(True)
                ticked = True
        self.changed.emit()

    def _add_row(self, row: "VariableRow") -> None:
        self.rows.append(row)
        place = self._grid.rowCount()
        for column, widget in enumerate(row.widgets):
            last = widget is row.widgets[-1]
            self._grid.addWidget(widget, place, column, 1, _COLUMNS - column if last else 1)

    def ticked(self) -> tuple[Variable, ...]:
        """Return what is to be varied, with the ranges as typed; FilterError where nothing is ticked."""
        found = tuple(row.variable for row in self.rows if row.tick.isChecked())
        if not found:
            raise FilterError("Nothing is ticked: tick at least one parameter to vary.")
        return found

    def row(self, name: str) -> "VariableRow":
        """Return the row of a parameter: "gaussian.sigma"."""
        return next(row for row in self.rows if row.name == name)


class VariableRow:
    """The widgets of one parameter."""

    def __init__(self, variable: Variable, pipeline: Pipeline) -> None:
        self._variable = variable
        self.name = variable.name(pipeline)
        parameter = variable.definition(pipeline)
        unit = f" ({parameter.unit})" if parameter.unit else ""
        self.tick = QCheckBox(f"{parameter.title}{unit}")
        self.tick.setToolTip(f"Vary this parameter. {parameter.advice}".rstrip())
        self.tick.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        every = variable.every_value(pipeline)
        self.low: QDoubleSpinBox | None = None
        self.high: QDoubleSpinBox | None = None
        if every and isinstance(every[0], (bool, str)):
            choices = QLabel("off, on" if parameter.kind is bool else ", ".join(map(str, every)))
            choices.setToolTip("All of them are tried.")
            choices.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            self.widgets: Sequence[QWidget] = (self.tick, choices)
        else:
            self.low = _field(parameter, variable.low, f"Smallest value to try, from {parameter.range_text}.")
            self.high = _field(
                parameter, variable.high, f"Largest value to try, from {parameter.range_text}."
            )
            self.widgets = (self.tick, self.low, QLabel("to"), self.high)
        self.tick.toggled.connect(self._show_tick)
        self._show_tick(False)

    @property
    def variable(self) -> Variable:
        """The variable with the range that is typed."""
        if self.low is None or self.high is None:
            return self._variable
        return replace(self._variable, low=self.low.value(), high=self.high.value())

    def set_range(self, low: float, high: float) -> None:
        """Write a range into the row, and tick it."""
        assert self.low is not None
        assert self.high is not None
        self.low.setValue(low)
        self.high.setValue(high)
        self.tick.setChecked(True)

    def _show_tick(self, ticked: bool) -> None:
        for widget in self.widgets[1:]:
            widget.setEnabled(ticked)


def _tunable(pipeline: Pipeline) -> tuple[Variable, ...]:
    try:
        return variables(pipeline)
    except FilterError:  # no step, or none that has a parameter
        return ()


def _field(parameter: Parameter, value: float, tooltip: str) -> QDoubleSpinBox:
    field = QDoubleSpinBox()
    field.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
    field.setAlignment(Qt.AlignmentFlag.AlignRight)
    smallest = abs(parameter.low) or (parameter.high - parameter.low) / 100
    # Two digits of the least value that matters.
    field.setDecimals(0 if parameter.kind is int else max(0, min(6, 1 - floor(log10(smallest)))))
    field.setRange(parameter.low, parameter.high)
    field.setSingleStep(
        max(1, ceil((parameter.high - parameter.low) / 100)) if parameter.kind is int else smallest
    )
    field.setValue(value)
    # napari's style sheet makes them wider than a dock of 430 px has room for.
    field.setStyleSheet(f"min-width: {_FIELD_WIDTH}px; max-width: {_FIELD_WIDTH}px; padding: 1px 2px;")
    field.setToolTip(tooltip)
    return field
