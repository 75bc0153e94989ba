"""Where the values of a varied parameter lie along an axis of a plot, and what stands there."""

import math

from napari_tiqa.filtering.parameter import Value
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.filtering.variables import Variable

_MOST_TICKS = 7


class VariableAxis:
    """The axis of a variable: linear, logarithmic as the parameter is, or a place for each choice.

    `ticks` are places and what is written there; `is_choice` tells that there is nothing between two values.
    """

    def __init__(self, variable: Variable, pipeline: Pipeline) -> None:
        self._parameter = variable.definition(pipeline)
        self._choices = (self._parameter.kind in (bool, str) and variable.every_value(pipeline)) or None
        self._logarithmic = self._parameter.logarithmic and variable.low > 0
        unit = f" ({self._parameter.unit})" if self._parameter.unit else ""
        self.label = f"{variable.title(pipeline)}{unit}"
        self.is_choice = bool(self._choices)
        if self._choices:
            self.range: tuple[float, float] = (0.0, len(self._choices) - 1.0)
            self.ticks = [(float(place), str(value).lower()) for place, value in enumerate(self._choices)]
        else:
            self.range = (self.place(variable.low), self.place(variable.high))
            values = _round_values(variable.low, variable.high, self._logarithmic)
            self.ticks = [(self.place(value), f"{value:g}") for value in values]

    def place(self, value: Value) -> float:
        """Return where a value lies."""
        if self._choices:
            return float(self._choices.index(value))
        assert isinstance(value, (int, float))
        return math.log10(value) if self._logarithmic else float(value)

    def share(self, value: Value) -> float:
        """Return where a value lies, from 0 at the first to 1 at the last place."""
        first, last = self.range
        return (self.place(value) - first) / (last - first)

    def read(self, value: Value) -> str:
        """Return a value for people: "Sigma 1.2 px"."""
        number = f"{value:.3g}" if isinstance(value, float) else str(value).lower()
        return f"{self._parameter.title} {number} {self._parameter.unit}".rstrip()


def _round_values(low: float, high: float, logarithmic: bool) -> list[float]:
    """Return a few round numbers from low to high."""
    if logarithmic:
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for steps in ((1, 2, 5), (1, 3), (1,)):
            values = [step * 10.0**decade for decade in decades for step in steps]
            values = [value for value in values if low * 0.999 <= value <= high * 1.001]
            if len(values) <= _MOST_TICKS:
                break
        if len(values) > 1:
            return values
    size = 10.0 ** math.floor(math.log10((high - low) / _MOST_TICKS))
    step = next(size * of for of in (1, 2, 5, 10) if (high - low) / (size * of) <= _MOST_TICKS)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]
