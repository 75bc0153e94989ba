"""Runs of the quality dock that no network has made."""

import numpy as np
from napari.layers import Layer

from napari_tiqa.scoring.table import ScoredSlice
from napari_tiqa.widgets.quality.panel import QualityPanel
from napari_tiqa.widgets.quality.run_shelf import ShelvedRun
from napari_tiqa.widgets.quality.score_run import ScoreRun

LOST = {"ring": 0.0, "blur": 0.0, "noise": 0.0, "streaks": 0.0, "shading": 0.0, "smoothing": 0.0}


def shelve(
    panel: QualityPanel, layer: Layer, scores: list[float], name: str = "", **lost: float
) -> ShelvedRun:
    """Give a dock an ended run of a layer; what a slice lacks to 5 is lost to rings, or as `lost` says."""
    rows = []
    for index, score in enumerate(scores):
        if np.isfinite(score):
            rows.append(ScoredSlice(index, index, score, 0.2, **LOST | (lost or {"ring": 5 - score})))
        else:
            rows.append(ScoredSlice(index, index, np.nan, reason="constant value"))
    run = ScoreRun(name or f"{layer.name}, axis z", "z", "pixel", 1.0, 0, {}, len(rows), rows, "done")
    entry = panel.shelf.add(run, layer)
    panel.results.add(entry)
    return entry
