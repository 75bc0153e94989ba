"""The training of a segmenter, as the dock starts it: from an image and its labels, or from a run folder."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from threading import Event
from typing import Any

import dask.array as da

from napari_tiqa.jobs.segmentation.train import resume_segmenter, train_segmenter
from napari_tiqa.segmentation.recipe import SegmentationRecipe
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.training.job import TrainingJob
from napari_tiqa.widgets.training.runs import StartedRuns, TrainingRun


@dataclass(frozen=True)
class SegmenterTraining:
    """What to train.

    Attributes
    ----------
    recipe : SegmentationRecipe
    run : TrainingRun
    image : Volume
    labels : dask.array.Array
        Shape of the image.
    unlabelled : int or None
        The label value that means "not labelled".
    names : tuple of str
        One for each class, in the order of their values.
    axis : int
        Along which the labelled slices lie.
    window : IntensityWindow or None
        The image's; None where nobody has estimated it yet.
    """

    recipe: SegmentationRecipe
    run: TrainingRun
    image: Volume
    labels: da.Array
    unlabelled: int | None
    names: tuple[str, ...]
    axis: int
    window: IntensityWindow | None

    def __call__(self, report: Callable[[Any], None], cancel: Event) -> dict[str, Any]:
        """Train, and return the card of the bundle."""
        return train_segmenter(
            self.image,
            self.labels,
            self.run.output,
            run_folder=self.run.folder,
            recipe=self.recipe,
            unlabelled=self.unlabelled,
            names=self.names,
            axis=self.axis,
            window=self.window,
            progress=report,
            cancel=cancel,
        )


@dataclass(frozen=True)
class ResumedSegmenterTraining:
    """A training to go on with, from what its run folder holds: the layers may be gone."""

    run: TrainingRun

    def __call__(self, report: Callable[[Any], None], cancel: Event) -> dict[str, Any]:
        """Go on, and return the card of the bundle."""
        return resume_segmenter(self.run.folder, self.run.output, progress=report, cancel=cancel)


@cache
def shared_segmenter_job() -> TrainingJob:
    """Return the one training of a segmenter in this napari."""
    return TrainingJob(StartedRuns("segmenter_runs.json"))
