"""One version of a studied slice to look at: the distorted slice, its segmentation, its uncertainty."""

import os
import threading
from dataclasses import dataclass

import numpy as np

from napari_tiqa.jobs.process.messages import ModelFile
from napari_tiqa.jobs.process.record import checked_model, model_card
from napari_tiqa.jobs.study.judge import VersionJudge
from napari_tiqa.jobs.study.study import study_seed
from napari_tiqa.scoring.bundle import SEGMENTATION
from napari_tiqa.segmentation.native_distortions import native_fields, native_version
from napari_tiqa.segmentation.network_input import unit_image
from napari_tiqa.segmentation.segmenter import classes_of
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow


@dataclass(frozen=True)
class SeenVersion:
    """A version of a slice and what the segmenter makes of it, each of shape (rows, columns).

    The image is float32 in the volume's grey values, the uncertainty float32 in nats, NaN where the image has
    no value; `classes` is how many the segmenter tells apart.
    """

    image: np.ndarray
    labels: np.ndarray
    uncertainty: np.ndarray
    classes: int


def seen_version(
    volume: Volume,
    axis: int,
    index: int,
    distortion: str,
    level: int,
    window: IntensityWindow,
    model: str | os.PathLike[str] | None = None,
    *,
    seed: int = 0,
    cancel: threading.Event | None = None,
) -> SeenVersion:
    """Make a version of a slice again, as the study has made it, and segment it; raises as the study.

    A study keeps numbers only: the images of a few slices would fill the memory. The window is that of its
    record.
    """
    segmenter = checked_model(model, SEGMENTATION)
    classes = classes_of(model_card(segmenter, SEGMENTATION))
    image = unit_image(volume.slice(axis, index), window)
    fields = native_fields((image.shape[0], image.shape[1]), study_seed(seed, index))
    version = native_version(image, distortion, level, fields)
    judge = VersionJudge(segmenter, classes, ModelFile.of(None), cancel or threading.Event())
    labels, uncertainty = judge.segment(version)
    grey = version.astype(np.float64) * (window.high - window.low) + window.low
    return SeenVersion(grey, labels, uncertainty, len(classes))
