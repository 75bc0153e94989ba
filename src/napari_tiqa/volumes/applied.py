"""What was applied to a volume: the note of it that files and layers carry."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from napari_tiqa.errors import VolumeError
from napari_tiqa.json_text import parse_json
from napari_tiqa.volumes.window import IntensityWindow

KEY = "napari_tiqa"
"""Under this key the note stands: in Zarr attributes, ImageJ's "Info", an OME annotation, layer metadata."""

Applied = tuple[Mapping[str, Any], ...]
"""A record per pipeline that was applied, the first one first; ``filtering.applied`` makes them."""


def note(applied: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """Return the note that goes under `KEY`: plain values that JSON can hold."""
    return {"applied": [dict(record) for record in applied], **more}


def note_text(applied: Sequence[Mapping[str, Any]], **more: Any) -> str:
    """Return the note as JSON text, `KEY` included, for formats that keep text; ASCII, as ImageJ wants it."""
    return json.dumps({KEY: note(applied, **more)}, indent=1)


def note_in(text: Any) -> dict[str, Any]:
    """Return the note in a text; empty where there is none, as in what other programs wrote."""
    try:
        found = parse_json(text)
    except (TypeError, ValueError):
        return {}
    return note_under(found)


def note_under(values: Any) -> dict[str, Any]:
    """Return the note in Zarr attributes or layer metadata; empty where there is none."""
    found = values.get(KEY) if isinstance(values, Mapping) else None
    return dict(found) if isinstance(found, Mapping) else {}


def applied_in(found: Mapping[str, Any]) -> Applied:
    """Return the records of a note; anything else is left out."""
    records = found.get("applied")
    return tuple(r for r in records if isinstance(r, Mapping)) if isinstance(records, list) else ()


def window_in(applied: Applied) -> IntensityWindow | None:
    """Return the intensity window that the last pipeline was applied with, None where no record has one.

    A filtered volume is scored in it, so that its score can be compared with that of the unfiltered one.
    """
    for record in reversed(applied):
        try:
            return IntensityWindow(**record["window"])
        except (KeyError, TypeError, VolumeError):
            continue
    return None
