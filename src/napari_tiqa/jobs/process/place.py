"""Where a job writes: room on the disk, and places that may not be written over."""

import shutil
from pathlib import Path

from napari_tiqa.errors import ExportError
from napari_tiqa.volumes.readers.ome_zarr import is_zarr
from napari_tiqa.volumes.volume import Volume


def free_space(output: Path) -> int:
    """Return how many bytes are free where a file or folder is to be; ExportError without the folder."""
    try:
        return shutil.disk_usage(output.parent).free
    except OSError as error:
        raise ExportError(f"There is no folder {output.parent}: make it, or choose another place.") from error


def size_text(count: int) -> str:
    """Return a number of bytes for people: "3.2 GB"."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"


def stored_at(volume: Volume) -> Path | None:
    """Return the file or the outermost folder that a volume is read from, None for one in memory."""
    text = volume.source
    while text and not Path(text).exists():
        text = text.rpartition(":")[0]  # the dataset of an HDF5 file
    if not text:
        return None
    path = Path(text).resolve()
    while is_zarr(path.parent):
        path = path.parent
    return path


def refuse_input(output: Path, volume: Volume, verb: str) -> None:
    """Raise ExportError for an output that is the volume, holds it or lies in it; `verb`: "filtered"."""
    source = stored_at(volume)
    if source is None:
        return
    place = output.resolve()
    if place == source or place in source.parents:
        raise ExportError(f"{output} is the volume to be {verb}, or holds it: choose another name.")
    if source in place.parents:
        raise ExportError(f"{output} lies inside the volume to be {verb}: choose a place outside {source}.")


def is_taken(output: Path) -> bool:
    """Tell whether something is there; an empty folder, as dialogs make them, is nothing."""
    return any(output.iterdir()) if output.is_dir() else output.exists()
