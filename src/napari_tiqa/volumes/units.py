"""Units of length: the names that files give them, the names that napari shows, and their factors."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# Metres per unit. The keys are names that pint, and so napari, understands.
METRES = {
    "pm": 1e-12,
    "angstrom": 1e-10,
    "nm": 1e-9,
    "µm": 1e-6,
    "mm": 1e-3,
    "cm": 1e-2,
    "m": 1.0,
    "inch": 0.0254,
}
SPELLINGS = {
    "å": "angstrom",
    "ångström": "angstrom",
    "um": "µm",
    "μm": "µm",  # Greek mu; the key of METRES is the micro sign
    "\\u00b5m": "µm",  # as ImageJ escapes it
    "micron": "µm",
    "microns": "µm",
    "in": "inch",
}
_PREFIXES = {"pico": "pm", "nano": "nm", "micro": "µm", "milli": "mm", "centi": "cm", "": "m"}
SPELLINGS |= {f"{prefix}{m}": unit for prefix, unit in _PREFIXES.items() for m in ("meter", "metre")}


def known_unit(name: Any) -> str:
    """Return the unit's name as napari shows it; "pixel" where it is none or unknown."""
    plain = name.strip() if isinstance(name, str) else ""
    if plain in METRES:
        return plain
    plain = plain.lower()
    return plain if plain in METRES else SPELLINGS.get(plain, "pixel")


@dataclass(frozen=True)
class Calibration:
    """Sizes along (z, y, x) or (y, x) in one unit, and what kept them from being read.

    Attributes
    ----------
    sizes : tuple of float
        Positive and finite.
    unit : str
        A key of METRES, or "pixel".
    problem : str
        Why the sizes are 1 pixel though the file gives some, to stand after a colon; empty where it
        gives none, or they can be used.
    """

    sizes: tuple[float, ...]
    unit: str
    problem: str = ""

    @classmethod
    def unknown(cls, count: int, problem: str = "") -> "Calibration":
        """Return as many sizes of 1 pixel."""
        return cls((1.0,) * count, "pixel", problem)

    def warnings(self, name: str) -> tuple[str, ...]:
        """Return the sentence that tells of the problem, for `Volume.warnings`."""
        if not self.problem:
            return ()
        return (f"The voxel size of '{name}' cannot be used and is taken as 1 pixel: {self.problem}.",)


def calibration(sizes: Sequence[Any], units: Sequence[Any]) -> Calibration:
    """Express sizes along (z, y, x) or (y, x), as a file gives them, in the unit of x.

    Without units (None) the sizes are kept in pixels. Where a size is not a positive number, a unit is not
    known, or only some have one, all become 1 pixel, and the problem says so: a voxel size is worth less
    than the pixels, which can be scored without it.
    """
    numbers = [_number(size) for size in sizes]
    for size, number in zip(sizes, numbers, strict=True):
        if not (math.isfinite(number) and number > 0):
            return Calibration.unknown(len(sizes), f"it is given as {_shown(size)}, not as a positive number")
    known = [known_unit(unit) for unit in units]
    odd = [given for given, unit in zip(units, known, strict=True) if unit == "pixel" and not _no_unit(given)]
    if odd:
        return Calibration.unknown(len(sizes), f"its unit {_shown(odd[0])} is not a known unit of length")
    if "pixel" in known and len(set(known)) > 1:
        return Calibration.unknown(len(sizes), "only some of its sizes have a unit of length")
    if "pixel" in known:
        return Calibration(tuple(numbers), "pixel")
    unit = known[-1]
    common = tuple(
        # A size in the wanted unit stays the very number that the file holds.
        number if own == unit else number * METRES[own] / METRES[unit]
        for number, own in zip(numbers, known, strict=True)
    )
    if not all(math.isfinite(size) and size > 0 for size in common):
        return Calibration.unknown(len(sizes), f"{_shown(sizes[0])} {known[0]} cannot be expressed in {unit}")
    return Calibration(common, unit)


def _no_unit(given: Any) -> bool:
    """Tell whether a file gives no unit, or says that there is none."""
    return given is None or (isinstance(given, str) and given.strip().lower() in ("pixel", "pixels", "px"))


def _number(size: Any) -> float:
    try:
        return float(size)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _shown(value: Any) -> str:
    text = " ".join(str(value).split())
    return f"'{text[:40]}'"
