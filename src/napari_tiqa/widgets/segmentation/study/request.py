"""What the Study tab does in the background: frozen in the main thread, knows no widget and no layer."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dask.array as da

from napari_tiqa.jobs.study.files import write_study
from napari_tiqa.jobs.study.result import Study
from napari_tiqa.jobs.study.study import StudyProgress, study_segmentation
from napari_tiqa.jobs.study.version import SeenVersion, seen_version
from napari_tiqa.segmentation.segmenter import classes_of, segmenter_card
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow


@dataclass(frozen=True)
class StudyRequest:
    """Which slices to study, with which models; `slices` None for a few of those that are labelled."""

    volume: Volume
    axis: int
    labels: da.Array
    slices: list[int] | None
    value: int | None
    model: Path | None
    quality_model: Path | None
    window: IntensityWindow | None

    def run(self, report: Callable[[StudyProgress], object], cancel: threading.Event) -> Study:
        """Study."""
        found = study_segmentation(
            self.volume,
            self.labels,
            model=self.model,
            slices=self.slices,
            axis=self.axis,
            unlabelled=classes_of(segmenter_card(self.model)).unlabelled,
            value=self.value,
            window=self.window,
            quality_model=self.quality_model,
            progress=report,
            cancel=cancel,
        )
        _ = found.correlations  # here, since they take longer than a window may stand still
        return found

    def version(self, found: Study, index: int, distortion: str, level: int) -> "VersionRequest":
        """Return what makes a version of a studied slice again."""
        window = IntensityWindow(**found.record["window"])
        return VersionRequest(self, window, int(found.record["seed"]), index, distortion, level)


@dataclass(frozen=True)
class VersionRequest:
    """Which version of which slice of a study to look at."""

    study: StudyRequest
    window: IntensityWindow
    seed: int
    index: int
    distortion: str
    level: int

    def run(self, _report: Callable[[object], object], cancel: threading.Event) -> SeenVersion:
        """Make and segment it."""
        return seen_version(
            self.study.volume,
            self.study.axis,
            self.index,
            self.distortion,
            self.level,
            self.window,
            self.study.model,
            seed=self.seed,
            cancel=cancel,
        )


@dataclass(frozen=True)
class SaveRequest:
    """Where to write a study."""

    study: Study
    folder: Path

    def run(self, _report: Callable[[object], object], _cancel: threading.Event) -> list[Path]:
        """Write it."""
        return write_study(self.study, self.folder)
