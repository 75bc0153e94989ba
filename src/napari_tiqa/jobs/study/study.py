"""Quality against segmentation: distort slices whose phases are known, score and segment each version."""

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_tiqa.arguments import checked_arguments
from napari_tiqa.errors import Cancelled, SegmentationError, TiqaError
from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.jobs.process.kept_work import KeptWork
from napari_tiqa.jobs.process.messages import ModelFile
from napari_tiqa.jobs.process.record import checked_model, fingerprint, model_card, run_record
from napari_tiqa.jobs.study.judge import KnownSlice, VersionJudge
from napari_tiqa.jobs.study.result import TRUTH, Curve, StudiedVersion, Study
from napari_tiqa.progress import Pace, Progress
from napari_tiqa.report_folder import write_report
from napari_tiqa.scoring.bundle import SEGMENTATION
from napari_tiqa.scoring.views import OVERVIEW
from napari_tiqa.segmentation.classes import Classes, checked_labels
from napari_tiqa.segmentation.native_distortions import VERSIONS, native_fields, native_version
from napari_tiqa.segmentation.network_input import unit_image
from napari_tiqa.segmentation.segmenter import classes_of
from napari_tiqa.segmentation.trained_on import TrainedSlices
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.slice_grammar import Slices
from napari_tiqa.volumes.slices import chosen_slices, evenly, map_slices
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow, as_window
from napari_tiqa.volumes.window_estimate import volume_window

DEFAULT_SLICES = 5
"""Labelled slices that stand for a volume where none are named, evenly spread over those that there are."""


FILES = (
    "table.csv",
    "correlations.csv",
    "two_point.csv",
    "record.json",
    "measures.png",
    "f1_over_score.png",
    "two_point.png",
)
"""What ``write_study`` writes."""


_FIGURES = StudiedVersion._fields[3:]
"""What is measured of a version."""


@dataclass(frozen=True)
class StudyProgress(Progress):
    """Versions of slices done, and the one just done."""

    version: StudiedVersion


@checked_arguments
def study_segmentation(
    volume: Any,
    labels: Any,
    *,
    slices: Slices = None,
    axis: int | str = 0,
    model: str | os.PathLike[str] | None = None,
    quality_model: str | os.PathLike[str] | None = None,
    window: IntensityWindow | tuple[float, float] | None = None,
    unlabelled: int | None = 0,
    value: int | None = None,
    seed: int = 0,
    resume: str | os.PathLike[str] | None = None,
    progress: Callable[[StudyProgress], object] | None = None,
    cancel: threading.Event | None = None,
) -> Study:
    """Find out what image quality does to a segmentation; Figs. 6 and 7 and Table 1 of Zhang et al. 2022.

    Of each slice sixteen versions are made: as it is, and levels 1 to 5 of blur, noise and rings. Each is
    scored and segmented, and the segmentation compared with the labels. The levels are made at the slice's
    own resolution such that the slice shrunk to 224 px, which the score sees, has exactly the published level
    (``segmentation.native_distortions``); the segmentation sees the same version unshrunk.

    Parameters
    ----------
    volume : Volume, array-like or path
        Shape (z, y, x) or (y, x), any real dtype.
    labels : Volume, array-like or path
        Labels, integers, of the same shape; they may be sparse.
    slices : slice or iterable of int, optional
        Indices along the axis, each with labelled pixels; where omitted all that are labelled, of more than
        five five, evenly spread.
    axis : int or str
        Along which slices are cut: 0, 1, 2 or "z", "y", "x".
    model : path-like, optional
        A segmenter's bundle; the bundled one, for battery electrodes, where omitted.
    quality_model : path-like, optional
        The bundle that scores; the default model where omitted.
    window : IntensityWindow or (low, high), optional
        The intensity window; the volume's own, or estimated, where omitted.
    unlabelled : int or None
        The label value of pixels that nothing is known of. A value that the model tells apart is a class,
        never unlabelled.
    value : int, optional
        The label value of the phase that F1, IoU and two-point correlation are of; the model's last class
        where omitted.
    seed : int
        Fixes noise and rings; slices get different ones, the levels of a slice the same.
    resume : path-like, optional
        A file in which each version is kept as soon as it is judged: after any end, the same call with the
        same file resumes there, with the same result. It is removed at the end.
    progress : callable, optional
        Called in this thread with a StudyProgress after each version; what it raises ends the study.
    cancel : threading.Event, optional
        Set it, from any thread, to end in about a second.

    Returns
    -------
    Study
        Not `complete` if it was cancelled after at least one version was done.

    Raises
    ------
    SegmentationError
        If the labels have another shape than the image, are no labels, or hold values that the model does not
        know; if nothing is labelled, or the model has no such `value`.
    VolumeError
        If a volume cannot be read, or has no contrast or no such slices.
    BundleError
        If a model cannot be used.
    ModelProcessError
        If the model process cannot start or dies; what was done before is its ``table``.
    ResumeError
        If `resume` is of another run, in use, or cannot be written.
    Cancelled
        If `cancel` was set before any version was done.
    """
    cancel = cancel or threading.Event()
    segmenter = checked_model(model, SEGMENTATION)
    classes = classes_of(model_card(segmenter, SEGMENTATION))
    quality = checked_model(quality_model)
    value = classes.values[-1] if value is None else value
    if value not in classes.values:
        known = ", ".join(map(str, classes.values))
        raise SegmentationError(f"The model has no class {value}: choose one of {known}.")
    tomogram, window = as_volume(volume).tomogram(), as_window(window)
    labelled = _Labelled(
        tomogram,
        as_volume(labels).tomogram(),
        tomogram.axis_number(axis),
        None if unlabelled in classes.values else unlabelled,
    )
    shared_model_process().start()  # Keras is imported while slices are read
    indices = labelled.indices(slices, cancel)
    window = volume_window(labelled.volume, window)
    run = _Run(labelled, indices, window, classes, value, segmenter, quality, seed)
    with KeptWork(resume, run.plan() if resume is not None else {}) as run.kept:
        study = _studied(run, progress, cancel)
        if study.complete:
            run.kept.finish()
    return study


def _studied(
    run: "_Run", progress: Callable[[StudyProgress], object] | None, cancel: threading.Event
) -> Study:
    pace = Pace(len(run.indices) * len(VERSIONS))
    try:
        for version in run.versions(cancel):
            done = len(run.done)
            if progress:
                progress(StudyProgress(done, pace.total, pace.seconds_left(done), version))
    except Cancelled:
        if not run.done:
            raise
        return run.result(complete=False)
    except TiqaError as error:
        if run.done:
            error.table = run.result(complete=False).table
        raise
    return run.result(complete=True)


def write_study(study: Study, folder: str | os.PathLike[str]) -> list[Path]:
    """Write tables, figures and record into a folder, each file as a whole, and return their paths.

    The folder is made where it is not there, files of `FILES` are replaced. Raises TableError if it cannot be
    made or written to.
    """
    # matplotlib takes a second to import, which the dock and the shell do not wait for.
    from napari_tiqa.jobs.study.figures import f1_figure, measures_figure, two_point_figure

    return write_report(
        folder,
        "The study",
        {
            "table.csv": study.table,
            "correlations.csv": study.correlations,
            "two_point.csv": study.two_point,
        },
        study.record | {"sentence": study.sentence()},
        {
            "measures.png": lambda: measures_figure(study),
            "f1_over_score.png": lambda: f1_figure(study),
            "two_point.png": lambda: two_point_figure(study),
        },
        float_format="%.6g",
    )


def study_seed(seed: int, index: int) -> int:
    """Return the seed of a slice's noise and rings in a study."""
    return seed + index


@dataclass(frozen=True)
class _Labelled:
    """A volume and its labels, which lie on it voxel by voxel."""

    volume: Volume
    labels: Volume
    axis: int
    unlabelled: int | None

    def __post_init__(self) -> None:
        shape, own = self.volume.data.shape, self.labels.data.shape
        if own != shape:
            raise SegmentationError(
                f"The labels have the shape {own}, the image {shape}: give labels of the same voxels."
            )
        checked_labels(np.empty(0, self.labels.data.dtype))

    def indices(self, slices: Slices, cancel: threading.Event) -> list[int]:
        """Choose the slices to study."""
        volume, axis = self.volume, self.axis
        asked = chosen_slices(volume, slices, axis)
        if self.unlabelled is None:
            labelled = asked
        else:
            found = map_slices(self.labels, axis, asked, self._has_labels, cancel=cancel)
            labelled = [index for index, has in found if has]
        if not labelled:
            raise SegmentationError(
                "No pixel of these slices is labelled: label some of each class, or choose other slices."
            )
        if slices is not None:
            if len(labelled) < len(asked):
                empty = next(index for index in asked if index not in labelled)
                raise SegmentationError(f"Slice {empty} has no labelled pixel: choose slices that have.")
            return labelled
        return [labelled[place] for place in evenly(min(DEFAULT_SLICES, len(labelled)), len(labelled))]

    def _has_labels(self, plane: np.ndarray) -> bool:
        return bool((plane != self.unlabelled).any())


@dataclass
class _Run:
    """One study under way: `done` and `curves` fill up."""

    labelled: _Labelled
    indices: list[int]
    window: IntensityWindow
    classes: Classes
    value: int
    segmenter: ModelFile
    quality: ModelFile
    seed: int
    done: list[StudiedVersion] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    kept: KeptWork = field(default_factory=lambda: KeptWork(None, {}))
    trained: set[int] = field(default_factory=set)  # slices that the segmenter was trained on

    def __post_init__(self) -> None:
        card = model_card(self.segmenter, SEGMENTATION)
        self._known = TrainedSlices(card, self.labelled.volume, self.labelled.axis)

    def plan(self) -> dict[str, Any]:
        """Return all that decides the study: only the same may be resumed."""
        return {
            "volume_sha256": fingerprint(self.labelled.volume, self.labelled.axis),
            "labels_sha256": [
                hashlib.sha256(self.labelled.labels.slice(self.labelled.axis, index).tobytes()).hexdigest()
                for index in self.indices
            ],
            "axis": self.labelled.axis,
            "slices": self.indices,
            "window": [self.window.low, self.window.high],
            "models": [
                model_card(self.segmenter, SEGMENTATION)["weights_sha256"],
                model_card(self.quality)["weights_sha256"],
            ],
            "value": self.value,
            "unlabelled": self.labelled.unlabelled,
            "seed": self.seed,
        }

    def versions(self, cancel: threading.Event) -> Iterator[StudiedVersion]:
        judge = VersionJudge(self.segmenter, self.classes, self.quality, cancel)
        for index in self.indices:
            yield from self._of_slice(index, judge)

    def result(self, complete: bool) -> Study:
        volume, axis = self.labelled.volume, self.labelled.axis
        record = run_record(volume, axis, self.window, self.quality, shared_model_process().device)
        weights = model_card(self.segmenter, SEGMENTATION)["weights_sha256"]
        name = self.classes.names[self.classes.values.index(self.value)]
        record |= {
            "view": OVERVIEW,  # the levels of distortion are those of the overview
            "segmenter": {"path": self.segmenter.path, "weights_sha256": weights},
            "phase": {"value": self.value, "name": name},
            "unlabelled": self.labelled.unlabelled,
            "slices": self.indices,
            "trained_on": sorted(self.trained),
            "seed": self.seed,
            "complete": complete,
        }
        table = pd.DataFrame(self.done, columns=list(StudiedVersion._fields))
        table.attrs.update(record)
        return Study(table, tuple(self.curves), complete, record)

    def _of_slice(self, index: int, judge: VersionJudge) -> Iterator[StudiedVersion]:
        labelled = self.labelled
        image = unit_image(labelled.volume.slice(labelled.axis, index), self.window)
        truth = np.asarray(labelled.labels.slice(labelled.axis, index))
        if self._known.holds(index, truth):
            self.trained.add(index)
        try:
            known = KnownSlice.of(truth, image, self.classes, labelled.unlabelled, self.value)
        except SegmentationError as error:
            raise SegmentationError(f"Slice {index}: {error}") from error
        fields = native_fields((image.shape[0], image.shape[1]), study_seed(self.seed, index))
        names = {version: f"{index} {version[0]} {version[1]}" for version in VERSIONS}
        left = [version for version in VERSIONS if names[version] not in self.kept.pieces]
        makers = [partial(native_version, image, kind, level, fields) for kind, level in left]
        judgements = judge.judgements(makers, known)
        self._add_curves(index, TRUTH, 0, known.curves(truth))
        for kind, level in VERSIONS:
            name = names[kind, level]
            if name not in self.kept.pieces:
                found = next(judgements)
                figures = [getattr(found, figure) for figure in _FIGURES]
                self.kept.add(name, [figures, [curve.tolist() for curve in found.curves]])
            figures, curves = self.kept.pieces[name]
            self._add_curves(index, kind, level, tuple(map(np.array, curves)))
            version = StudiedVersion(index, kind, level, *figures)
            self.done.append(version)
            yield version

    def _add_curves(self, index: int, distortion: str, level: int, curves: tuple[np.ndarray, ...]) -> None:
        volume = self.labelled.volume
        across = (
            [0, 1] if volume.data.ndim == 2 else [item for item in range(3) if item != self.labelled.axis]
        )
        for axis, values in zip(across, curves, strict=True):
            step = volume.voxel_size[axis]
            self.curves.append(Curve(index, distortion, level, volume.axes[axis], step, values))
