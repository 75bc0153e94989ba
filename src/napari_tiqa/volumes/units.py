"""Units of length: the names that files give them, the names that napari shows, and their factors."""

from collections.abc import Sequence

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


def known_unit(name: str | None) -> str:
    """Return the unit's name as napari shows it; "pixel" where it is none or unknown."""
    plain = (name or "").strip()
    if plain in METRES:
        return plain
    plain = plain.lower()
    return plain if plain in METRES else SPELLINGS.get(plain, "pixel")


def common_unit(sizes: Sequence[float], units: Sequence[str | None]) -> tuple[tuple[float, ...], str]:
    """Express sizes along (z, y, x) or (y, x) in the unit of x.

    Sizes that are not positive count as unknown. Where one is unknown, or only some have a unit of
    length, all become 1.0 and the unit "pixel"; otherwise the unit is a key of METRES.
    """
    known = [known_unit(unit) for unit in units]
    lengths = [unit in METRES for unit in known]
    if not all(size > 0 for size in sizes) or any(lengths) != all(lengths):
        return (1.0,) * len(sizes), "pixel"
    if not all(lengths):
        return tuple(float(size) for size in sizes), "pixel"
    unit = known[-1]
    return tuple(
        # A size in the wanted unit stays the very number that the file holds.
        float(size) if own == unit else float(size) * METRES[own] / METRES[unit]
        for size, own in zip(sizes, known, strict=True)
    ), unit
