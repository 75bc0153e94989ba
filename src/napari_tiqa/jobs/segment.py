"""Segment a volume slice by slice: reading, the network and writing overlap, memory stays bounded."""

import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from napari_tiqa.jobs.segmentation_result import Segmentation
from napari_tiqa.volumes.window import IntensityWindow


@dataclass(frozen=True)
class PredictProgress:
    """How far a run over a volume is.

    Attributes
    ----------
    done, total : int
        Of the slices asked for; those that were there already count as done.
    seconds_left : float or None
        None until it is known how fast the run is.
    index : int or None
        The slice just done, which can be read from `segmentation` now; None in the first report, which comes
        before any slice.
    segmentation : Segmentation
        What ``predict`` will return, so that slices can be shown while others are under way.
    """

    done: int
    total: int
    seconds_left: float | None
    index: int | None
    segmentation: Segmentation


def predict(
    volume: Any,
    model: str | os.PathLike[str] | None = None,
    slices: slice | Iterable[int] | None = None,
    axis: int = 0,
    window: IntensityWindow | tuple[float, float] | None = None,
    *,
    output: str | os.PathLike[str] | None = None,
    again: bool = False,
    progress: Callable[[PredictProgress], object] | None = None,
    cancel: threading.Event | None = None,
) -> Segmentation:
    """Segment the slices of a volume along one axis.

    Slices that are in `output` already, by the same model and window and of the same volume, are not segmented
    again: the same call goes on where a cancel, an error or the end of the process has stopped it, and a call
    for other slices adds them.

    Parameters
    ----------
    volume : Volume, array-like or path
        Shape (z, y, x) or (y, x), any real dtype; one position of its time and channel axes.
    model : path-like, optional
        A segmenter's bundle; the bundled one, for battery electrodes, where omitted.
    slices : slice, range or iterable of int, optional
        Indices along the axis, negative ones from the end; all slices where omitted.
    axis : int
        Which axis to go along: 0, 1 or 2.
    window : IntensityWindow or (low, high), optional
        The intensity window; the volume's own, or estimated, where omitted.
    output : path-like, optional
        A folder to keep the probabilities in, by custom ``*.zarr``: a new one, or one with slices of this volume.
        Where omitted, they are kept in the cache folder until this Python process ends, and later calls for the
        same volume, model and window go on with them.
    again : bool
        Segment also slices that are there already.
    progress : callable, optional
        Called in this thread with a PredictProgress, before the first slice and after each; what it raises ends
        the run.
    cancel : threading.Event, optional
        Set it, from any thread, to end the run in less than a second.

    Returns
    -------
    Segmentation
        All slices that are done, also by earlier calls.

    Raises
    ------
    SegmentationError
        `output` holds something else, such as slices by another model; another run writes to it; or it cannot be
        written.
    VolumeError
        The volume cannot be read, or has no such axis, slices or window.
    BundleError
        The model cannot be used.
    ModelProcessError
        The model process cannot start or dies; the same call goes on from there.
    Cancelled
        `cancel` was set; what is done is kept.
    """
    raise NotImplementedError
