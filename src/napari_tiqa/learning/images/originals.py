"""Originals: the good images that distorted versions are made of, read from files and folders."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from napari_tiqa.errors import RatingError, TrainingError, VolumeError
from napari_tiqa.learning.ratings.images import find_images, read_image
from napari_tiqa.learning.ratings.session_files import RATINGS_FILE, image_folder, is_session, read_record
from napari_tiqa.scoring.network_input import TILE_SIZE, prepare_slice
from napari_tiqa.volumes.open import SINGLE, WITH_DATASETS, opened
from napari_tiqa.volumes.readers.file_order import files_in
from napari_tiqa.volumes.readers.ome_zarr import is_zarr
from napari_tiqa.volumes.slices import evenly
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.volumes.window_estimate import estimate_window
from napari_tiqa.wording import counted, free_name, some

SESSION_WINDOW = IntensityWindow(0, 255, "as the raters saw it")
"""The images of a rated session folder have their intensity window applied already."""


@dataclass(frozen=True)
class Original:
    """One image that distorted versions are made of: (224, 224), float32 in [0, 1], prepared as in scoring.

    `name`, for people and for file names, is the file's stem, with the slice and the tile where it gave
    several. Originals of one specimen are never split between training and validation. Ratings name it by
    `file`, the name of the file it comes from.
    """

    name: str
    specimen: str
    image: np.ndarray
    file: str


@dataclass(frozen=True)
class _Source:
    """A file, or a folder that is one tomogram; `rated` where raters saw it, in its window already."""

    path: Path
    specimen: str
    rated: bool = False

    def planes(
        self, slices: int, warnings: dict[str, None]
    ) -> Iterator[tuple[str, np.ndarray, IntensityWindow]]:
        """Yield slices with their names and their window; what had to be guessed is added to the warnings."""
        if self.rated:
            yield self.path.stem, read_image(self.path), SESSION_WINDOW
            return
        volume = opened(self.path).tomogram()
        warnings.update(dict.fromkeys(volume.warnings))
        window = volume.window or estimate_window(volume)
        for index in evenly(min(slices, volume.slice_count(0)), volume.slice_count(0)):
            name = self.path.stem if volume.data.ndim == 2 else f"{self.path.stem}_z{index}"
            yield name, volume.slice(0, index), window


def read_originals(
    paths: Sequence[str],
    slices: int = 1,
    rated: Collection[str] = (),
    advance: Callable[[int, int], None] | None = None,
) -> tuple[list[Original], list[str]]:
    """Read the originals from files and folders.

    A file is an image or a tomogram. A folder of TIFF files that fit together is a tomogram, as everywhere
    else, unless it is a rated session, holds a ``ratings.csv``, or `rated` names its files: then each
    file is an image of its own, and so are the files of a folder that do not fit together.

    Parameters
    ----------
    paths : sequence of str
        Files and folders.
    slices : int
        Slices to take from each tomogram, evenly spaced along z.
    rated : collection of str
        Names of the files that were rated.
    advance : callable, optional
        Called with the files read and their number; what it raises ends the reading.

    Returns
    -------
    originals : list of Original
        Each image once: of several with the same pixels the first. Their names differ.
    warnings : list of str
        A sentence on each thing that had to be guessed of a file; on the duplicates, and on slices without
        any texture, that were left out.

    Raises
    ------
    VolumeError
        If a file cannot be read.
    TrainingError
        With an image under 224 px a side, or two images of one name that was rated.
    """
    sources = [source for path in paths for source in _sources(Path(path), rated)]
    _check_told_apart(sources, rated)
    found: list[Original] = []
    small, empty = [], []
    guessed: dict[str, None] = {}
    for number, source in enumerate(sources):
        if advance:
            advance(number, len(sources))
        for name, plane, window in source.planes(slices, guessed):
            if min(plane.shape) < TILE_SIZE:
                small.append(f"{source.path.name}: {plane.shape[0]} x {plane.shape[1]}")
                break
            tiles = prepare_slice(plane, window).tiles
            if not len(tiles):
                empty.append(name)
            names = [name] if len(tiles) == 1 else [f"{name}_tile{k}" for k in range(1, len(tiles) + 1)]
            found += [
                Original(own, source.specimen, tile, source.path.name)
                for own, tile in zip(names, tiles, strict=True)
            ]
    if small:
        raise TrainingError(
            f"{len(small)} of the originals {'is' if len(small) == 1 else 'are'} under {TILE_SIZE} px a side "
            f"({some(small)}): take {'it' if len(small) == 1 else 'them'} out, or give larger images."
        )
    originals, copies = _each_once(found)
    warnings = list(guessed)
    if copies:
        left = counted(len(copies), "original", ("is a copy of another", "are copies of others"))
        warnings.append(f"{left}, left out of the training ({some(copies)}).")
    if empty:
        left = counted(len(empty), "slice", ("has", "have"))
        warnings.append(f"{left} no texture, left out of the training ({some(empty)}).")
    return _with_free_names(originals), warnings


def session_images(folder: Path) -> list[tuple[Path, str]]:
    """List the images of a rated session folder, each with the specimen it was taken from.

    Raises TrainingError if the record cannot be read or is of a newer version, or there are no images.
    """
    try:
        record = read_record(folder) or {}
        sources = {cut["image"]: str(cut["source"] or cut["specimen"]) for cut in record["sources"]}
    except RatingError as error:
        raise TrainingError(str(error)) from error
    except (KeyError, TypeError) as error:
        raise TrainingError(
            f"The record of the session {folder} is damaged: copy the folder again."
        ) from error
    images = find_images(image_folder(folder))
    if not images:
        raise TrainingError(f"The rated session {folder} has no images: copy the whole folder again.")
    return [(path, sources.get(path.name, str(path))) for path in images]


def _sources(path: Path, rated: Collection[str]) -> Iterator[_Source]:
    if not path.is_dir() or is_zarr(path) or path.suffix.lower() == ".zarr":
        yield _Source(path, *_rated_image(path))
    elif is_session(path):
        for image, specimen in session_images(path):
            yield _Source(image, specimen, rated=True)
    else:
        images = _image_files(path)
        tomogram = _is_tomogram(path, images)
        if tomogram and not _is_rated(path, images, rated):
            yield _Source(path, str(path))
        else:
            # Images of one size may well be slices of one scan, so they count as one specimen.
            yield from (_Source(image, str(path if tomogram else image)) for image in images)


def _rated_image(path: Path) -> tuple[str, bool]:
    """Return the specimen of a file, and whether it is an image of a rated session."""
    folder = path.parent.parent if path.parent.name == "images" else path.parent
    specimens = dict(session_images(folder)) if is_session(folder) else {}
    return specimens.get(path, str(path)), path in specimens


def _check_told_apart(sources: Sequence[_Source], rated: Collection[str]) -> None:
    names = [source.path.name for source in sources if source.path.name in rated]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TrainingError(
            f"Two of the originals are called {twice[0]}, so it is unclear which one was rated: rename "
            "one, or leave one out."
        )


def _is_tomogram(folder: Path, images: Sequence[Path]) -> bool:
    try:
        opened(folder)
    except VolumeError:
        if images:
            return False
        raise
    return True


def _is_rated(folder: Path, images: Sequence[Path], rated: Collection[str]) -> bool:
    return (folder / RATINGS_FILE).is_file() or any(image.name in rated for image in images)


def _image_files(folder: Path) -> list[Path]:
    return files_in(folder, {*SINGLE, *WITH_DATASETS})


def _each_once(found: Sequence[Original]) -> tuple[list[Original], list[str]]:
    """Drop copies, which would stand in training and in validation at once."""
    seen: dict[bytes, str] = {}
    originals, copies = [], []
    for original in found:
        pixels = original.image.tobytes()
        if pixels in seen:
            copies.append(f"{original.name} of {seen[pixels]}")
        else:
            seen[pixels] = original.name
            originals.append(original)
    return originals, copies


def _with_free_names(originals: Sequence[Original]) -> list[Original]:
    named: dict[str, Original] = {}
    for original in originals:
        name = free_name(original.name, named, "{name}_{number}")
        named[name] = replace(original, name=name)
    return list(named.values())
