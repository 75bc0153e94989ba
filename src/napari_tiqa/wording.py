"""Parts of sentences and names for people: what went wrong, some of many names, a name that is free."""

import os
from collections.abc import Container, Sequence
from pathlib import Path


def cause(error: BaseException) -> str:
    """Return what an error of another library says, in one line without a full stop, to stand in brackets."""
    text = str(getattr(error, "strerror", None) or error)
    text = " ".join(text.split()).rstrip(".") or type(error).__name__
    return text if len(text) <= _LONGEST_CAUSE else f"{text[:_LONGEST_CAUSE]}…"


_LONGEST_CAUSE = 300  # letters; a library may repeat what a damaged file holds
_LONGEST = 100  # letters of a name in a sentence


def some(names: Sequence[str], shown: int = 3) -> str:
    """Name the first of many: "a, b, c and 4 more"."""
    more = len(names) - shown
    brief = [name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…" for name in names[:shown]]
    return ", ".join(brief) + (f" and {more} more" if more > 0 else "")


def counted(number: int, noun: str, verbs: tuple[str, str] | None = None) -> str:
    """Return a number with its noun, in the plural where it is not one: "1 slice", "3 slices".

    Parameters
    ----------
    number : int
        How many there are; "None of the" is the caller's to say.
    noun : str
        In the singular; its plural takes an s.
    verbs : tuple of str, optional
        The verb after one and after several, added where given: ``counted(1, "slice", ("is", "are"))``.
    """
    text = f"{number} {noun}{'s' * (number != 1)}"
    return f"{text} {verbs[number != 1]}" if verbs else text


def what_differs(names: Sequence[str], separator: str = ", ") -> list[str]:
    """Return names without the parts that all of them have, each still telling it from the others.

    Parameters
    ----------
    names : sequence of str
        Such as "electrode, axis z" and "electrode, axis y", which become "axis z" and "axis y". A name all
        of whose parts the others have, too, keeps its first; a single name stays as it is.
    separator : str
        Between the parts of a name.
    """
    parts = [name.split(separator) for name in names]
    if len(names) < 2:
        return list(names)
    common = set(parts[0]).intersection(*parts[1:])
    short = [separator.join([part for part in own if part not in common] or own[:1]) for own in parts]
    return short if len(set(short)) == len(set(names)) else list(names)


def percent(value: float) -> str:
    """Return a number of per cent without a fraction, never "-0 %"."""
    return f"{value:z.0f} %"


def free_name(name: str, taken: Container[str], numbered: str = "{name} ({number})") -> str:
    """Return a name, with a number from 2 upwards where it is taken: "scan (2)".

    Parameters
    ----------
    name : str
        The name wanted.
    taken : container of str
        Names that are in use.
    numbered : str
        How the number is written, with ``{name}`` and ``{number}``.
    """
    free, number = name, 1
    while free in taken:
        number += 1
        free = numbered.format(name=name, number=number)
    return free


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return a path with the home folder for a leading "~"; "~name.npy" stays, where nobody has that name.

    Path.expanduser would raise for it.
    """
    return Path(os.path.expanduser(path))


def free_path(path: Path, numbered: str = "{name} {number}") -> Path:
    """Return a path at which there is nothing yet, with a number before its suffix: "scan 2.tif"."""
    free, number = path, 1
    while expanded(free).exists():
        number += 1
        free = path.with_name(numbered.format(name=path.stem, number=number) + path.suffix)
    return free
