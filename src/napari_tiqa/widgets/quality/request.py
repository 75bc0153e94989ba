"""What is scored or mapped, frozen in the main thread: a job never sees a widget, a layer or the viewer."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from napari_tiqa.jobs.quality.map import MapProgress, QualityMap, score_map
from napari_tiqa.jobs.quality.score import ScoreProgress, score_volume
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow


@dataclass(frozen=True)
class ScoringRequest:
    """Which slices to score."""

    volume: Volume
    axis: int
    slices: tuple[int, ...]
    model: Path | None = None
    window: IntensityWindow | None = None
    tiles: str = "whole"

    def run(self, progress: Callable[[ScoreProgress], object], cancel: threading.Event) -> pd.DataFrame:
        """Score them."""
        return score_volume(
            self.volume,
            axis=self.axis,
            model=self.model,
            slices=self.slices,
            progress=progress,
            window=self.window,
            cancel=cancel,
            tiles=self.tiles,
        )


@dataclass(frozen=True)
class MapRequest:
    """Which slice to map."""

    volume: Volume
    axis: int
    index: int
    model: Path | None = None
    window: IntensityWindow | None = None

    def run(self, progress: Callable[[MapProgress], object], cancel: threading.Event) -> QualityMap:
        """Map it."""
        return score_map(
            self.volume,
            self.index,
            axis=self.axis,
            model=self.model,
            window=self.window,
            progress=progress,
            cancel=cancel,
        )
