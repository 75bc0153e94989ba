"""Score filtered slices as they come, to compare settings of a filter."""

import os
import threading
from collections.abc import Sequence

import numpy as np
import pandas as pd

from napari_tiqa.errors import FilterError
from napari_tiqa.jobs.model_process import shared_model_process
from napari_tiqa.jobs.score import score_volume
from napari_tiqa.jobs.waiting import wait_for
from napari_tiqa.scoring.fidelity import fidelity
from napari_tiqa.scoring.native_tiles import prepare_native_tiles
from napari_tiqa.scoring.table import SCORE_DECIMALS
from napari_tiqa.volumes.window import IntensityWindow

FIDELITY, SCORE = "fidelity", "score"
AIMS = (FIDELITY, SCORE)
"""What settings of a filter can be compared by: nearness to the truth, or what people would say."""

OBJECTIVE = "objective"
"""Column that settings of a filter are compared by: higher is better."""

_ESTIMATE = "napari_tiqa.scoring.fidelity:estimate_similarities"


def score_slices(
    planes: Sequence[np.ndarray],
    window: IntensityWindow,
    model: str | os.PathLike[str] | None = None,
    *,
    aim: str = FIDELITY,
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
        A model bundle for the score; the default model where omitted.
    aim : str
        One of `AIMS`: which column is the objective.
    cancel : threading.Event, optional
        Set it, from any thread, to end in less than a second.

    Returns
    -------
    pandas.DataFrame
        A row per plane with the columns of a score table; `FIDELITY`, 0 to 1, the estimated similarity to a
        perfect scan of the same slice (``scoring.fidelity``), NaN where there is no place for a tile; and
        `OBJECTIVE`.

    Raises
    ------
    FilterError
        If there is no such aim.
    VolumeError, BundleError, ModelProcessError, Cancelled
        As ``score_volume``.
    """
    if aim not in AIMS:
        raise FilterError(f"Settings cannot be compared by '{aim}': choose {' or '.join(AIMS)}.")
    cancel = cancel or threading.Event()
    tiles = [prepare_native_tiles(plane, window).tiles for plane in planes]
    estimate = shared_model_process().run(_ESTIMATE, {"tiles": np.concatenate(tiles)})
    try:
        table = score_volume(np.stack(planes), model=model, window=window, cancel=cancel)
        similarities = wait_for(estimate.result, TimeoutError, cancel)
    finally:
        estimate.cancel()
    ends = np.cumsum([len(one) for one in tiles])
    parts = np.split(fidelity(similarities), ends[:-1])
    table[FIDELITY] = [round(float(part.mean()), SCORE_DECIMALS) if len(part) else np.nan for part in parts]
    return table.assign(**{OBJECTIVE: table[aim]})
