"""Axes and units as OME-Zarr names them."""

from typing import Any

_UNITS = {
    "pm": "picometer",
    "angstrom": "angstrom",
    "nm": "nanometer",
    "µm": "micrometer",
    "mm": "millimeter",
    "cm": "centimeter",
    "m": "meter",
    "inch": "inch",
}


def space_axes(names: str, unit: str) -> list[dict[str, Any]]:
    """Return the metadata of axes that lie in space.

    Parameters
    ----------
    names : str
        One letter each: "zyx".
    unit : str
        That of the voxel size, by the name that a Volume has; left out where OME-Zarr knows none, as "pixel".
    """
    known = {"unit": _UNITS[unit]} if unit in _UNITS else {}
    return [{"name": name, "type": "space", **known} for name in names]
