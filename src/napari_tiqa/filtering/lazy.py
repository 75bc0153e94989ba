"""A volume whose slices are filtered when they are asked for."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_tiqa.filtering.applied import applied_record, refuse_twice
from napari_tiqa.filtering.ring_centre import settled
from napari_tiqa.volumes.stored import Box, Stored, lazy
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow, estimate_window

if TYPE_CHECKING:
    from napari_tiqa.filtering.pipeline import Pipeline


class FilteredStack(Stored):
    """A volume as an array of filtered slices; each is read, filtered and let go whenever it is asked for."""

    def __init__(self, volume: Volume, axis: int, function: Callable[[np.ndarray], np.ndarray]) -> None:
        self.volume = volume
        self.axis = axis
        self.function = function
        self.shape = volume.data.shape
        self.dtype = volume.data.dtype.newbyteorder("=")

    def read_into(self, box: Box, out: np.ndarray) -> None:
        """Filter the slices that the box touches, whole, and copy what it takes of them."""
        if self.ndim == 2:
            out[...] = self.function(self.volume.slice(0, 0))[box]
            return
        within = tuple(side for axis, side in enumerate(box) if axis != self.axis)
        planes = np.moveaxis(out, self.axis, 0)
        along = box[self.axis]
        for place, index in enumerate(range(along.start, along.stop, along.step)):
            planes[place] = self.function(self.volume.slice(self.axis, index))[within]


def map_volume(
    pipeline: "Pipeline",
    volume: Volume,
    axis: int = 0,
    window: IntensityWindow | tuple[float, float] | None = None,
    *,
    again: bool = False,
) -> Volume:
    """Apply a pipeline lazily; see ``Pipeline.map``."""
    tomogram = volume.tomogram()
    count = tomogram.slice_count(axis)
    if not any(step.on for step in pipeline.steps):
        return tomogram
    if not again:
        refuse_twice(pipeline, tomogram)
    window = volume_window(tomogram, window)
    pipeline = settled(pipeline, tomogram, window, count // 2)
    shape = tomogram.data.shape
    one_slice = tuple(1 if len(shape) == 3 and a == axis else length for a, length in enumerate(shape))
    filtered = FilteredStack(tomogram, axis, lambda plane: pipeline(plane, window))
    return replace(
        tomogram,
        data=lazy(filtered, one_slice),
        pyramid=(),
        window=window,
        applied=(*tomogram.applied, applied_record(pipeline, tomogram, axis, window)),
    )


def volume_window(tomogram: Volume, window: IntensityWindow | tuple[float, float] | None) -> IntensityWindow:
    """Return the window given, else the volume's own, else an estimate.

    Raises
    ------
    VolumeError
        The window is no window, or none can be estimated since the volume has no contrast.
    """
    if isinstance(window, tuple):
        return IntensityWindow(*window, rule="given")
    return window or tomogram.window or estimate_window(tomogram)
