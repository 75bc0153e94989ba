"""Train a segmenter from an image and its labels, in a model process of its own; resume one."""

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_tiqa.arguments import checked_arguments
from napari_tiqa.errors import Cancelled, SegmentationError
from napari_tiqa.jobs.process.training import no_model_yet, run_training
from napari_tiqa.learning.training.run_folder import (
    RECIPE_FILE,
    keep_recipe,
    run_folder_of,
    run_lock,
    writing_to,
)
from napari_tiqa.progress import Throttled
from napari_tiqa.scoring.bundle import SEGMENTATION
from napari_tiqa.segmentation.labelled_volume import gather
from napari_tiqa.segmentation.progress import SegmentProgress
from napari_tiqa.segmentation.recipe import SegmentationRecipe
from napari_tiqa.segmentation.training_set import (
    DATA_FILE,
    TrainingSet,
    load_training_set,
    nothing_begun,
    save_training_set,
)
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.wording import expanded

__all__ = ["SegmentProgress", "SegmentationRecipe", "resume_segmenter", "train_segmenter"]

_TASK = "napari_tiqa.segmentation.run:train"


@checked_arguments
def train_segmenter(
    volume: Any,
    labels: Any,
    output: str | os.PathLike[str],
    *,
    axis: int | str = 0,
    window: IntensityWindow | tuple[float, float] | None = None,
    unlabelled: int | None = 0,
    names: Sequence[str] | None = None,
    recipe: SegmentationRecipe | None = None,
    validation_labels: Any = None,
    run_folder: str | os.PathLike[str] | None = None,
    progress: Callable[[SegmentProgress], object] | None = None,
    cancel: threading.Event | None = None,
) -> dict[str, Any]:
    """Train a segmenter, or resume a training of the same image, labels and recipe.

    Parameters
    ----------
    volume : Volume, array-like or path
        Shape (z, y, x) or (y, x), any real dtype.
    labels : Volume, array-like or path
        Shape of `volume`, integers: a value per class. A few strokes in a few slices are enough.
    output : path-like
        Where to put the finished bundle (.tiqa).
    axis : int or str
        Along which the slices lie: 0, 1, 2 or "z", "y", "x"; 0 for a single slice.
    window : IntensityWindow or (low, high), optional
        Overrides the image's own intensity window, which is estimated where it has none.
    unlabelled : int or None
        The label value that means "not labelled"; None where every pixel is labelled.
    names : sequence of str, optional
        One for each class, in the order of their values.
    recipe : SegmentationRecipe, optional
        How; the default one where omitted.
    validation_labels : Volume, array-like or path, optional
        Shape of `labels`: what each epoch is judged with, and not learned from. Where omitted, a share of
        the labels is left out for it (``SegmentationRecipe.validation_share``).
    run_folder : path-like, optional
        Where the training keeps all that it needs to resume after a crash; `output` with ".training" as its
        end where omitted. A training that has finished there is not done again.
    progress : callable, optional
        Called in this thread, some times a second; what it raises cancels the training.
    cancel : threading.Event, optional
        Set it, from any thread, to end the training after its next step. It can be resumed later.

    Returns
    -------
    dict
        The card of the bundle at `output`. Where it was cancelled, that bundle holds the best network so far,
        and the card's ``training["finished"]`` is False.

    Raises
    ------
    Cancelled
        If it was cancelled before the first epoch had ended.
    SegmentationError
        If the labels are no integers, of another shape than the image, or of one class only; if the training
        diverged; if the run folder holds a training of other labels.
    VolumeError, TrainingError, BundleError
        The image or the labels cannot be read; the run folder holds a training with another recipe, is in
        use, or cannot be written; the bundle cannot be written.
    ModelProcessError
        If the process cannot start or dies; the training can be resumed from the run folder.
    """
    recipe = recipe or SegmentationRecipe()
    output = expanded(output).absolute()
    folder = run_folder_of(output, run_folder)
    show = Throttled(progress)

    def prepare(done: int, total: int) -> None:
        show(SegmentProgress(done, total, None, "prepare"))

    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with run_lock(folder):
            try:
                data = gather(
                    volume,
                    labels,
                    recipe,
                    unlabelled=unlabelled,
                    names=names,
                    axis=axis,
                    window=window,
                    validation_labels=validation_labels,
                    report=prepare,
                    cancel=cancel or threading.Event(),
                )
            except Cancelled:
                raise no_model_yet() from None
            keep_recipe(folder, recipe)
            _keep(data, folder / DATA_FILE)
    return resume_segmenter(folder, output, progress=progress, cancel=cancel)


def resume_segmenter(
    run_folder: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    progress: Callable[[SegmentProgress], object] | None = None,
    cancel: threading.Event | None = None,
) -> dict[str, Any]:
    """Resume a training from its run folder alone: neither image nor labels are needed any more.

    Otherwise as ``train_segmenter``; raises SegmentationError if no training was begun there.
    """
    folder, bundle = (expanded(path).absolute() for path in (run_folder, output))
    if not all((folder / name).is_file() for name in (RECIPE_FILE, DATA_FILE)):
        raise nothing_begun(folder)
    return run_training(_TASK, {}, folder, bundle, SEGMENTATION, progress, cancel)


def _keep(data: TrainingSet, path: Path) -> None:
    if not path.exists():
        save_training_set(path, data)
    elif not data.same_as(load_training_set(path)):
        raise SegmentationError(
            f"The image or its labels have changed since the training in {path.parent} began: choose another "
            "run folder."
        )
