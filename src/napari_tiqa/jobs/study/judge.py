"""What the two networks make of versions of a slice with known phases: score, segmentation, agreement."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.jobs.process.messages import ModelFile
from napari_tiqa.jobs.process.waiting import answer_of
from napari_tiqa.jobs.quality.score import score_volume
from napari_tiqa.jobs.segmentation.result import decided
from napari_tiqa.scoring.views import OVERVIEW
from napari_tiqa.segmentation.agreement import accuracy, f1_score, iou_score
from napari_tiqa.segmentation.classes import NOT_LABELLED, Classes
from napari_tiqa.segmentation.network_input import network_image
from napari_tiqa.segmentation.two_point import two_point_correlation
from napari_tiqa.segmentation.uncertainty import found_errors, uncertainty_map
from napari_tiqa.volumes.window import IntensityWindow

UNIT_WINDOW = IntensityWindow(0, 1, "applied before the distortion")
"""The window of versions, whose own one has been applied."""

MakeVersion = Callable[[], np.ndarray]
"""Makes a version, shape (rows, columns), float32, the intensity window mapped to [0, 1], not clipped."""

_SEGMENT = "napari_tiqa.segmentation.segmenter:segment_image"
# The model process works on one version while the other is distorted or measured.
_IN_FLIGHT = 2


@dataclass(frozen=True)
class KnownSlice:
    """The truth of a slice.

    `truth` has label values, `judged` is True where a pixel is labelled and has a value in the image; both
    have the shape (rows, columns). `value` is the phase that F1, IoU and two-point correlation are of.
    """

    truth: np.ndarray
    judged: np.ndarray
    value: int

    @classmethod
    def of(
        cls, truth: np.ndarray, image: np.ndarray, classes: Classes, unlabelled: int | None, value: int
    ) -> "KnownSlice":
        """Take what is labelled of an image, where that is finite; SegmentationError for unknown values."""
        labelled = replace(classes, unlabelled=unlabelled).indices(truth) != NOT_LABELLED
        return cls(truth, labelled & np.isfinite(image), value)

    def curves(self, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the two-point correlation of the phase in `labels` along y and x, normalised."""
        phase = labels == self.value
        where = None if self.judged.all() else self.judged
        return two_point_correlation(phase, 0, where=where), two_point_correlation(phase, 1, where=where)


@dataclass(frozen=True)
class Judgement:
    """What was found of one version, as in ``StudiedVersion``, and the curves along y and x, normalised."""

    score: float
    f1: float
    iou: float
    accuracy: float
    uncertainty: float
    errors_found: float
    curves: tuple[np.ndarray, np.ndarray]


class VersionJudge:
    """The score's and the segmentation's network, for versions of slices; `cancel` ends every wait."""

    def __init__(
        self, segmenter: ModelFile, classes: Classes, quality: ModelFile, cancel: threading.Event
    ) -> None:
        self._segmenter = segmenter
        self._classes = classes
        self._quality = quality
        self._cancel = cancel

    def judgements(self, versions: Iterable[MakeVersion], known: KnownSlice) -> Iterator[Judgement]:
        """Judge versions of a slice, made in threads, two at a time, in order; raises as ``score_volume``."""
        threads = ThreadPoolExecutor(_IN_FLIGHT, thread_name_prefix="version of a slice")
        try:
            for begun in [threads.submit(self._judge, make, known) for make in versions]:
                yield answer_of(begun, self._cancel)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)

    def segment(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Segment a version; raises as ``score_volume``.

        Returns label values, the likeliest class of each pixel, also where it has no value; and the
        uncertainty, float32, nats, NaN where the image has no value.
        """
        return self._decided(image, self._begin(image))

    def _judge(self, make: MakeVersion, known: KnownSlice) -> Judgement:
        image = make()
        probabilities = self._begin(image)
        try:
            # Its turn comes when the segmentation, sent before it, is done.
            scored = score_volume(
                image, model=self._quality.path, window=UNIT_WINDOW, view=OVERVIEW, cancel=self._cancel
            )
        except BaseException:
            probabilities.cancel()
            raise
        labels, uncertainty = self._decided(image, probabilities)
        predicted, true = labels[known.judged], known.truth[known.judged]
        unsure = uncertainty[np.isfinite(uncertainty)]
        return Judgement(
            score=float(scored["score"].iloc[0]),
            f1=f1_score(predicted, true, known.value, unlabelled=None),
            iou=iou_score(predicted, true, known.value, unlabelled=None),
            accuracy=accuracy(predicted, true, unlabelled=None),
            uncertainty=float(unsure.mean()) if unsure.size else np.nan,
            errors_found=found_errors(uncertainty[known.judged], predicted != true),
            curves=known.curves(labels),
        )

    def _begin(self, image: np.ndarray) -> Future[np.ndarray]:
        arguments = {"path": self._segmenter.path, "image": network_image(image, UNIT_WINDOW)}
        return shared_model_process().run(_SEGMENT, arguments)

    def _decided(self, image: np.ndarray, answer: Future[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        probabilities = answer_of(answer, self._cancel)
        uncertainty = uncertainty_map(probabilities)
        uncertainty[~np.isfinite(image)] = np.nan
        return decided(probabilities, self._classes), uncertainty
