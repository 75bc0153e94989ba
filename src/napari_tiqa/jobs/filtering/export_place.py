"""Where an export goes: refused before any work where it would do harm or cannot end well."""

import os
from pathlib import Path

from napari_tiqa.errors import ExportError, TiqaError
from napari_tiqa.jobs.process.place import free_space, is_taken, refuse_input, size_text
from napari_tiqa.volumes.open import open_volume
from napari_tiqa.volumes.volume import Volume


def check_place(output: Path, volume: Volume, overwrite: bool) -> None:
    """Refuse a place in the volume, taken by anything but an earlier export, or not writable."""
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
    """Refuse to fill a disk: raise ExportError if fewer than the bytes still needed are free."""
    free = free_space(output)
    if needed > free:
        raise ExportError(
            f"The export may take {size_text(needed)}, and the disk of {output.parent} has {size_text(free)} "
            "left: make room, or choose another place."
        )


def is_export(path: Path) -> bool:
    """Tell whether a file or folder is a volume that says what was applied to it."""
    try:
        return bool(open_volume(path).applied)
    except TiqaError:
        return False
