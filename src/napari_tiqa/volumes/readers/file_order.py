"""Files of a folder in the order of the numbers in their names, and what those numbers leave out."""

import os
import re
from collections.abc import Container, Sequence
from itertools import pairwise
from pathlib import Path

from napari_tiqa.wording import counted, some

_NUMBER = re.compile(r"(\d+)")


def files_in(folder: Path, suffixes: Container[str]) -> list[Path]:
    """Return the files with some suffixes (lower case), "slice10" after "slice9"; none that is hidden."""
    with os.scandir(folder) as entries:
        names = [
            entry.name
            for entry in entries
            if not entry.name.startswith(".")
            and os.path.splitext(entry.name)[1].lower() in suffixes
            and entry.is_file()
        ]
    return [folder / name for name in in_order(names)]


def in_order(names: Sequence[str]) -> list[str]:
    """Sort names by the values of their numbers, with or without leading zeros.

    A hyphen before a number is a sign only where some of the names have that number without it: z-1, z0, z1,
    but not slice-1, slice-2.
    """
    start = _signed_from(names)
    return sorted(names, key=lambda name: (_key(name, start), name))


def order_warnings(names: Sequence[str], folder: str) -> tuple[str, ...]:
    """Return a sentence where the names of slices are of several series, repeat a number or skip some."""
    # "-1" and "1" are one number where the hyphen is a sign.
    start = _signed_from(names)
    keys = [_key(name, start) for name in names]
    texts = {(*(part for _, part in stem if isinstance(part, str)), suffix) for stem, suffix in keys}
    if len(texts) > 1:
        shown = some(list(dict.fromkeys(_NUMBER.sub("#", name) for name in names)), 3)
        return (
            f"The files of '{folder}' are named in {len(texts)} ways ({shown}): they are taken as one "
            "tomogram, in this order.",
        )
    numbers = [[part for _, part in stem if not isinstance(part, str)] for stem, _ in keys]
    varying = [place for place, values in enumerate(zip(*numbers, strict=True)) if len(set(values)) > 1]
    counted_by = [values[varying[0]] for values in numbers] if len(varying) == 1 else []
    steps = [b - a for a, b in pairwise(counted_by)]
    if (len(names) > 1 and not varying) or 0 in steps:
        twice = names[steps.index(0) + 1] if 0 in steps else names[1]
        return (f"'{twice}' in '{folder}' has the number of the file before it: both are taken as slices.",)
    step = min(steps, default=1)
    if not all(float(number).is_integer() for number in counted_by) or sum(steps) > 10 * step * len(steps):
        return ()  # positions or times, which count nothing
    places = [place for place, wide in enumerate(steps) if wide != step]
    missing = sum(round(steps[place] / step) - 1 for place in places)
    if not places:
        return ()
    between = some([f"'{names[place]}' and '{names[place + 1]}'" for place in places])
    return (
        f"{counted(missing, 'slice', ('is', 'are'))} missing in '{folder}' by the numbers of its files, "
        f"between {between}: the others are taken as if they lay next to each other.",
    )


def _signed_from(names: Sequence[str]) -> int | None:
    """Return where in the names a number stands that has a minus sign in some of them; None for nowhere."""
    first, last = min(names, default=""), max(names, default="")
    pairs = enumerate(zip(first, last, strict=False))
    alike = next((place for place, (a, b) in pairs if a != b), 0)
    start = len(first[:alike].rstrip("0123456789"))
    after = {name[start : start + 1] for name in names if re.match(r"-?\d", name[start:])}
    return start if "-" in after and len(after) > 1 else None


def _key(name: str, signed_from: int | None) -> tuple[tuple[tuple[int, float | str], ...], str]:
    """Return text and numbers of a name, comparable with those at their places in others; and its suffix."""
    stem, suffix = os.path.splitext(name)
    # With a fraction, as in z-1.5.tif: below zero it counts the other way.
    signed = None if signed_from is None else re.match(r"-?\d+(?:\.\d+)?", stem[signed_from:])
    if signed is None or signed_from is None:
        return _unsigned(stem), suffix.lower()
    after = stem[signed_from + signed.end() :]
    return (*_unsigned(stem[:signed_from]), (0, float(signed[0])), *_unsigned(after)), suffix.lower()


def _unsigned(text: str) -> tuple[tuple[int, float | str], ...]:
    return tuple(
        (0, int(part)) if part.isdecimal() else (1, part.lower()) for part in _NUMBER.split(text) if part
    )
