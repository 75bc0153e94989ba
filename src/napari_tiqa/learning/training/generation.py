"""Generation: from the originals of a recipe to labelled groups, and a preview of one original's versions."""

import os
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from napari_tiqa.errors import RatingError, TrainingError
from napari_tiqa.learning.images.dataset import Dataset, is_dataset, rate, read_dataset
from napari_tiqa.learning.images.distortions import version_names
from napari_tiqa.learning.images.groups import MIN_ORIGINALS, Group, distortion_group
from napari_tiqa.learning.images.labels import LabelProjection, make_and_observe
from napari_tiqa.learning.images.originals import Original, read_originals
from napari_tiqa.learning.ratings.session_files import RATINGS_FILE
from napari_tiqa.learning.ratings.table import mean_scores, rating_warnings, read_ratings
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.wording import counted, expanded, some

VERSIONS = len(version_names())
"""Images made of each original, with itself."""

PREVIEW_ORIGINALS = 8
"""Images that a preview's labels come from."""


@dataclass(frozen=True)
class Generated:
    """What a recipe's originals gave: labelled groups, and sentences on what may spoil a training."""

    dataset: Dataset
    warnings: list[str]


def generate(recipe: TrainingRecipe, advance: Callable[[int, int], None] | None = None) -> Generated:
    """Make and label the versions of a recipe's originals.

    Without ratings each original counts as a 5. With ratings it counts as the mean of its raters, its
    versions keep their share of that, and unrated originals have no labels: they teach order, not scale. The
    groups of dataset folders among the originals are taken as they are. `advance` is called with the images
    done and their number, which is 0 until the originals have been read; what it raises ends the work.

    Raises VolumeError if a file cannot be read, RatingError if the ratings cannot be read, or fit none or
    several of the originals, and TrainingError if the originals cannot be learned from.
    """
    folders = [path for path in recipe.originals if is_dataset(Path(path))]
    files = [path for path in recipe.originals if path not in folders]
    parts = [read_dataset(folder) for folder in folders]
    ratings = _read_all_ratings(recipe, files)
    rated = set() if ratings is None else set(ratings["image"])
    originals, warnings = read_originals(
        files, recipe.slices, rated, advance and (lambda done, total: advance(0, 0))
    )
    count = len(originals) + sum(len(part.groups) for part in parts)
    if count < MIN_ORIGINALS:
        raise TrainingError(
            f"{counted(count, 'original', ('is', 'are'))} too few to learn from: give at least "
            f"{MIN_ORIGINALS} different images, or take more slices of each tomogram."
            f"{' '.join(['', *warnings])}"
        )
    if originals:
        part = _make(originals, recipe, advance)
        if ratings is not None:
            part, more = _rated(part, originals, ratings)
            warnings += more
        parts.append(part)
    dataset = _merged(parts)
    if not any(np.isfinite(group.labels).any() for group in dataset.groups):
        raise TrainingError("None of the images has a label: rate some of them, or choose other originals.")
    if dataset.ratings is not None:
        warnings += rating_warnings(dataset.ratings)
    return Generated(dataset, warnings)


class Preview(NamedTuple):
    """The versions of one original, as a training would see them.

    The images, (16, 224, 224) uint8, are the original, then levels 1 to 5 of blur, of noise and of ring,
    named "original", "blur 1" and so on; labels are 1 to 5, NaN where ratings were given but this original
    was not rated.
    """

    images: np.ndarray
    names: list[str]
    labels: np.ndarray


def preview(original: str | os.PathLike[str], recipe: TrainingRecipe) -> Preview:
    """Make the versions of one original, of several images in a folder the first, as ``generate`` does.

    Labels compare an image with the others; here with up to seven others of the recipe, so that they come in
    seconds, and may differ a little from those of the training. Raises as ``generate``, but for too few
    originals.
    """
    path = str(expanded(original).absolute())
    if is_dataset(Path(path)):
        group = read_dataset(path).groups[0]
    else:
        company = [item for item in recipe.originals if item != path and not is_dataset(Path(item))]
        step = max(1, len(company) // (PREVIEW_ORIGINALS - 1))
        chosen = [path, *company[::step][: PREVIEW_ORIGINALS - 1]]
        ratings = _read_all_ratings(recipe, chosen)
        rated = set() if ratings is None else set(ratings["image"])
        first, *others = [read_originals([item], 1, rated)[0][:1] for item in chosen]
        if not first:
            raise TrainingError(f"{path} has no texture to distort: choose another original.")
        group = _make([*first, *chain(*others)], recipe, None).groups[0]
        if ratings is not None:
            group = _with_mean(group, mean_scores(ratings).get(first[0].file, np.nan))
    names = [f"{family} {level}".strip() for family, level in zip(group.families, group.levels, strict=True)]
    names[0] = "original"
    return Preview(group.images, names, group.labels)


def _make(
    originals: Sequence[Original], recipe: TrainingRecipe, advance: Callable[[int, int], None] | None
) -> Dataset:
    """Make and label the versions of originals, each of which counts as a 5."""

    def make(number: int) -> Group:
        original = originals[number]
        # By its pixels, so that an original has the same versions whatever it is trained with.
        seed = recipe.seed + zlib.crc32(original.image.tobytes())
        return distortion_group(original.specimen, original.image, seed)

    groups, damages = make_and_observe(
        make,
        len(originals),
        advance and (lambda done, total: advance(done * VERSIONS, total * VERSIONS)),
        recipe.observers,
    )
    project = LabelProjection.from_levels if recipe.scale == "published" else LabelProjection.from_range
    projection = project(groups, damages)
    groups = [g.with_labels(projection.labels(g, d)) for g, d in zip(groups, damages, strict=True)]
    files = [_file_names(original.name) for original in originals]
    return Dataset(groups, [original.name for original in originals], files)


def _rated(
    dataset: Dataset, originals: Sequence[Original], ratings: pd.DataFrame
) -> tuple[Dataset, list[str]]:
    """Put in what people said; ratings of an original become ratings of its file in the dataset."""
    warnings = []
    known = {original.file for original in originals}
    others = sorted(set(ratings["image"]) - known)
    if len(others) == ratings["image"].nunique():
        raise RatingError(
            f"The ratings name none of the originals (but {others[0]}): choose the ratings of these images."
        )
    if others:
        warnings.append(
            f"The ratings name images that are not among the originals ({some(others)}): they were left out."
        )
    references = pd.DataFrame(
        {
            "image": [original.file for original in originals],
            "file": [files[0] for files in dataset.files],
        }
    )
    own = ratings.merge(references, on="image").drop(columns="image").rename(columns={"file": "image"})
    own = own[ratings.columns]
    means = mean_scores(own)
    unrated = [files[0] for files in dataset.files if files[0] not in means]
    if unrated:
        warnings.append(
            f"{counted(len(unrated), 'original', ('was', 'were'))} not rated ({some(unrated)}), which "
            "teaches the order of versions, not the score."
        )
    groups = [
        _with_mean(group, means.get(files[0], np.nan))
        for group, files in zip(dataset.groups, dataset.files, strict=True)
    ]
    return replace(dataset, groups=groups, ratings=own), warnings


def _with_mean(group: Group, mean: float) -> Group:
    """Put in what people said of a group's original; without that it has no labels."""
    unrated = np.full(len(group.labels), np.nan)
    return group.with_labels(unrated) if np.isnan(mean) else rate(group, np.append(mean, unrated[1:]))


def _read_all_ratings(recipe: TrainingRecipe, paths: list[str]) -> pd.DataFrame | None:
    """Read the recipe's ratings and those that lie in the folders of originals themselves."""
    beside = [Path(path) / RATINGS_FILE for path in paths]
    files = [*map(Path, recipe.ratings), *(path for path in beside if path.is_file())]
    return read_ratings(files) if files else None


def _file_names(original: str) -> list[str]:
    return [f"{original}_{kind}{level}.tif" if kind else f"{original}.tif" for kind, level in version_names()]


def _merged(parts: list[Dataset]) -> Dataset:
    files = [file for part in parts for group in part.files for file in group]
    twice = next((file for file in files if files.count(file) > 1), None) if len(parts) > 1 else None
    if twice:
        raise TrainingError(
            f"Two of the datasets have an image {twice}: leave one of them out, or rename it."
        )
    ratings = [part.ratings for part in parts if part.ratings is not None]
    return Dataset(
        [group for part in parts for group in part.groups],
        [name for part in parts for name in part.originals],
        [group for part in parts for group in part.files],
        pd.concat(ratings, ignore_index=True) if ratings else None,
    )
