"""All that a segmenter learns from, and its file in the run folder: a training goes on without its image."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_tiqa.errors import SegmentationError
from napari_tiqa.json_text import parse_json
from napari_tiqa.segmentation.classes import NOT_LABELLED, Classes, LabelledSlice
from napari_tiqa.segmentation.validation import around
from napari_tiqa.whole_file import whole_file

DATA_FILE = "data.npz"
"""Its name in the run folder."""

_GREY_LEVELS = 65535  # half the size of float32, and finer than the noise of any detector


@dataclass(frozen=True)
class Origin:
    """Where labelled slices come from, for the model's card.

    `source` is empty for an image in memory; `slices` are those with a labelled pixel; `voxel_size` is along
    their rows and columns, in `unit`; `window` became 0 to 1, and `window_rule` says how it was found. The
    digests (``slice_digest``) of these slices and of their labels tell them from others, also where there is
    no source.
    """

    name: str
    source: str
    axis: int
    slices: tuple[int, ...]
    voxel_size: tuple[float, ...]
    unit: str
    window: tuple[float, float]
    window_rule: str
    image_digests: tuple[str, ...] = ()
    label_digests: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainingSet:
    """Slices with the class of each labelled pixel, some of them left out for validation.

    Each of shape (rows, columns): `images` are uint16, ``network_image`` in steps of 1 / 65535; `labels` are
    class indices, int8, -1 where not labelled; `held`, bool, has the labelled pixels that nothing is learned
    from. The warnings are sentences on what may spoil the result.
    """

    images: tuple[np.ndarray, ...]
    labels: tuple[np.ndarray, ...]
    held: tuple[np.ndarray, ...]
    classes: Classes
    origin: Origin
    warnings: tuple[str, ...] = ()

    def learned(self) -> list[LabelledSlice]:
        """Return what is learned from."""
        return [
            LabelledSlice(_in_unit(image), np.where(held, np.int8(NOT_LABELLED), labels))
            for image, labels, held in zip(self.images, self.labels, self.held, strict=True)
            if ((labels != NOT_LABELLED) & ~held).any()
        ]

    def judged(self) -> list[LabelledSlice]:
        """Return what was left out, cut out of its slices with its surroundings."""
        return [
            around(_in_unit(image), np.where(held, labels, np.int8(NOT_LABELLED)))
            for image, labels, held in zip(self.images, self.labels, self.held, strict=True)
            if held.any()
        ]

    def pixels(self, held: bool) -> list[int]:
        """Count the pixels of each class that were left out, or those that are learned from."""
        counts = np.zeros(len(self.classes), int)
        for labels, mask in zip(self.labels, self.held, strict=True):
            some = labels[(labels != NOT_LABELLED) & (mask == held)]
            counts += np.bincount(some, minlength=len(counts))
        return counts.tolist()

    def same_as(self, other: "TrainingSet") -> bool:
        """Whether the same would be learned from both."""
        pairs = zip(
            (self.images, self.labels, self.held), (other.images, other.labels, other.held), strict=True
        )
        return self.classes == other.classes and all(
            len(mine) == len(theirs) and all(map(np.array_equal, mine, theirs)) for mine, theirs in pairs
        )


def grey_levels(image: np.ndarray) -> np.ndarray:
    """Store an image in [0, 1] as a training set does."""
    return np.rint(image * np.float32(_GREY_LEVELS)).astype(np.uint16)


def save_training_set(path: Path, data: TrainingSet) -> None:
    """Write a training set as a whole or not at all; raises OSError."""
    arrays: dict[str, np.ndarray] = {}
    for name in ("images", "labels", "held"):
        arrays |= {f"{name}/{number}": values for number, values in enumerate(getattr(data, name))}
    record = {
        "slices": len(data.images),
        "classes": asdict(data.classes),
        "origin": asdict(data.origin),
        "warnings": data.warnings,
    }
    with whole_file(path) as file:
        np.savez(file, said=np.array(json.dumps(record)), **arrays)  # type: ignore[arg-type]


def load_training_set(path: Path) -> TrainingSet:
    """Read a training set; raises SegmentationError where it is missing or damaged."""
    try:
        # Opened here: np.load leaves a damaged file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            record: dict[str, Any] = parse_json(str(stored["said"]))
            images, labels, held = (
                tuple(stored[f"{name}/{number}"] for number in range(record["slices"]))
                for name in ("images", "labels", "held")
            )
        if any(not _fit(*each) for each in zip(images, labels, held, strict=True)):
            raise ValueError("its arrays do not belong together")
        classes, origin = record["classes"], record["origin"]
        return TrainingSet(
            images,
            labels,
            held,
            Classes(tuple(classes["values"]), tuple(classes["names"]), classes["unlabelled"]),
            replace(
                Origin(**origin),
                slices=tuple(origin["slices"]),
                voxel_size=tuple(origin["voxel_size"]),
                window=tuple(origin["window"]),
                image_digests=tuple(origin.get("image_digests", ())),
                label_digests=tuple(origin.get("label_digests", ())),
            ),
            tuple(record["warnings"]),
        )
    except FileNotFoundError as error:
        raise nothing_begun(path.parent) from error
    except Exception as error:  # whatever NumPy and zipfile make of a damaged file
        raise SegmentationError(
            f"{path} is damaged, so the training cannot be resumed: train in a new run folder."
        ) from error


def nothing_begun(run_folder: Path) -> SegmentationError:
    """Return the error of a folder without a training set."""
    return SegmentationError(
        f"No training of a segmenter was begun in {run_folder}: choose its run folder, or train without one."
    )


def _fit(image: np.ndarray, labels: np.ndarray, held: np.ndarray) -> bool:
    """Tell whether arrays can be an image with its labels and what is left out of them."""
    kinds = [getattr(each, "dtype", None) for each in (image, labels, held)]
    right = kinds == [np.uint16, np.int8, bool]
    return right and image.ndim == 2 and image.shape == labels.shape == held.shape


def _in_unit(image: np.ndarray) -> np.ndarray:
    return image.astype(np.float32) / np.float32(_GREY_LEVELS)
