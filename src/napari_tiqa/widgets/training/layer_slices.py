"""Slices of layers written as TIFF files, so that a training can be repeated without the layers."""

import re
import threading
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import tifffile

from napari_tiqa.errors import Cancelled, TrainingError
from napari_tiqa.volumes.slices import evenly
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.whole_file import whole_file


def write_layer_slices(
    volumes: Sequence[Volume], count: int, folder: Path, cancel: threading.Event | None = None
) -> tuple[str, ...]:
    """Write slices of each volume into one TIFF file a volume, since a file is a specimen to the training.

    Parameters
    ----------
    volumes : sequence of Volume
        2-D or 3-D; slices are cut across the first axis.
    count : int
        Slices of each, evenly spaced; of a volume with fewer, all.
    folder : pathlib.Path
        Where to write; it is made.
    cancel : threading.Event, optional
        Set it to stop.

    Returns
    -------
    tuple of str
        The files, in the order of the volumes.

    Raises
    ------
    Cancelled
        Once `cancel` is set.
    TrainingError
        If a file cannot be written.
    VolumeError
        If a slice cannot be read.
    """
    paths: list[str] = []
    for volume in volumes:
        planes = []
        for index in slice_places(volume.slice_count(0), count):
            if cancel is not None and cancel.is_set():
                raise Cancelled("The training was cancelled before it began.")
            planes.append(np.asarray(volume.slice(0, index)))
        path = folder / f"{_free_stem(volume.name, paths)}.tif"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tiff = BytesIO()
            tifffile.imwrite(tiff, np.stack(planes), photometric="minisblack", metadata={"axes": "ZYX"})
            with whole_file(path) as file:
                file.write(tiff.getbuffer())
        except OSError as error:
            raise TrainingError(
                f"The slices of '{volume.name}' cannot be written to {folder} ({error.strerror}); "
                "make room there or save the model elsewhere."
            ) from error
        paths.append(str(path))
    return tuple(paths)


def slice_places(present: int, wanted: int) -> list[int]:
    """Return which slices to take: evenly spaced, none twice."""
    return evenly(min(present, wanted), present)


def _free_stem(name: str, taken: Sequence[str]) -> str:
    stem = re.sub(r"[^\w\- ]+", "_", name).strip() or "layer"
    stems = {Path(path).stem for path in taken}
    number = 1
    free = stem
    while free in stems:
        number += 1
        free = f"{stem} {number}"
    return free
