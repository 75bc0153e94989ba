"""Dataset folder: groups of distorted versions with their labels, on disk, to train on and to judge with.

``dataset.json`` says what it is and how it was made, ``images.csv`` lists the images with original,
specimen, distortion, level and label, ``images/`` holds them as 8-bit TIFF files of 224 x 224 px. People's
ratings of them may lie beside, in ``ratings.csv``; where an image was rated, the raters' mean is its label.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tifffile

from napari_tiqa.errors import TrainingError, explained
from napari_tiqa.json_text import read_json
from napari_tiqa.learning.images.groups import COUNTERPART, Group
from napari_tiqa.learning.images.originals import SESSION_WINDOW, session_images
from napari_tiqa.learning.ratings.images import read_image
from napari_tiqa.learning.ratings.session_files import RATINGS_FILE, is_session
from napari_tiqa.learning.ratings.table import check_images, mean_scores, read_ratings, write_ratings
from napari_tiqa.scoring.network_input import TILE_SIZE, prepare_slice
from napari_tiqa.whole_file import whole_folder
from napari_tiqa.wording import some

FORMAT = "napari-tiqa dataset"
FORMAT_VERSION = 1
DATASET_FILE = "dataset.json"

_HIGHEST_LEVEL = 1000  # of distortion; five are published
_COLUMNS = ("file", "original", "specimen", "distortion", "level", "label")
_BEST = 5.0


@dataclass(frozen=True)
class Dataset:
    """Labelled images, ready to train on or to judge with: a group for each of `originals` (names).

    `files` has for each group the file name of each image; ratings name them so. The labels have the
    `ratings` (see ``learning.ratings.table``) already.
    """

    groups: list[Group]
    originals: list[str]
    files: list[list[str]]
    ratings: pd.DataFrame | None = None


def rate(group: Group, means: np.ndarray) -> Group:
    """Put the raters' means, shape (n,), 1..5 or NaN, in place of the labels of a group of n images.

    Where the reference was rated, the labels of unrated versions follow: they keep the share of the
    reference's quality that they had, (score - 1) / (reference's score - 1).
    """
    labels = group.labels
    if np.isfinite(means[0]) and labels[0] > 1:
        labels = 1 + (labels - 1) * (means[0] - 1) / (labels[0] - 1)
    return group.with_labels(np.where(np.isfinite(means), means, labels))


def is_dataset(folder: Path) -> bool:
    """Whether a folder is a dataset folder."""
    return (folder / DATASET_FILE).is_file()


def check_free(folder: Path) -> None:
    """Refuse, with a TrainingError, a folder for a new dataset that is a file or is not empty."""
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise TrainingError(f"{folder} is not empty: choose a new folder for the dataset.")


def write_dataset(folder: str | os.PathLike[str], dataset: Dataset, record: dict[str, Any]) -> None:
    """Write a dataset folder, empty or not there yet, as a whole or not at all.

    `record`, how it was made, JSON-able, goes into ``dataset.json``. Raises TrainingError if the folder is
    not empty or cannot be written.
    """
    folder = Path(folder)
    check_free(folder)
    remedy = "free some space, or choose another place for it"
    with (
        explained(TrainingError, f"The dataset {folder} cannot be written", remedy),
        whole_folder(folder) as partial,
    ):
        _write_files(partial, dataset, record)


def read_dataset(folder: str | os.PathLike[str]) -> Dataset:
    """Read a dataset folder, or a rated session folder, each of whose images is then a group of one.

    Of an image in a session that is longer than it is wide the middle square is taken. Raises TrainingError
    if it is neither, is of another version or damaged, or an image is missing; RatingError if the ratings
    cannot be read, are outside 1..5, or name images that are missing.
    """
    folder = Path(folder)
    # First: a dataset that was rated in place is a session, too.
    if not is_dataset(folder):
        if is_session(folder):
            return _read_session(folder)
        raise TrainingError(
            f"{folder} is not a dataset: choose a folder made by napari-tiqa generate or by the rating dock."
        )
    _check_version(folder)
    table = _read_table(folder)
    ratings = _ratings_of(folder, table["file"])
    means = mean_scores(ratings) if ratings is not None else pd.Series(dtype=float)
    groups, originals, files = [], [], []
    for name, rows in table.groupby("original", sort=False):
        group = Group(
            specimen=str(rows["specimen"].iloc[0]),
            images=np.stack([_read_image(folder, file) for file in rows["file"]]),
            families=tuple(rows["distortion"]),
            levels=rows["level"].to_numpy(),
            labels=rows["label"].to_numpy(float),
        )
        files.append(list(rows["file"]))
        groups.append(rate(group, means.reindex(files[-1]).to_numpy(float)))
        originals.append(str(name))
    return Dataset(groups, originals, files, ratings)


def _write_files(folder: Path, dataset: Dataset, record: dict[str, Any]) -> None:
    (folder / "images").mkdir()
    tables = []
    for group, original, files in zip(dataset.groups, dataset.originals, dataset.files, strict=True):
        for image, file in zip(group.images, files, strict=True):
            tifffile.imwrite(folder / "images" / file, image)
        columns = (files, original, group.specimen, group.families, group.levels, group.labels)
        tables.append(pd.DataFrame(dict(zip(_COLUMNS, columns, strict=True))))
    pd.concat(tables).to_csv(folder / "images.csv", index=False, lineterminator="\n")
    if dataset.ratings is not None:
        write_ratings(dataset.ratings, folder / RATINGS_FILE)
    description = {"format": FORMAT, "format_version": FORMAT_VERSION} | record
    (folder / DATASET_FILE).write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")


def dataset_record(folder: Path) -> dict[str, Any]:
    """Read how a dataset was made; raises TrainingError as ``read_dataset`` does."""
    try:
        record = read_json(folder / DATASET_FILE)
        if record["format"] != FORMAT or not isinstance(record["format_version"], int):
            raise ValueError("another format")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{folder / DATASET_FILE} cannot be read or is of another program: copy the dataset again."
        ) from error
    return record


def _check_version(folder: Path) -> None:
    version = dataset_record(folder)["format_version"]
    if version != FORMAT_VERSION:
        raise TrainingError(
            f"The dataset {folder} is of format version {version}, this napari-tiqa knows {FORMAT_VERSION}: "
            + ("update napari-tiqa to use it." if version > FORMAT_VERSION else "generate it again.")
        )


def _read_table(folder: Path) -> pd.DataFrame:
    path = folder / "images.csv"
    try:
        text = dict.fromkeys(("file", "original", "specimen", "distortion"), "str")
        table = pd.read_csv(
            path,
            dtype=text | {"level": "float64", "label": "float64"},
            keep_default_na=False,
            na_values={"label": [""]},
        )[list(_COLUMNS)]
        if not table["level"].between(0, _HIGHEST_LEVEL).all() or (table["level"] % 1).any():
            raise ValueError("there is a level that is not a whole number from 0")
        table["level"] = table["level"].astype("int64")
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(
            f"{path} cannot be read or lacks columns ({', '.join(_COLUMNS)}): generate the dataset again."
        ) from error
    outside = table[(table["label"] < 1) | (table["label"] > _BEST)]
    if len(outside):
        raise TrainingError(
            f"{path} gives {outside['file'].iloc[0]} the label {outside['label'].iloc[0]:g}, which is not "
            "within 1 to 5: correct it, or leave the field empty."
        )
    unknown = set(table["distortion"]) - {"", *COUNTERPART}
    if unknown:
        raise TrainingError(
            f"{path} names the distortion {sorted(unknown)[0]!r}, which this napari-tiqa does not know: use "
            f"one of {', '.join(COUNTERPART)}."
        )
    references = table[~table.duplicated("original")]
    if table.empty or references["level"].any():
        raise TrainingError(
            f"{path} must list each original before its versions: generate the dataset again."
        )
    if table["file"].duplicated().any() or not table["file"].map(lambda file: Path(file).name == file).all():
        raise TrainingError(
            f"Each line of {path} must name another file of the images folder: generate the dataset again."
        )
    present = {path.name for path in (folder / "images").iterdir()} if (folder / "images").is_dir() else set()
    missing = [file for file in table["file"] if file not in present]
    if missing:
        raise TrainingError(
            f"The dataset {folder} lacks images that it lists ({some(missing, 1)}): copy it again as a whole."
        )
    return table


def _ratings_of(folder: Path, files: pd.Series) -> pd.DataFrame | None:
    if not (folder / RATINGS_FILE).is_file():
        return None
    ratings = read_ratings(folder / RATINGS_FILE)
    check_images(ratings, files, folder)
    return ratings


def _read_image(folder: Path, file: str) -> np.ndarray:
    try:
        image = tifffile.imread(folder / "images" / file)
    except Exception as error:  # whatever a damaged file makes of the reading
        raise TrainingError(
            f"{folder / 'images' / file} cannot be read, it may be damaged: copy the dataset again."
        ) from error
    if image.shape != (TILE_SIZE, TILE_SIZE) or image.dtype != np.uint8:
        raise TrainingError(
            f"{folder / 'images' / file} is not an 8-bit image of {TILE_SIZE} x {TILE_SIZE} px: copy the "
            "dataset again."
        )
    return image


def _read_session(folder: Path) -> Dataset:
    images = session_images(folder)
    ratings = _ratings_of(folder, pd.Series([path.name for path, _ in images], dtype=str))
    means = mean_scores(ratings) if ratings is not None else pd.Series(dtype=float)
    groups = []
    for path, specimen in images:
        prepared = prepare_slice(read_image(path), SESSION_WINDOW)
        if prepared.reason:
            raise TrainingError(f"{path} cannot be scored ({prepared.reason}): take it out of the session.")
        middle = prepared.tiles[len(prepared.tiles) // 2]
        label = np.array([means.get(path.name, np.nan)], float)
        groups.append(Group.unlabelled(specimen, middle[None], [""], [0]).with_labels(label))
    names = [path.name for path, _ in images]
    return Dataset(groups, [Path(name).stem for name in names], [[name] for name in names], ratings)
