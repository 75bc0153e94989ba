"""A filter's parameter: its name, unit, range and default, and advice on how to choose it."""

import math
from dataclasses import dataclass, replace
from reprlib import repr as shortened
from typing import Any

from napari_tiqa.errors import FilterError

Value = float | int | bool | str | None
"""What a parameter can be set to; None only where the filter finds the value itself."""


@dataclass(frozen=True)
class Parameter:
    """The name, unit, range and default of one parameter, and advice on how to choose it.

    Attributes
    ----------
    title : str
        What people read beside the slider.
    default : float, int, bool, str or None
        Its type is the parameter's type; None stands for a number that the filter finds by itself.
    low, high : float
        Least and greatest value, both included; not used for a bool or a choice.
    unit : str
        "px", "% of the window", "°", or empty.
    advice : str
        How to choose it, one or two sentences.
    choices : tuple of str
        The values of a parameter that is a choice.
    logarithmic : bool
        Whether equal steps of a slider multiply the value.
    tunable : bool
        Whether a search for the best score may vary it.
    """

    title: str
    default: Value
    low: float = -math.inf
    high: float = math.inf
    unit: str = ""
    advice: str = ""
    choices: tuple[str, ...] = ()
    logarithmic: bool = False
    tunable: bool = True

    def advised(self, advice: str) -> "Parameter":
        """Return the parameter with advice on how to choose it, one or two sentences."""
        return replace(self, advice=advice)

    @property
    def kind(self) -> type:
        """float, int, bool or str."""
        return float if self.default is None else type(self.default)

    def checked(self, value: Any, where: str) -> Value:
        """Return a value as the parameter's own type, or raise a FilterError that names it by `where`.

        Numbers may have any type; an int must be whole.
        """
        if value is None and self.default is None:
            return None
        if self.kind is str:
            if value not in self.choices:
                raise FilterError(
                    f"{where} cannot be {shortened(value)}: choose {' or '.join(self.choices)}."
                )
            return str(value)
        if self.kind is bool:
            if not isinstance(value, bool):
                raise FilterError(f"{where} cannot be {shortened(value)}: choose true or false.")
            return value
        try:
            number = float(value)
            whole = number == round(number)
        except (TypeError, ValueError, OverflowError):
            number, whole = math.nan, False
        if isinstance(value, (bool, str)) or not math.isfinite(number) or (self.kind is int and not whole):
            wanted = "a whole number" if self.kind is int else "a number"
            raise FilterError(f"{where} cannot be {shortened(value)}: give {wanted} from {self.range_text}.")
        if not self.low <= number <= self.high:
            raise FilterError(f"{where} is {number:g}, outside its range: choose {self.range_text}.")
        return round(number) if self.kind is int else number

    def in_words(self, value: Value) -> str:
        """Return the parameter with a value for people: "ring width 5 px", "centre, down automatic"."""
        if value is None:
            text = "automatic"
        elif isinstance(value, bool):
            text = "on" if value else "off"
        else:
            text = format(value, ".4g") if isinstance(value, float) else str(value)
            text = f"{text} {self.unit}".rstrip()
        return f"{self.title[0].lower()}{self.title[1:]} {text}"

    @property
    def range_text(self) -> str:
        """The range for people: "0.1 to 20 px"."""
        return f"{self.low:g} to {self.high:g} {self.unit}".rstrip()
