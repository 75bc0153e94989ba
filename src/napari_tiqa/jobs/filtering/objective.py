"""Score filtered slices as they come, to compare settings of a filter."""

import os
import threading
from collections.abc import Sequence

import numpy as np
import pandas as pd

from napari_tiqa.errors import FilterError
from napari_tiqa.filtering.detail_loss import detail_loss
from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.jobs.process.waiting import wait_for
from napari_tiqa.jobs.quality.score import score_volume
from napari_tiqa.scoring.fidelity import fidelity
from napari_tiqa.scoring.native_tiles import native_places, native_tile
from napari_tiqa.scoring.network_input import TILE_SIZE, reflected
from napari_tiqa.scoring.table import SCORE_DECIMALS
from napari_tiqa.scoring.views import PYRAMID
from napari_tiqa.volumes.window import IntensityWindow

FIDELITY, SCORE = "fidelity", "score"
AIMS = (FIDELITY, SCORE)
"""What settings of a filter can be compared by: nearness to the truth, or what people would say."""

DETAIL_LOSS = "detail_loss"
"""Column with what filtering cost in edge steepness, per cent: ``filtering.detail_loss``."""

DETAIL_WEIGHT = 0.03
"""Fidelity that the loss of all edge steepness costs: the estimate may take fine texture for noise,
but edges that have gone are seen all the same. Little enough to decide between equals only: more makes the
typical choice worse (``python benchmarks/tuning.py`` prints the choice with and without it)."""

OBJECTIVE = "objective"
"""Column that settings of a filter are compared by: higher is better."""

_NO_TILES = np.empty((0, TILE_SIZE, TILE_SIZE), np.float32)
_ESTIMATE = "napari_tiqa.scoring.fidelity:estimate_similarities"


def check_aim(aim: str) -> None:
    """Raise FilterError for what filtered slices cannot be compared by."""
    if aim not in AIMS:
        raise FilterError(f"Pipelines cannot be compared by '{aim}': choose {' or '.join(AIMS)}.")


def score_slices(
    planes: Sequence[np.ndarray],
    window: IntensityWindow,
    model: str | os.PathLike[str] | None = None,
    *,
    unfiltered: Sequence[np.ndarray] | None = None,
    aim: str = FIDELITY,
    cancel: threading.Event | None = None,
) -> pd.DataFrame:
    """Score slices of one shape in one go, all in the same intensity window.

    They are scored at every scale, as in the quality dock. The window is that of the unfiltered volume:
    filters must not win by changing it. `unfiltered` holds what each plane was before filtering; the same
    array may stand for several planes, and where omitted, they were not filtered. The table has a row per
    plane with the columns of a score table; `FIDELITY`, 0 to 1, the estimated similarity to a perfect scan of
    the same slice (``scoring.fidelity``), NaN where there is no place for a tile; `DETAIL_LOSS`; and
    `OBJECTIVE`: the score, or the fidelity less what the loss of detail costs.

    Raises FilterError if there is no such aim, else what ``score_volume`` raises.
    """
    check_aim(aim)
    cancel = cancel or threading.Event()
    sources = list(planes if unfiltered is None else unfiltered)
    arguments, counts = _compared(planes, sources, window)
    estimate = shared_model_process().run(_ESTIMATE, arguments)
    try:
        # Measured here while the model process computes.
        losses = [_detail_loss(*pair, window) for pair in zip(sources, planes, strict=True)]
        table = score_volume(np.stack(planes), model=model, window=window, view=PYRAMID, cancel=cancel)
        similarities = wait_for(estimate.result, TimeoutError, cancel)
    finally:
        estimate.cancel()
    parts = np.split(fidelity(similarities), np.cumsum(counts)[:-1])
    means = np.array([part.mean() if len(part) else np.nan for part in parts]).round(SCORE_DECIMALS)
    table[FIDELITY] = np.where(table[SCORE].notna(), means, np.nan)
    table[DETAIL_LOSS] = losses
    cost = DETAIL_WEIGHT / 100 * table[DETAIL_LOSS].clip(lower=0).fillna(0)
    table[OBJECTIVE] = table[SCORE] if aim == SCORE else table[FIDELITY] - cost
    return table


def _detail_loss(before: np.ndarray, after: np.ndarray, window: IntensityWindow) -> float:
    return 0.0 if after is before else detail_loss(before, after, window)


def _compared(
    planes: Sequence[np.ndarray], unfiltered: Sequence[np.ndarray], window: IntensityWindow
) -> tuple[dict[str, np.ndarray], list[int]]:
    """Cut the same tiles from slices and their originals: what the estimate takes, and tiles per plane."""
    tiles: list[np.ndarray] = [_NO_TILES]
    originals: list[np.ndarray] = [_NO_TILES]
    before: list[np.ndarray] = [np.empty(0, int)]
    places: dict[int, list[tuple[int, int]]] = {}
    starts: dict[int, int] = {}
    for plane, source in zip(planes, unfiltered, strict=True):
        if id(source) not in places:
            every = native_places(source)
            cut = _cut(source, every, window)
            seen = np.ptp(cut, axis=(1, 2)) > 0
            places[id(source)] = [place for place, textured in zip(every, seen, strict=True) if textured]
            starts[id(source)] = sum(map(len, originals))
            originals.append(cut[seen])
        where = places[id(source)]
        tiles.append(_cut(plane, where, window))
        before.append(starts[id(source)] + np.arange(len(where)))
    arguments = {"tiles": tiles, "unfiltered": originals, "before": before}
    return {name: np.concatenate(parts) for name, parts in arguments.items()}, [
        len(item) for item in tiles[1:]
    ]


def _cut(plane: np.ndarray, places: Sequence[tuple[int, int]], window: IntensityWindow) -> np.ndarray:
    """Cut tiles, shape (n, 224, 224)."""
    pixels = reflected(plane)
    cut = [native_tile(pixels, row, column, window) for row, column in places]
    return np.stack(cut) if cut else _NO_TILES
