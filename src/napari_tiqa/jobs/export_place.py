"""Where an export goes: refused before any work where it would do harm or cannot end well."""

import os
import shutil
from pathlib import Path

from napari_tiqa.errors import ExportError, TiqaError
from napari_tiqa.jobs.unfinished_export import is_taken
from napari_tiqa.volumes.ome_zarr import is_zarr
from napari_tiqa.volumes.open import open_volume
from napari_tiqa.volumes.volume import Volume


def check_place(output: Path, volume: Volume, overwrite: bool) -> None:
    """Refuse a place that the volume itself lies in, that is taken, or that cannot be written to.

    Parameters
    ----------
    output : pathlib.Path
        The file or folder to be.
    volume : Volume
        What is exported.
    overwrite : bool
        Whether an earlier export may be replaced; anything else never is.

    Raises
    ------
    ExportError
        With what to do instead.
    """
    folder = output.parent
    free_space(output)  # there is such a folder
    refuse_input(output, volume, "filtered")
    if is_taken(output):
        if not is_export(output):
            raise ExportError(
                f"{output} exists already and was not exported by napari-tiqa: choose another name, or "
                "remove it yourself."
            )
        if not overwrite:
            error = ExportError(
                f"{output} exists already: choose another name, or add --overwrite (in Python: "
                "overwrite=True) to replace it."
            )
            error.replaceable = True
            raise error
    if not os.access(folder, os.W_OK):
        raise ExportError(f"The folder {folder} is not writable: choose another place.")


def check_space(output: Path, needed: int) -> None:
    """Refuse to fill a disk.

    Parameters
    ----------
    output : pathlib.Path
        The file or folder to be.
    needed : int
        Bytes that are still to be written.

    Raises
    ------
    ExportError
        If there are fewer.
    """
    free = free_space(output)
    if needed > free:
        raise ExportError(
            f"The export may take {size_text(needed)}, and the disk of {output.parent} has {size_text(free)} "
            "left: make room, or choose another place."
        )


def free_space(output: Path) -> int:
    """Return how many bytes are free where a file or folder is to be.

    Raises
    ------
    ExportError
        There is no such folder.
    """
    try:
        return shutil.disk_usage(output.parent).free
    except OSError as error:
        raise ExportError(f"There is no folder {output.parent}: make it, or choose another place.") from error


def is_export(path: Path) -> bool:
    """Tell whether a file or folder is a volume that says what was applied to it."""
    try:
        return bool(open_volume(path).applied)
    except TiqaError:
        return False


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
    """Refuse to write over a volume that is still to be read.

    Parameters
    ----------
    output : pathlib.Path
        The file or folder to be.
    volume : Volume
        What is read.
    verb : str
        What is done to it: "filtered".

    Raises
    ------
    ExportError
        The output is the volume, holds it, or lies in it.
    """
    source = stored_at(volume)
    if source is None:
        return
    place = output.resolve()
    if place == source or place in source.parents:
        raise ExportError(f"{output} is the volume to be {verb}, or holds it: choose another name.")
    if source in place.parents:
        raise ExportError(f"{output} lies inside the volume to be {verb}: choose a place outside {source}.")
