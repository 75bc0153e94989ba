"""Physical figures of the slices of a volume: what experts know a scan by, beside its score."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import pandas as pd

from napari_tiqa.arguments import checked_arguments
from napari_tiqa.jobs.process.record import volume_record
from napari_tiqa.physics.figures import FIGURES, PhysicalFigures, physical_figures
from napari_tiqa.progress import Pace, Progress
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.region import as_region
from napari_tiqa.volumes.slice_grammar import Slices
from napari_tiqa.volumes.slices import chosen_slices, map_numbered


@dataclass(frozen=True)
class MeasureProgress(Progress):
    """How far the measuring is, in slices, and what was measured of the last one, the slice `index`."""

    index: int
    figures: PhysicalFigures


@checked_arguments
def measure_volume(
    volume: Any,
    *,
    slices: Slices = None,
    axis: int | str = 0,
    region: Any = None,
    progress: Callable[[MeasureProgress], object] | None = None,
    cancel: threading.Event | None = None,
) -> pd.DataFrame:
    """Measure physical figures of the slices of a volume along one axis.

    Parameters
    ----------
    volume : Volume, array-like or path
        Shape (z, y, x), any real dtype; a 2-D image is a volume of one slice.
    slices : slice, iterable of int or str, optional
        As in ``score_volume``; all slices where omitted.
    axis : int or str
        Which axis to go along: 0, 1, 2 or "z", "y", "x".
    region : "circle", path or array-like, optional
        Where the pixels lie that count, see ``score_volume``; whole slices where omitted.
    progress : callable, optional
        Called after each slice, by one thread at a time, with a MeasureProgress; what it raises ends the
        work.
    cancel : threading.Event, optional
        Set it, from any thread, to end the work after the slices under way.

    Returns
    -------
    pandas.DataFrame
        Columns slice, position and those of ``physics.figures.PhysicalFigures``, a row per slice in the order
        asked for; lengths are in the volume's unit, px where it has none. ``attrs`` is the record.

    Raises
    ------
    VolumeError
        If the volume cannot be read, there is no such axis or slices, or the region cannot be used.
    Cancelled
        If `cancel` was set.

    Notes
    -----
    Where pixels of a slice are not square, lengths are given by the geometric mean of their sides.
    """
    tomogram = as_volume(volume).tomogram()
    axis = tomogram.axis_number(axis)
    indices = chosen_slices(tomogram, slices, axis)
    sides = list(tomogram.voxel_size)
    along = sides.pop(axis) if len(sides) == 3 else 1.0
    part = as_region(region, tomogram, axis)
    pixel_size = math.sqrt(math.prod(sides))

    pace, finished, lock = Pace(len(indices)), count(1), threading.Lock()

    def measured(index: int, plane: np.ndarray) -> PhysicalFigures:
        figures = physical_figures(plane, pixel_size, part.inside(plane, index) if part else None)
        if progress:
            with lock:  # here, since slices are given in the order asked for, slab by slab: much later
                done = next(finished)
                progress(MeasureProgress(done, pace.total, pace.seconds_left(done), index, figures))
        return figures

    found = map_numbered(tomogram, axis, indices, measured, cancel=cancel)
    rows = [(index, float(f"{index * along:.10g}"), *figures) for index, figures in found]
    table = pd.DataFrame(rows, columns=["slice", "position", *FIGURES])
    table.attrs.update(volume_record(tomogram, axis) | ({"region": part.record()} if part else {}))
    return table
