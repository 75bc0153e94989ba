"""A rating session: a folder of images that several raters score blind, each in a random order of their own.

The folder holds ``session.json``, the ratings (``ratings.csv``, written again after every click) and the
images, in ``images/`` or, where there is no such folder because images are rated in place, beside them.
"""

import os
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tifffile

from napari_tiqa.errors import RatingError, explained
from napari_tiqa.learning.ratings.images import ImageSource, cut_images, read_image
from napari_tiqa.learning.ratings.session_files import (
    IMAGES_FOLDER,
    RATINGS_FILE,
    REPEAT_SHARE,
    different_images,
    new_record,
    read_record,
    write_record,
)
from napari_tiqa.learning.ratings.table import (
    LEVELS,
    Rating,
    check_images,
    rating_table,
    read_ratings,
    write_ratings,
)
from napari_tiqa.whole_file import whole_folder
from napari_tiqa.wording import expanded, some


@dataclass(frozen=True)
class RaterProgress:
    """How far a rater is: images scored and to be scored, those shown twice counted twice; images skipped.

    Skipped images, which the rater did not want to score, do not count in `done` and `total`.
    """

    done: int
    total: int
    skipped: int


class RatingSession:
    """The images of a session, in the order of each rater, and the ratings; changes are saved at once.

    Made by `create_session` or `open_session`. `images` are file names, in natural order, and `image_paths`
    where they are; raters see neither. `largest` are the rows of the highest image and the columns of the
    widest one, px. `sources` tell where each image was cut from: image, specimen, source, axis, slice, row,
    column, window; empty for images rated in place. `notes` are sentences for the user: duplicates that are
    left out, ratings of missing images.
    """

    def __init__(
        self,
        folder: Path,
        paths: dict[str, Path],
        largest: tuple[int, int],
        record: dict[str, Any],
        notes: list[str],
    ) -> None:
        self.folder = folder
        self.largest = largest
        self.images = tuple(paths)
        self.notes = notes
        self.image_paths = paths
        self._record = record
        self._ratings: list[Rating] = []
        if self.ratings_file.exists():
            self._read()
            missing = sorted({rating.image for rating in self._ratings} - set(paths))
            if missing:
                notes.append(
                    f"{some(missing, 1)} was rated but is missing: its ratings are kept and not counted."
                )

    @property
    def ratings_file(self) -> Path:
        """The CSV file with everybody's ratings."""
        return self.folder / RATINGS_FILE

    @property
    def sources(self) -> list[dict[str, Any]]:
        """Where each image was cut from."""
        return self._record["sources"]

    @property
    def repeat_share(self) -> float:
        """Share of the images that each rater is shown twice."""
        return self._record["repeat_share"]

    def ratings(self) -> pd.DataFrame:
        """Return the ratings of the images that are there, oldest first; see `ratings.rating_table`."""
        return rating_table(rating for rating in self._ratings if rating.image in self.image_paths)

    def raters(self) -> list[str]:
        """Return the names of all who rated or skipped an image, in alphabetical order."""
        return sorted({rating.rater for rating in self._ratings} | set(self._record["skipped"]))

    def image(self, name: str) -> np.ndarray:
        """Read an image, shape (rows, columns), uint8; raises RatingError where it cannot be read."""
        return read_image(self.image_paths[name])

    # -- one rater ---------------------------------------------------------------------------------

    def order(self, rater: str) -> list[str]:
        """Return the images in the order in which a rater sees them, some of them twice.

        The order is the same whenever this rater comes back. The second showing comes half of the images or
        more after the first one, where there are enough.
        """
        seed = [self._record["seed"], int.from_bytes(sha256(rater.encode()).digest()[:8])]
        rng = np.random.default_rng(seed)
        once = rng.permutation(np.array(self.images, dtype=object)).tolist()
        number, count = len(once), round(self.repeat_share * len(once))
        if self.repeat_share > 0:
            count = max(count, 1)
        early = rng.permutation(max(count, number // 2))[:count]
        latest = number + count
        again = {int(first): rng.uniform(min(first + number / 2, latest), latest) for first in early}
        showings = [(float(place), image) for place, image in enumerate(once)]
        showings += [(place, once[first]) for first, place in again.items()]
        return [image for _, image in sorted(showings, key=lambda showing: showing[0])]

    def current(self, rater: str) -> str | None:
        """Return the image that a rater is to score next, None when all are done."""
        given = Counter(rating.image for rating in self._ratings if rating.rater == rater)
        skipped = {skip["image"] for skip in self._skips(rater)}
        for image in self.order(rater):
            if image in skipped:
                continue
            if given[image] == 0:
                return image
            given[image] -= 1
        return None

    def progress(self, rater: str) -> RaterProgress:
        """Return how far a rater is."""
        skipped = {skip["image"] for skip in self._skips(rater)}
        to_show = Counter(image for image in self.order(rater) if image not in skipped)
        given = Counter(rating.image for rating in self._ratings if rating.rater == rater)
        done = sum(min(given[image], count) for image, count in to_show.items())
        return RaterProgress(done, to_show.total(), len(skipped))

    def rate(self, rater: str, image: str, score: int) -> None:
        """Keep a rater's score of an image, 1 (terrible) to 5 (excellent).

        Raises RatingError where the name is empty, the score is not 1 to 5, or it cannot be saved; then
        nothing has changed.
        """
        if not rater.strip():
            raise RatingError("The rater has no name: type your name first.")
        if score not in LEVELS:
            raise RatingError(f"There is no score {score}: give one of {', '.join(map(str, LEVELS))}.")
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._change(lambda ratings: [*ratings, Rating(image, rater.strip(), score, now)])

    def skip(self, rater: str, image: str) -> None:
        """Leave an image out for a rater, until `ask_again`; raises RatingError where it cannot be saved."""
        self._keep_skips(rater, [*self._skips(rater), {"image": image, "after": self._count(rater)}])

    def ask_again(self, rater: str) -> None:
        """Show a rater the skipped images again; raises RatingError where it cannot be saved."""
        self._keep_skips(rater, [])

    def undo(self, rater: str) -> bool:
        """Take back a rater's last score or skip, also one of an earlier day; the image is shown again.

        Returns False where there is nothing to take back; raises RatingError where it cannot be saved.
        """
        skips, count = self._skips(rater), self._count(rater)
        if skips and skips[-1]["after"] == count:
            self._keep_skips(rater, skips[:-1])
        elif count:
            self._change(lambda ratings: _without_last(ratings, rater))
        return bool(count or skips)

    def _skips(self, rater: str) -> list[dict[str, Any]]:
        return [skip for skip in self._record["skipped"].get(rater, []) if skip["image"] in self.image_paths]

    def _count(self, rater: str) -> int:
        return sum(rating.rater == rater for rating in self._ratings)

    # -- several raters ----------------------------------------------------------------------------

    def merge(self, paths: Iterable[str | os.PathLike[str]]) -> int:
        """Take in the ratings of CSV files, such as those of raters with a copy of this folder.

        Returns how many are new. Raises RatingError where a file cannot be read or rates other images, or
        the result cannot be saved; then nothing has changed.
        """
        added = read_ratings(paths)
        check_images(added, self.images, self.folder)
        before = len(self._ratings)
        rows = [Rating(*row) for row in added.itertuples(index=False)]
        self._change(lambda ratings: list(dict.fromkeys([*ratings, *rows])))
        return len(self._ratings) - before

    # -- on disk -----------------------------------------------------------------------------------

    def _read(self) -> None:
        self._ratings = [Rating(*row) for row in read_ratings(self.ratings_file).itertuples(index=False)]

    def _change(self, change: Callable[[list[Rating]], list[Rating]]) -> None:
        """Change the ratings as they are on disk now, where another napari may have added some."""
        if self.ratings_file.exists():
            self._read()
        changed = sorted(change(self._ratings), key=lambda rating: rating.time)
        write_ratings(rating_table(changed), self.ratings_file)
        self._ratings = changed

    def _keep_skips(self, rater: str, skips: list[dict[str, Any]]) -> None:
        now = read_record(self.folder) or self._record  # another napari may have kept some
        record = now | {"skipped": now["skipped"] | {rater: skips}}
        write_record(record, self.folder)
        self._record = record


def create_session(
    folder: str | os.PathLike[str],
    sources: Sequence[ImageSource],
    *,
    repeat_share: float = REPEAT_SHARE,
    seed: int | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: threading.Event | None = None,
) -> RatingSession:
    """Cut images from tomograms and keep them in a new folder, to be rated there.

    Parameters
    ----------
    folder : path-like
        New or empty. It appears once all images are in it.
    sources : sequence of ImageSource
        Where from, and how many of each.
    repeat_share : float
        Share of the images that each rater is shown twice, 0 to 1.
    seed : int, optional
        Fixes crops, file names and orders; drawn where omitted.
    progress : callable, optional
        Called with the slices read so far and their number.
    cancel : threading.Event, optional
        Set it, from any thread, to stop; nothing is left then.

    Returns
    -------
    RatingSession

    Raises
    ------
    RatingError
        The folder is not empty or cannot be written, or no source gives an image to rate.
    VolumeError
        A tomogram cannot be read.
    Cancelled
        `cancel` was set.
    """
    folder = expanded(folder)
    seed = secrets.randbits(32) if seed is None else seed
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RatingError(f"{folder} is not empty: choose a new or empty folder for the images.")
    with (
        explained(RatingError, f"The images cannot be kept in {folder}", "choose another folder"),
        whole_folder(folder) as partial,
    ):
        _fill(partial, sources, repeat_share, seed, progress, cancel)
    return open_session(folder)


def open_session(
    folder: str | os.PathLike[str], *, repeat_share: float = REPEAT_SHARE, seed: int | None = None
) -> RatingSession:
    """Open a session to resume it, or make one of a folder of 8-bit grey images, which stay where they are.

    `repeat_share` and `seed`, as for `create_session`, are for a folder that is not a session yet. Raises
    RatingError where the folder is not there, holds no images, or cannot be written; its record is damaged or
    of a newer version; an image cannot be read or is not an 8-bit grey image; its ratings cannot be read.
    """
    folder = expanded(folder)
    if not folder.is_dir():
        raise RatingError(f"There is no folder {folder}: check the path.")
    record = read_record(folder)
    paths, largest, notes = different_images(folder)
    if record is None:
        record = new_record(repeat_share, secrets.randbits(32) if seed is None else seed)
        write_record(record, folder)
    return RatingSession(folder, paths, largest, record, notes)


def _fill(
    folder: Path,
    sources: Sequence[ImageSource],
    repeat_share: float,
    seed: int,
    progress: Callable[[int, int], object] | None,
    cancel: threading.Event | None,
) -> None:
    (folder / IMAGES_FOLDER).mkdir()
    # Numbers in random order: the list of files must not tell which images are from one scan.
    most = sum(source.count for source in sources)
    numbers = iter((np.random.default_rng(seed).permutation(most) + 1).tolist())
    record = new_record(repeat_share, seed)
    for image, origin in cut_images(sources, seed, progress, cancel):
        name = f"{next(numbers):0{len(str(most))}}.tif"
        tifffile.imwrite(folder / IMAGES_FOLDER / name, image, photometric="minisblack")
        record["sources"].append({"image": name} | origin)
    if not record["sources"]:
        raise RatingError("The chosen slices show nothing to rate: choose a layer with grey values in it.")
    write_record(record, folder)


def _without_last(ratings: list[Rating], rater: str) -> list[Rating]:
    last = max(place for place, rating in enumerate(ratings) if rating.rater == rater)
    return ratings[:last] + ratings[last + 1 :]
