"""A recipe's settings, each described once: check, shell option, form row and help all follow from it."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Self

from napari_tiqa.errors import TiqaError, TrainingError
from napari_tiqa.json_text import parse_json

_FORMAT_VERSION = 1


@dataclass(frozen=True)
class Setting:
    """What is known of one setting of a recipe.

    `label` is a noun that people read beside its field; `help` a clause that starts in lower case and has no
    full stop. `above` and `below` are bounds that are not allowed themselves, and a whole number must be a
    multiple of `multiple`. A form's arrows change a number by `step` (1 for whole ones where omitted, 0.05
    for others), with `decimals` digits after the point; it shows a `share` in per cent, and what is
    `advanced` only when asked for more. `choices` are the values of a choice, or of each item of several, and
    what a form calls them.
    """

    label: str
    help: str
    low: float = -math.inf
    high: float = math.inf
    above: float = -math.inf
    below: float = math.inf
    multiple: int = 1
    step: float | None = None
    decimals: int = 2
    share: bool = False
    unit: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    advanced: bool = False

    @property
    def sentence(self) -> str:
        """The help as a sentence of its own."""
        return f"{self.help[0].upper()}{self.help[1:]}."

    @property
    def range_text(self) -> str:
        """Which numbers are allowed: "between 0 and 0.5", "above 0 and at most 1", "at least 1"."""
        if math.isfinite(self.low) and math.isfinite(self.high):
            return f"between {self.low:.10g} and {self.high:.10g}"
        bounds = {"above": self.above, "at least": self.low, "below": self.below, "at most": self.high}
        text = " and ".join(f"{word} {bound:g}" for word, bound in bounds.items() if math.isfinite(bound))
        if self.multiple > 1:
            return f"a multiple of {self.multiple} {self.unit}".rstrip()
        return text

    def allows(self, value: float) -> bool:
        """Tell whether a number is within the bounds."""
        within = self.low <= value <= self.high and self.above < value < self.below
        return within and value % self.multiple == 0 if self.multiple > 1 else within

    def check(self, name: str, value: Any, error: type[TiqaError]) -> None:
        """Raise an `error` for a value, or an item of several, that is out of range or not a choice."""
        name = name.replace("_", " ")
        for item in value if isinstance(value, tuple) else (value,):
            if self.choices and item not in self.choices:
                raise error(
                    f"There is no {name.removesuffix('s')} {item!r:.60}: choose from "
                    f"{', '.join(self.choices)}."
                )
            if self.range_text and not self.allows(item):
                raise error(f"The {name} must be {self.range_text}, not {item:g}.")


def setting(default: Any, label: str, help: str, **further: Any) -> Any:
    """Return the dataclass field of a setting; `further` as in `Setting`."""
    return field(default=default, metadata={"setting": Setting(label, help, **further)})


def settings(recipe: "Recipe | type[Recipe]") -> dict[str, Setting]:
    """Return the settings of a recipe by their names, in order."""
    return {f.name: f.metadata["setting"] for f in fields(recipe) if "setting" in f.metadata}


@dataclass(frozen=True)
class Recipe:
    """Settings that a training's result depends on; to and from JSON.

    Raises an `error` for a value that is out of range or not a choice.
    """

    error: ClassVar[type[TiqaError]] = TrainingError
    kind: ClassVar[str] = "training recipe"

    def __post_init__(self) -> None:
        """Refuse what cannot work; a list, as JSON has it, is taken for a tuple."""
        for each in fields(self):
            if isinstance(value := getattr(self, each.name), list):
                object.__setattr__(self, each.name, tuple(value))
        for name, described in settings(self).items():
            described.check(name, getattr(self, name), self.error)

    def to_json(self) -> str:
        """Return the recipe as a JSON document."""
        return json.dumps({"format_version": _FORMAT_VERSION} | asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a recipe back; raises an `error` for what is not a recipe, or one of a newer version."""
        try:
            values: dict[str, Any] = parse_json(text)
            version = values.pop("format_version")
            if version == _FORMAT_VERSION:
                return cls(**values)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise cls.error(
                f"This is not a {cls.kind}: it may be damaged or written by another program."
            ) from error
        raise cls.error(
            f"This {cls.kind} has format version {version!s:.20}, but this napari-tiqa reads version "
            f"{_FORMAT_VERSION} only: update napari-tiqa to use it."
        )

    def differs_from(self, other: Self) -> list[str]:
        """Name the settings that are not the same in both."""
        return [f.name for f in fields(self) if getattr(self, f.name) != getattr(other, f.name)]
