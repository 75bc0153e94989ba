"""What a tuning varies: a parameter of a step within a range, named on the command line or in a dock."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_tiqa.errors import FilterError
from napari_tiqa.filtering.parameter import Parameter, Value
from napari_tiqa.filtering.pipeline import Pipeline

_DIGITS = 3  # significant ones of a value that is tried: more tell nobody anything
_NAME = re.compile(r"(?P<step>[^.=]+)\.(?P<parameter>[^.=]+)(?:=(?P<low>[^:=]+):(?P<high>[^:=]+))?")


@dataclass(frozen=True)
class Variable:
    """A parameter that a tuning varies.

    Attributes
    ----------
    step : int
        Which step of the pipeline, from 0.
    parameter : str
        Its name in that step's filter.
    low, high : float
        Range to search, both ends included, in the parameter's unit; of no meaning for a choice or a switch,
        all whose values are tried.
    """

    step: int
    parameter: str
    low: float = -math.inf
    high: float = math.inf

    def definition(self, pipeline: Pipeline) -> Parameter:
        """Return what is known of the parameter."""
        return pipeline.steps[self.step].definition.parameters[self.parameter]

    def name(self, pipeline: Pipeline) -> str:
        """Return "gaussian.sigma", or "0.sigma" where the pipeline has two such steps."""
        name = pipeline.steps[self.step].filter
        alone = sum(step.filter == name for step in pipeline.steps) == 1
        return f"{name if alone else self.step}.{self.parameter}"

    def title(self, pipeline: Pipeline) -> str:
        """Return the name for people: "Sigma of Gaussian"."""
        return f"{self.definition(pipeline).title} of {pipeline.steps[self.step].definition.title}"

    def value(self, pipeline: Pipeline) -> Value:
        """Return the value that the pipeline has."""
        return pipeline.steps[self.step].parameters[self.parameter]

    def every_value(self, pipeline: Pipeline) -> tuple[Value, ...] | None:
        """Return all values there are, in order; None for a number with a fraction."""
        parameter = self.definition(pipeline)
        if parameter.kind is bool:
            return (False, True)
        if parameter.kind is str:
            return parameter.choices
        return tuple(range(int(self.low), int(self.high) + 1)) if parameter.kind is int else None

    def rounded(self, pipeline: Pipeline, value: Value) -> Value:
        """Return a value with as many digits as are worth reading."""
        if not isinstance(value, float) or value == 0:
            return value
        digits = _DIGITS - 1 - math.floor(math.log10(abs(value)))
        return min(max(round(value, digits), self.low), self.high)

    def grid(self, pipeline: Pipeline, count: int) -> tuple[Value, ...]:
        """Return at most `count` values over the range, in equal steps or, on a logarithmic one, factors."""
        every = self.every_value(pipeline)
        if every is not None and (len(every) <= count or isinstance(every[0], (bool, str))):
            return every
        parameter = self.definition(pipeline)
        space = np.geomspace if parameter.logarithmic and self.low > 0 else np.linspace
        values = space(self.low, self.high, count).tolist()
        if every is not None:
            return tuple(sorted({round(value) for value in values}))
        return tuple(self.rounded(pipeline, value) for value in values)


def variables(
    pipeline: Pipeline, chosen: Iterable[str | Variable] | str | Variable | None = None
) -> tuple[Variable, ...]:
    """Say what is to be varied, each variable checked, in the order given or that of the steps.

    Write "gaussian.sigma" for the parameter's whole range, "gaussian.sigma=0.3:4" for a part of it, "0.sigma"
    where several steps have the same filter (steps are counted from 0). Where nothing is chosen, it is every
    parameter of the steps that are on that is worth tuning (`Parameter.tunable`). Raises FilterError if the
    pipeline has no step, or none that can be tuned; for an unknown step or parameter, a range outside the
    parameter's own or whose ends are not in order, or a parameter named twice.
    """
    if not any(step.on for step in pipeline.steps):
        raise FilterError("The pipeline has no step that is on: add a filter to tune.")
    if chosen is None:
        found = tuple(
            _whole_range(pipeline, number, name)
            for number, step in enumerate(pipeline.steps)
            if step.on
            for name, parameter in step.definition.parameters.items()
            if parameter.tunable and (parameter.choices or parameter.kind is bool or _is_bounded(parameter))
        )
        if not found:
            raise FilterError(
                f"{pipeline.describe()} has no parameter to tune: name one, or add another filter."
            )
        return found
    each: list[Any] = [chosen]
    if isinstance(chosen, Iterable) and not isinstance(chosen, str):
        each = list(chosen)
    for item in each:
        if not isinstance(item, str | Variable):
            raise FilterError(
                f"parameters={item!r:.60} is not a parameter: name parameters, such as gaussian.sigma=0.3:4."
            )
    if not each:
        raise FilterError("No parameter was chosen: name at least one, such as gaussian.sigma.")
    found = tuple(
        _parsed(pipeline, item) if isinstance(item, str) else _checked(pipeline, item) for item in each
    )
    places = [(item.step, item.parameter) for item in found]
    for item, place in zip(found, places, strict=True):
        if places.count(place) > 1:
            raise FilterError(f"{item.name(pipeline)} was chosen twice: name each parameter once.")
    return found


def with_values(pipeline: Pipeline, varied: Sequence[Variable], values: Sequence[Value]) -> Pipeline:
    """Return the pipeline with the variables set; raises FilterError if a value is out of its range."""
    for variable, value in zip(varied, values, strict=True):
        pipeline = pipeline.with_parameter(variable.step, variable.parameter, value)
    return pipeline


def _parsed(pipeline: Pipeline, text: str) -> Variable:
    match = _NAME.fullmatch(text.strip())
    if match is None:
        raise FilterError(
            f"'{text}' names no parameter: write filter.parameter or filter.parameter=low:high, "
            "such as gaussian.sigma=0.3:4."
        )
    variable = _whole_range(pipeline, _step_named(pipeline, match["step"]), match["parameter"])
    if match["low"] is None:
        return _checked(pipeline, variable)
    try:
        low, high = float(match["low"]), float(match["high"])
    except ValueError:
        raise FilterError(
            f"The range in '{text}' is not a pair of numbers: write it as low:high, such as 0.3:4."
        ) from None
    if not math.isfinite(variable.definition(pipeline).low) and variable.every_value(pipeline) is not None:
        raise FilterError(
            f"{variable.name(pipeline)} has no range, all its values are tried: leave '=' and the rest out."
        )
    return _checked(pipeline, Variable(variable.step, variable.parameter, low, high))


def _step_named(pipeline: Pipeline, name: str) -> int:
    present = ", ".join(f"{number}: {step.filter}" for number, step in enumerate(pipeline.steps))
    if name.isdecimal():
        return int(name)
    places = [number for number, step in enumerate(pipeline.steps) if step.filter == name]
    if not places:
        raise FilterError(f"The pipeline has no step '{name}': its steps are {present}.")
    if len(places) > 1:
        raise FilterError(
            f"The pipeline has {len(places)} steps '{name}': choose one by its number, such as "
            f"{places[0]}.sigma; its steps are {present}."
        )
    return places[0]


def _whole_range(pipeline: Pipeline, step: int, name: str) -> Variable:
    """Return the variable that spans its parameter's own range."""
    if not 0 <= step < len(pipeline.steps):
        raise FilterError(f"The pipeline has no step {step}: it has {len(pipeline.steps)}, counted from 0.")
    known = pipeline.steps[step].definition.parameters
    if name not in known:
        raise FilterError(
            f"{pipeline.steps[step].filter} has no parameter '{name}': it has {', '.join(known) or 'none'}."
        )
    return Variable(step, name, known[name].low, known[name].high)


def _is_bounded(parameter: Parameter) -> bool:
    return math.isfinite(parameter.low) and math.isfinite(parameter.high)


def _checked(pipeline: Pipeline, variable: Variable) -> Variable:
    """Return the variable with the range that is searched, its ends whole for a whole number."""
    whole = _whole_range(pipeline, variable.step, variable.parameter)
    name, parameter = whole.name(pipeline), whole.definition(pipeline)
    if not pipeline.steps[variable.step].on:
        raise FilterError(f"{name} belongs to a step that is off: switch the step on to tune it.")
    if parameter.kind in (bool, str):
        return whole
    low, high = variable.low, variable.high
    if not low < high:
        raise FilterError(f"The range of {name} is {low:g} to {high:g}: give the lower end first.")
    if not (math.isfinite(low) and math.isfinite(high)):
        raise FilterError(f"{name} has no range of its own: give one, such as {name}=0:1.")
    if low < parameter.low or high > parameter.high:
        raise FilterError(
            f"The range of {name}, {low:g} to {high:g}, leaves the parameter's own: "
            f"choose it within {parameter.range_text}."
        )
    if parameter.kind is int:
        low, high = math.ceil(low), math.floor(high)
        if low >= high:
            raise FilterError(
                f"The range of {name} has fewer than two whole numbers: choose a wider one within "
                f"{parameter.range_text}."
            )
    return Variable(variable.step, variable.parameter, low, high)
