"""Gathers what a segmenter learns from: the slices of an image with a labelled pixel."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from napari_tiqa.errors import SegmentationError
from napari_tiqa.segmentation.classes import NOT_LABELLED, Classes, checked_labels, pixel_counts
from napari_tiqa.segmentation.network_input import network_image
from napari_tiqa.segmentation.recipe import SegmentationRecipe
from napari_tiqa.segmentation.training_set import Origin, TrainingSet, grey_levels
from napari_tiqa.segmentation.validation import left_out
from napari_tiqa.volumes.digest import slice_digest
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.slices import map_slices
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow, as_window
from napari_tiqa.volumes.window_estimate import volume_window

_MOST_PIXELS = 2**27  # of all slices together: 1.5 GB while training, as many patches as anyone draws


def gather(
    image: Any,
    labels: Any,
    recipe: SegmentationRecipe,
    *,
    unlabelled: int | None = 0,
    names: Sequence[str] | None = None,
    axis: int | str = 0,
    window: IntensityWindow | tuple[float, float] | None = None,
    validation_labels: Any = None,
    report: Callable[[int, int], object],
    cancel: threading.Event,
) -> TrainingSet:
    """Gather the labelled slices of an image, and leave some labels out for validation.

    Pixels of the image that are not finite count as not labelled. Of more slices than a training can hold,
    evenly spaced ones are taken, and for each class that they lack the slice with most of it.

    Arguments are those of ``train_segmenter``; `report` is called with the slices done and all that there are
    to look at, and what it raises ends the work. A SegmentationError is raised if the labels are not
    integers, differ in shape from the image, or hold fewer than two classes; a VolumeError if the image or
    they cannot be read.
    """
    volume = as_volume(image).tomogram()
    axis = volume.axis_number(axis)
    window = as_window(window)
    count = volume.slice_count(axis)
    paintings = [_labels_of(item, volume) for item in (labels, validation_labels) if item is not None]
    found = _found(paintings, volume, axis, unlabelled, report, cancel)
    values = np.array(sorted(set().union(*found[0].values())), np.uint64)
    classes = Classes.of(values, unlabelled, names)
    most = max(1, _MOST_PIXELS // (volume.data.size // count))
    slices = sorted(set().union(*(_enough(counts, most) for counts in found)))
    window = volume_window(volume, window)
    looked_through = count * len(paintings)
    greys, finite, digests = [], [], []
    see = partial(_seen, window=window)
    for _, (grey, known, digest) in map_slices(volume, axis, slices, see, cancel=cancel):
        greys.append(grey)
        finite.append(known)
        digests.append(digest)
        report(looked_through + len(greys), looked_through + len(slices))
    painted, *validation = (
        [plane for _, plane in map_slices(painting, axis, slices, np.array, cancel=cancel)]
        for painting in paintings
    )
    label_digests = tuple(slice_digest(plane) for planes in (painted, *validation) for plane in planes)
    classes, warnings = _on_finite_pixels(classes, painted, finite)
    if (labelled := max(map(len, found))) > most:
        warnings.append(
            f"{labelled} slices are labelled, more than a training can hold: {most} evenly spaced ones are "
            "used."
        )
    indices = [_indices(*item, classes) for item in zip(painted, finite, strict=True)]
    if validation:
        judged = [_indices(*item, classes) for item in zip(validation[0], finite, strict=True)]
        held = [item != NOT_LABELLED for item in judged]
        indices = [np.where(*item) for item in zip(held, judged, indices, strict=True)]
    else:
        held = left_out(indices, recipe.validation_share, recipe.seed)
    origin = Origin(
        name=volume.name,
        source=volume.source,
        axis=axis,
        slices=tuple(slices),
        voxel_size=_in_plane(volume.voxel_size, axis),
        unit=volume.unit,
        window=(window.low, window.high),
        window_rule=window.rule,
        image_digests=tuple(digests),
        label_digests=label_digests,
    )
    data = TrainingSet(tuple(greys), tuple(indices), tuple(held), classes, origin)
    return replace(data, warnings=(*warnings, *_on_validation(data)))


def _labels_of(labels: Any, volume: Volume) -> Volume:
    painted = as_volume(labels).tomogram()
    checked_labels(np.empty(0, painted.data.dtype))
    ours, theirs = ((1, *item.data.shape)[-3:] for item in (painted, volume))
    if ours != theirs:
        raise SegmentationError(
            f"The labels have the shape {painted.data.shape}, the image {volume.data.shape}: choose labels "
            "of this image."
        )
    return painted


def _found(
    paintings: Sequence[Volume],
    volume: Volume,
    axis: int,
    unlabelled: int | None,
    report: Callable[[int, int], object],
    cancel: threading.Event,
) -> list[dict[int, Counter[int]]]:
    """Count the pixels of each class in each slice that has a labelled one, for each of the paintings."""
    count = volume.slice_count(axis)
    found: list[dict[int, Counter[int]]] = []
    for turn, painting in enumerate(paintings):
        labelled = {}
        for number, counts in map_slices(painting, axis, range(count), _counted, cancel=cancel):
            if unlabelled is not None:
                counts.pop(unlabelled, None)
            if counts:
                labelled[number] = counts
            report(turn * count + number + 1, len(paintings) * count)
        found.append(labelled)
    return found


def _counted(plane: np.ndarray) -> Counter[int]:
    return pixel_counts(checked_labels(plane))


def _enough(found: Mapping[int, Counter[int]], most: int) -> set[int]:
    """Choose slices evenly, and one for each class that these lack: that with most of it."""
    numbers = list(found)
    if len(numbers) <= most:
        return set(numbers)
    chosen = {numbers[place] for place in np.linspace(0, len(numbers) - 1, most).round().astype(int)}
    covered = set().union(*(found[number] for number in chosen))
    lacking = set().union(*found.values()) - covered
    return chosen | {max(numbers, key=lambda number: found[number][value]) for value in lacking}


def _seen(plane: np.ndarray, window: IntensityWindow) -> tuple[np.ndarray, np.ndarray, str]:
    return grey_levels(network_image(plane, window)), np.isfinite(plane), slice_digest(plane)


def _on_finite_pixels(
    classes: Classes, painted: Sequence[np.ndarray], finite: Sequence[np.ndarray]
) -> tuple[Classes, list[str]]:
    """Leave out classes whose labelled pixels all lie where the image has no value, with a warning."""
    present = {
        value for plane, known in zip(painted, finite, strict=True) for value in np.unique(plane[known])
    }
    kept = [item for item in zip(classes.values, classes.names, strict=True) if item[0] in present]
    if len(kept) == len(classes):
        return classes, []
    if len(kept) < 2:
        raise SegmentationError(
            "Only one class has labelled pixels where the image has finite values: label pixels of at least "
            "two classes inside the image."
        )
    gone = [
        f"'{name}'" for value, name in zip(classes.values, classes.names, strict=True) if value not in present
    ]
    values, names = zip(*kept, strict=True)
    return replace(classes, values=values, names=names), [
        f"Every labelled pixel of {' and '.join(gone)} lies where the image has no finite value, so the "
        "class is left out."
    ]


def _indices(painted: np.ndarray, finite: np.ndarray, classes: Classes) -> np.ndarray:
    indices = np.full(painted.shape, NOT_LABELLED, np.int8)
    indices[finite] = classes.indices(painted[finite])
    return indices


def _in_plane(voxel_size: tuple[float, ...], axis: int) -> tuple[float, ...]:
    return voxel_size if len(voxel_size) == 2 else voxel_size[:axis] + voxel_size[axis + 1 :]


def _on_validation(data: TrainingSet) -> list[str]:
    """Return warnings on what validation cannot tell; refuse a class without pixels to learn from."""
    learned, judged = data.pixels(held=False), data.pixels(held=True)
    names = data.classes.names
    if gone := [name for name, count in zip(names, learned, strict=True) if not count]:
        raise SegmentationError(
            f"All labelled pixels of '{gone[0]}' are used for validation: label others to learn from."
        )
    if not any(judged):
        return ["Nothing is left out for validation, so the quality of the model on other pixels is unknown."]
    if missing := [f"'{name}'" for name, count in zip(names, judged, strict=True) if not count]:
        return [
            f"No pixel of {' and '.join(missing)} is left out for validation, so the IoU of an epoch covers "
            "only the other classes: label more of it, in more than one place."
        ]
    return []
