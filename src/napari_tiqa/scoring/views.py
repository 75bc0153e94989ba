"""Which scales of a slice are looked at: the names of the views, of records and of options."""

from typing import Any

from napari_tiqa.errors import VolumeError

PYRAMID, OVERVIEW, NATIVE = "pyramid", "overview", "native"
VIEWS = (PYRAMID, OVERVIEW, NATIVE)
"""Every scale (``scoring.pyramid``); the whole slice at 224 px, as in the paper; its own pixels alone."""

_EARLIER = {"whole": OVERVIEW, "native": NATIVE}


def check_view(view: str) -> None:
    """Raise VolumeError for what is not one of `VIEWS`."""
    if view not in VIEWS:
        raise VolumeError(
            f"Slices cannot be scored in the view '{view}': choose {', '.join(VIEWS[:-1])} or {VIEWS[-1]}."
        )


def view_of(record: dict[str, Any]) -> str:
    """Return the view that scores were made in, by the record of their run; "" where that is unknown.

    Until there was a pyramid, records said how the tiles of a slice were made: "whole" or "native".
    """
    tiles = record.get("tiles")
    mode = tiles.get("mode") if isinstance(tiles, dict) else tiles
    return str(record.get("view") or _EARLIER.get(str(mode), ""))
