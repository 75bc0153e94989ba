"""The files of a rating session: its record (session.json), the ratings (ratings.csv) and the images."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from napari_tiqa.errors import RatingError, explained
from napari_tiqa.json_text import read_json
from napari_tiqa.learning.ratings.images import find_images, read_image
from napari_tiqa.learning.ratings.table import LEVELS, SAVE_REMEDY
from napari_tiqa.whole_file import write_text

FORMAT, FORMAT_VERSION = "napari-tiqa ratings", 1
SESSION_FILE, RATINGS_FILE, IMAGES_FOLDER = "session.json", "ratings.csv", "images"

REPEAT_SHARE = 0.2
"""Share of the images that each rater is shown twice, unless asked otherwise."""


def is_session(folder: Path) -> bool:
    """Tell whether a folder is a rating session."""
    return (folder / SESSION_FILE).is_file()


def image_folder(folder: Path) -> Path:
    """Return where the images of a session are: in a folder of their own, or beside the record."""
    own = folder / IMAGES_FOLDER
    return own if own.is_dir() else folder


def new_record(repeat_share: float = REPEAT_SHARE, seed: int = 0) -> dict[str, Any]:
    """Return the record of a session that begins."""
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "scale": [min(LEVELS), max(LEVELS)],
        "repeat_share": repeat_share,
        "seed": seed,
        "skipped": {},
        "sources": [],
    }


def read_record(folder: Path) -> dict[str, Any] | None:
    """Read the record of a session folder, None without one; raises RatingError where it cannot be used."""
    path = folder / SESSION_FILE
    if not path.exists():
        return None
    try:
        record = read_json(path)
        if record["format"] != FORMAT:
            raise RatingError(f"{path} is of another program: choose a folder of ratings or of images.")
        if record["format_version"] > FORMAT_VERSION:
            raise RatingError(f"{path} was written by a newer napari-tiqa: update napari-tiqa to open it.")
        # What the file lacks is as for a new session.
        record = new_record() | record
        _check(record)
        return record
    except OSError as error:
        raise RatingError(f"{path} cannot be read ({error.strerror}).") from error
    except (ValueError, KeyError, TypeError) as error:
        raise RatingError(
            f"{path} is damaged: copy the session folder again, or delete this file to start a new session "
            "(the ratings are kept)."
        ) from error


def _check(record: dict[str, Any]) -> None:
    """Raise ValueError or TypeError for what a session cannot go on with."""
    share, seed = record["repeat_share"], record["seed"]
    if not isinstance(share, int | float) or not 0 <= share <= 1:
        raise ValueError("the share of repeated images is not within 0 to 1")
    if not isinstance(seed, int) or seed < 0:
        raise ValueError("the seed is not a whole number from 0")
    if not isinstance(record["skipped"], dict) or not isinstance(record["sources"], list):
        raise ValueError("what was skipped, or where images come from, is not said")
    given = record["skipped"].values()
    if not all(isinstance(skips, list) for skips in given):
        raise ValueError("what a rater skipped is not a list")
    skips = [skip for each in given for skip in each]
    if not all(isinstance(skip["image"], str) and isinstance(skip["after"], int) for skip in skips):
        raise ValueError("an image that was skipped is not named")
    if not all(isinstance(source, dict) for source in record["sources"]):
        raise ValueError("where an image comes from is not said")


def write_record(record: dict[str, Any], folder: Path) -> None:
    """Write the record of a session folder; raises RatingError where it cannot be written."""
    with explained(RatingError, f"The session cannot be saved in {folder}", SAVE_REMEDY):
        write_text(folder / SESSION_FILE, json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def different_images(folder: Path) -> tuple[dict[str, Path], tuple[int, int], list[str]]:
    """Return the images of a session folder, each once: by name, largest rows and columns (px), notes.

    The notes are a sentence on each copy that is left out. Raises RatingError where there are no images,
    or one cannot be read or is not an 8-bit grey image.
    """
    paths: dict[str, Path] = {}
    notes: list[str] = []
    rows = columns = 0
    first: dict[tuple[tuple[int, ...], bytes], str] = {}
    for path in find_images(image_folder(folder)):
        image = read_image(path)
        original = first.setdefault((image.shape, sha256(image.tobytes()).digest()), path.name)
        if original == path.name:
            paths[path.name] = path
            rows, columns = max(rows, image.shape[0]), max(columns, image.shape[1])
        else:
            notes.append(f"{path.name} is the same image as {original} and is left out.")
    if not paths:
        raise RatingError(
            f"The folder {image_folder(folder)} holds no images (TIFF, PNG or JPEG): choose another one."
        )
    return paths, (rows, columns), notes
