"""What the Segment tab does in the background: frozen in the main thread, knows no widget and no layer."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_tiqa.jobs.segment import PredictProgress, predict
from napari_tiqa.jobs.segmentation_result import Segmentation
from napari_tiqa.segmentation.segmenter import classes_of, segmenter_card
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow


@dataclass(frozen=True)
class SegmentRequest:
    """Which slices of a volume to segment, with which model; None for all of them, or for the bundled one."""

    volume: Volume
    model: Path | None
    slices: tuple[int, ...] | None
    axis: int
    window: IntensityWindow | None

    def run(self, report: Callable[[PredictProgress], object], cancel: threading.Event) -> Segmentation:
        """Segment."""
        return predict(
            self.volume, self.model, self.slices, self.axis, self.window, progress=report, cancel=cancel
        )


@dataclass(frozen=True)
class ModelFacts:
    """What a user should know of a segmenter before using it."""

    model: Path | None
    sentence: str


def read_facts(model: Path | None) -> ModelFacts:
    """Read a model's card.

    Raises
    ------
    BundleError
        If it is no segmenter, or damaged.
    """
    card: dict[str, Any] = segmenter_card(model)
    names = ", ".join(f"“{name}”" for name in classes_of(card).names)
    domain = str(card.get("domain", "")).strip()
    return ModelFacts(model, f"Tells apart {names}. {domain}".rstrip())
