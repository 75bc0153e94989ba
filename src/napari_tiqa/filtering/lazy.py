"""A volume whose slices are filtered when they are asked for."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from napari_tiqa.arguments import checked_arguments
from napari_tiqa.errors import FilterError
from napari_tiqa.filtering.applied import applied_record, refuse_twice
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.filtering.settled import settled
from napari_tiqa.volumes.applied import Applied
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.stored import Box, Stored, lazy
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.volumes.window_estimate import volume_window

_KEPT_BYTES = 128 * 2**20  # of filtered slices: a viewer asks for one again whenever it draws


@dataclass(frozen=True)
class Application:
    """A pipeline, automatic values found, ready to be applied to a volume's slices along an axis.

    `record` is what the filtered volume says of its origin; see ``filtering.applied``.
    """

    volume: Volume
    axis: int
    pipeline: Pipeline
    window: IntensityWindow
    record: dict[str, Any]

    def __call__(self, plane: np.ndarray) -> np.ndarray:
        """Filter a slice of the volume."""
        return self.pipeline(plane, self.window)

    @property
    def applied(self) -> Applied:
        """All that was applied to get the filtered volume."""
        return (*self.volume.applied, self.record)


@checked_arguments
def filter_volume(
    volume: Volume,
    pipeline: Pipeline,
    *,
    axis: int | str = 0,
    window: IntensityWindow | tuple[float, float] | None = None,
    again: bool = False,
) -> Volume:
    """Apply a pipeline to a volume lazily, each slice when it is asked for.

    What is the same for all slices is settled now, and only this reads anything: the window, and an
    automatic ring centre, from the middle slice.

    Parameters
    ----------
    volume : Volume
        Shape (z, y, x) or (y, x); one position of its time and channel axes (``Volume.tomogram``).
    pipeline : Pipeline
        Filters in order.
    axis : int or str
        0, 1, 2 or "z", "y", "x": filter the slices across z, y or x.
    window : IntensityWindow or (low, high), optional
        What parameters "% of the window" refer to; the volume's own, or estimated, where omitted.
    again : bool
        Apply it also where `Volume.applied` says that it has been applied already.

    Returns
    -------
    Volume
        Axes, voxel size, unit, shape and dtype of `volume`, `window` set, `applied` with this pipeline's
        record; a chunk per slice, so that a viewer shows one at once. A slice is filtered anew each
        time it is asked for, and one across another axis needs them all: ``export`` stores them.

    Raises
    ------
    FilterError
        The pipeline has been applied already, or none of its steps is on.
    VolumeError
        A leading axis is still open, there is no such axis, or no window can be estimated.
    """
    application = apply_to(pipeline, volume, axis=axis, window=window, again=again)
    volume, shape = application.volume, application.volume.data.shape
    one_slice = tuple(1 if len(shape) == 3 and a == axis else length for a, length in enumerate(shape))
    data = lazy(_FilteredStack(application), one_slice)
    return replace(volume, data=data, pyramid=(), window=application.window, applied=application.applied)


def apply_to(
    pipeline: Pipeline,
    volume: Volume,
    *,
    axis: int | str = 0,
    window: IntensityWindow | tuple[float, float] | None = None,
    again: bool = False,
) -> Application:
    """Settle what is the same for all slices: the window, and an automatic ring centre.

    Parameters and errors are those of ``filter_volume``; some patches and, for a ring centre, the middle
    slice are read.
    """
    tomogram = as_volume(volume).tomogram()
    axis = tomogram.axis_number(axis)
    count = tomogram.slice_count(axis)
    if not any(step.on for step in pipeline.steps):
        raise FilterError("No step of the pipeline is on, so there is nothing to apply: switch one on.")
    if not again:
        refuse_twice(pipeline, tomogram)
    window = volume_window(tomogram, window)
    pipeline = settled(pipeline, tomogram, window, count // 2, axis)
    return Application(tomogram, axis, pipeline, window, applied_record(pipeline, tomogram, axis, window))


class _FilteredStack(Stored):
    """A volume as an array of filtered slices, each read and filtered when it is asked for."""

    def __init__(self, application: Application) -> None:
        self.application = application
        data = application.volume.data
        self.shape, self.dtype = data.shape, data.dtype.newbyteorder("=")
        plane_bytes = data.nbytes // application.volume.slice_count(application.axis)
        self._filtered = lru_cache(max(_KEPT_BYTES // plane_bytes, 1))(self._filter)

    def read_into(self, box: Box, out: np.ndarray) -> None:
        """Filter the slices that the box touches, whole, and copy what it takes of them."""
        if self.ndim == 2:
            out[...] = self._filtered(0)[box]
            return
        axis = self.application.axis
        within = tuple(side for dimension, side in enumerate(box) if dimension != axis)
        planes = np.moveaxis(out, axis, 0)
        along = box[axis]
        for place, index in enumerate(range(along.start, along.stop, along.step)):
            planes[place] = self._filtered(index)[within]

    def _filter(self, index: int) -> np.ndarray:
        application = self.application
        return application(application.volume.slice(application.axis, index))
