"""The slices that a person writes, in a dock or a shell: ``7``, ``40-60``, ``40:60``, ``::4``, ``0,5,-1``."""

import re
from collections.abc import Iterable

from napari_tiqa.errors import VolumeError

Slices = slice | str | Iterable[int] | None
"""How a caller chooses slices: as ``slices_of`` reads a text, a slice, indices, or None for all."""

SLICES_HELP = "7, 40-60 (60 included), 40:60 (60 excluded), ::4, -1 (the last), or several with commas"

_INDEX = re.compile(r"-?\d+")
_RANGE = re.compile(r"(-?\d+)\s*[-–]\s*(-?\d+)(?:\s*:\s*(\d+))?")
_PYTHON = re.compile(r"(-?\d+)?\s*:\s*(-?\d+)?(?:\s*:\s*(-?\d+)?)?")


def check_slices(text: str) -> None:
    """Refuse a text that ``slices_of`` would not understand for any number of slices; raises VolumeError."""
    for part in text.split(","):
        if not _understood(part.strip()):
            raise VolumeError(f"'{text}' does not name slices: write {SLICES_HELP}.")


def slices_of(text: str, count: int) -> list[int]:
    """Return the slices that a text names, in its order and none twice.

    Parameters
    ----------
    text : str
        Indices and ranges with commas between: "7" and "-1" (the last) are slices, "40-60" and "0-90:10"
        (every tenth) are ranges with both ends, "40:60" and "::4" are Python's: the end is excluded.
    count : int
        How many slices there are.

    Returns
    -------
    list of int
        From 0 to `count` - 1; empty where ranges of Python's kind hold none.

    Raises
    ------
    VolumeError
        If the text cannot be understood, or names a slice that does not exist.
    """
    check_slices(text)
    found: list[int] = []
    for part in map(str.strip, text.split(",")):
        if python := _PYTHON.fullmatch(part):
            found += range(count)[slice(*(int(number) if number else None for number in python.groups()))]
            continue
        written = _RANGE.fullmatch(part)
        first, last = (written[1], written[2]) if written else (part, part)
        start, end = (_from_start(int(number), count) for number in (first, last))
        if start > end:
            raise VolumeError(f"'{part}' runs backwards: write the lower slice first.")
        found += range(start, end + 1, int((written and written[3]) or 1))
    return list(dict.fromkeys(found))


def _understood(part: str) -> bool:
    ranged = _RANGE.fullmatch(part) or _PYTHON.fullmatch(part)
    step = ranged[3] if ranged else None
    return bool(_INDEX.fullmatch(part) or ranged) and (step is None or int(step) != 0)


def _from_start(index: int, count: int) -> int:
    if not -count <= index < count:
        raise VolumeError(f"There is no slice {index}: choose from 0 to {count - 1}.")
    return index % count
