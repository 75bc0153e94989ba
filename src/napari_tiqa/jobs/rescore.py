"""Score filtered slices as they come, to compare settings of a filter."""

import os
import threading
from collections.abc import Sequence

import numpy as np
import pandas as pd

from napari_tiqa.jobs.score import score_volume
from napari_tiqa.volumes.window import IntensityWindow

OBJECTIVE = "objective"
"""Column that settings of a filter are compared by: higher is better."""


def score_slices(
    planes: Sequence[np.ndarray],
    window: IntensityWindow,
    model: str | os.PathLike[str] | None = None,
    *,
    cancel: threading.Event | None = None,
) -> pd.DataFrame:
    """Score slices in one go, all in the same intensity window.

    Parameters
    ----------
    planes : sequence of numpy.ndarray
        Each of shape (rows, columns), one shape for all, any real dtype.
    window : IntensityWindow
        That of the unfiltered volume: filters must not win by changing it.
    model : path-like, optional
        A model bundle; the default model where omitted.
    cancel : threading.Event, optional
        Set it, from any thread, to end in less than a second.

    Returns
    -------
    pandas.DataFrame
        A row per plane with the columns of a score table, and `OBJECTIVE`.

    Raises
    ------
    VolumeError, BundleError, ModelProcessError, Cancelled
        As ``score_volume``.
    """
    table = score_volume(np.stack(planes), model=model, window=window, cancel=cancel)
    return table.assign(**{OBJECTIVE: table["score"]})
