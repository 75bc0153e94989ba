"""A segmentation as images for other programs: OME-Zarr with voxel size and unit, by the probabilities."""

import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from napari_tiqa.errors import Cancelled
from napari_tiqa.jobs.process.waiting import ahead
from napari_tiqa.jobs.segmentation.result import Segmentation, decided
from napari_tiqa.jobs.segmentation.store import cannot_write
from napari_tiqa.segmentation.uncertainty import uncertainty_map
from napari_tiqa.volumes.threads import CORES
from napari_tiqa.volumes.writing.ome_zarr import OmeZarrLabelsWriter, OmeZarrWriter
from napari_tiqa.volumes.writing.volume_writer import VolumeLayout
from napari_tiqa.wording import expanded

_READ_AHEAD = 2 * CORES


def write_images(
    segmentation: Segmentation,
    store: str | os.PathLike[str],
    *,
    threshold: float = 0.5,
    uncertainty: bool = False,
    progress: Callable[[int], object] | None = None,
    cancel: threading.Event | None = None,
) -> None:
    """Write what the probabilities say as images into the folder `store` that they are kept in.

    ``segmentation`` holds label values, 0 where there is none; ``uncertainty`` entropies, float32, nats, NaN
    where there is none: written where asked for, and brought up to date where it is there. Both are OME-Zarr
    0.4 images of the whole volume, with smaller levels for display. They take the place of earlier ones when
    they are complete; nothing is left of what was not. The network is not needed for them.

    `progress` is called in this thread with the number of slices written. Raises SegmentationError if the
    threshold is not a probability or the images cannot be written, and Cancelled.
    """
    store, cancel = expanded(store), cancel or threading.Event()
    dtypes = {"segmentation": segmentation.segmentation(threshold).dtype}
    if uncertainty or (store / "uncertainty").exists():
        dtypes["uncertainty"] = np.dtype(np.float32)
    writers = {
        name: _writer(segmentation, store / _unfinished(name), dtype) for name, dtype in dtypes.items()
    }
    images = partial(_images, segmentation, threshold, tuple(writers))
    count = len(segmentation.done)
    try:
        for writer in writers.values():
            shutil.rmtree(writer.path, ignore_errors=True)  # of a run that was killed
            writer.begin(0)
        with ThreadPoolExecutor(CORES, thread_name_prefix="napari-tiqa-images") as pool:
            for index, planes in enumerate(ahead(pool, images, range(count), _READ_AHEAD, cancel)):
                if cancel.is_set():
                    raise Cancelled("The writing of images was cancelled.")
                for name, plane in planes.items():
                    writers[name].write(index, plane)
                if progress:
                    progress(index + 1)
        for name in writers:
            shutil.rmtree(store / name, ignore_errors=True)
            os.replace(store / _unfinished(name), store / name)
    except OSError as error:
        raise cannot_write(store, error) from error
    finally:
        for writer in writers.values():
            shutil.rmtree(writer.path, ignore_errors=True)


def _unfinished(name: str) -> str:
    return f".{name}.unfinished"


def _writer(segmentation: Segmentation, path: Path, dtype: np.dtype) -> OmeZarrWriter:
    record = segmentation.record
    shape, sizes = tuple(record["shape"]), tuple(record["voxel_size"])
    layout = VolumeLayout(shape, dtype, sizes, record["unit"], segmentation.axis, ())
    return (OmeZarrWriter if dtype.kind == "f" else OmeZarrLabelsWriter)(path, layout)


def _images(
    segmentation: Segmentation, threshold: float, names: tuple[str, ...], index: int
) -> dict[str, np.ndarray]:
    probabilities = segmentation.slice(index)
    images = {"segmentation": decided(probabilities, segmentation.classes, threshold)}
    if "uncertainty" in names:
        images["uncertainty"] = uncertainty_map(probabilities)
    return images
