"""Whether the chunks of a Zarr array are there; Zarr reads those that are not as the fill value."""

import os
from pathlib import Path

import zarr

from napari_tiqa.wording import counted


def missing_rows(array: zarr.Array, folder: Path, name: str) -> tuple[str, ...]:
    """Return a sentence where whole rows of chunks along the first long axis are not stored.

    Single chunks may be left out on purpose, where all their pixels have the fill value; whole rows are more
    likely lost in a copy that was not finished. One folder is listed, whatever the size of the array.
    """
    sides = getattr(array, "shards", None) or array.chunks
    counts = [-(-length // side) for length, side in zip(array.shape, sides, strict=True)]
    axis = next((axis for axis, count in enumerate(counts) if count > 1), 0)
    missing = sorted(set(range(counts[axis])) - _stored_rows(array, folder / array.path, axis))
    if not missing:
        return ()
    first, last = missing[0] * sides[axis], min((missing[-1] + 1) * sides[axis], array.shape[axis]) - 1
    return (
        f"{counted(len(missing), 'row')} of the {counts[axis]} rows of chunks of '{name}' "
        f"{'is' if len(missing) == 1 else 'are'} not stored, between places {first} and {last} along its "
        f"axis {axis}: the pixels there are read as {array.fill_value}.",
    )


def _stored_rows(array: zarr.Array, place: Path, axis: int) -> set[int]:
    """Return the rows of chunks of which at least one is stored, from the names in one folder."""
    metadata = array.metadata
    if metadata.zarr_format == 2:
        separator, prefix = metadata.dimension_separator, 0
    else:
        encoding = metadata.chunk_key_encoding
        separator = encoding.separator
        prefix = 1 if encoding.name == "default" else 0  # "c", before the numbers
    if separator == "/":
        place = place.joinpath(*(["c"] * prefix + ["0"] * axis))
        position = 0
    else:
        position = prefix + axis
    try:
        names = os.listdir(place)
    except (FileNotFoundError, NotADirectoryError):
        return set()
    parts = ([name] if separator == "/" else name.split(separator) for name in names)
    return {int(part[position]) for part in parts if len(part) > position and part[position].isdecimal()}
