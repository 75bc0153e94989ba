"""The images that people rate: cut from tomograms in one intensity window each, or found in a folder."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile

from napari_tiqa.errors import Cancelled, RatingError, explained
from napari_tiqa.volumes.readers.file_order import files_in
from napari_tiqa.volumes.slices import evenly
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.volumes.window_estimate import estimate_window
from napari_tiqa.wording import cause

IMAGE_SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")

_TRIES = 16  # places looked at for a crop that shows more than padding
_PADDING_ALLOWED = 0.1


@dataclass(frozen=True)
class ImageSource:
    """A tomogram, 2-D or 3-D, that images to rate are cut from.

    `count` slices are spread evenly along `axis` (0, 1 or 2: z, y or x; 0 for a 2-D volume). A square of
    `crop` px is cut at random from each at native resolution; None: whole slices. A slice that is not larger
    is taken whole.
    """

    volume: Volume
    axis: int = 0
    count: int = 12
    crop: int | None = None


def cut_images(
    sources: Sequence[ImageSource],
    seed: int,
    progress: Callable[[int, int], object] | None = None,
    cancel: threading.Event | None = None,
) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    """Cut images from tomograms, each tomogram in one intensity window; `seed` fixes where crops are cut.

    Yields each image, (rows, columns), uint8 - the window's low end is 0, its high end 255, what is not
    finite is 0 - and where it comes from: specimen, source, axis, slice, row, column and window (JSON-able).
    Images without contrast, and those equal to an earlier one, are left out. `progress` is called with the
    slices read so far and their number. Raises VolumeError where a tomogram cannot be read, or has no
    intensity window; Cancelled once `cancel` was set.
    """
    rng = np.random.default_rng(seed)
    places = [(source, index) for source in sources for index in _spread(source)]
    windows: dict[int, IntensityWindow] = {}
    seen = set()
    for done, (source, index) in enumerate(places):
        if cancel is not None and cancel.is_set():
            raise Cancelled("Preparing the images was cancelled; nothing was kept.")
        if progress is not None:
            progress(done, len(places))
        window = windows.get(id(source.volume))
        if window is None:
            window = windows[id(source.volume)] = source.volume.window or estimate_window(source.volume)
        plane = source.volume.slice(source.axis, index)
        row, column = _place_of_crop(plane, source.crop, rng)
        image = _in_window(plane[row:, column:][: source.crop, : source.crop], window)
        content = hashlib.sha256(image.tobytes()).digest()
        if np.ptp(image) == 0 or content in seen:
            continue
        seen.add(content)
        yield (
            image,
            {
                "specimen": source.volume.name,
                "source": source.volume.source,
                "axis": source.volume.axes[source.axis] if source.volume.data.ndim == 3 else "",
                "slice": index,
                "row": row,
                "column": column,
                "window": [window.low, window.high],
            },
        )


def find_images(folder: Path) -> list[Path]:
    """Return the image files in a folder, in natural order; raises RatingError if it cannot be read."""
    with explained(RatingError, f"The folder {folder} cannot be read", "check the path"):
        return files_in(folder, IMAGE_SUFFIXES)


def read_image(path: Path) -> np.ndarray:
    """Read an image to rate, as it is to be shown and learned from: (rows, columns), uint8.

    It is a TIFF, PNG or JPEG file with 8-bit grey values. Other depths are refused, since they would need an
    intensity window, which belongs to a tomogram and not to one of its slices. Raises RatingError where the
    file cannot be read, or is not an 8-bit grey image.
    """
    try:
        if path.suffix.lower() in (".tif", ".tiff"):
            image = tifffile.imread(path)
        else:
            image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    except Exception as error:  # whatever a format's library raises on a damaged file
        raise RatingError(f"The image {path} cannot be read ({cause(error)}): copy it again.") from error
    if image is None or not image.size:
        raise RatingError(f"The image {path} cannot be read, it may be damaged: copy it again.")
    image = np.squeeze(image)
    if image.ndim == 3 and image.shape[-1] in (3, 4) and (np.ptp(image[..., :3], axis=-1) == 0).all():
        image = image[..., 0]  # grey, written as colour
    if image.ndim != 2:
        kind = "a colour image" if image.shape[-1:] in ((3,), (4,)) else f"of shape {image.shape}"
        raise RatingError(f"'{path.name}' is {kind}: images to rate are single grey slices.")
    if image.dtype != np.uint8:
        raise RatingError(
            f"'{path.name}' holds {image.dtype} values and would need an intensity window: open the tomogram "
            "in napari and take the images from its layer."
        )
    return image


def _spread(source: ImageSource) -> list[int]:
    """Return the slices to cut, the same one several times only for crops."""
    depth = source.volume.slice_count(source.axis)
    count = source.count if source.crop else min(source.count, depth)
    return evenly(count, depth)


def _place_of_crop(plane: np.ndarray, crop: int | None, rng: np.random.Generator) -> tuple[int, int]:
    """Return the first row and column of a crop that shows more than the padding around a reconstruction."""
    if crop is None:
        return 0, 0
    most = [max(0, side - crop) for side in plane.shape]
    best, least_padding = (0, 0), np.inf
    for row, column in rng.integers(0, np.add(most, 1), (_TRIES, 2)).tolist():
        cut = plane[row : row + crop, column : column + crop]
        padding = float((~np.isfinite(cut) | (cut == plane[0, 0])).mean())
        if padding < least_padding:
            best, least_padding = (row, column), padding
        if padding <= _PADDING_ALLOWED:
            break
    return best


def _in_window(plane: np.ndarray, window: IntensityWindow) -> np.ndarray:
    shown = (plane.astype(np.float32) - np.float32(window.low)) * np.float32(255 / (window.high - window.low))
    return np.rint(np.clip(np.nan_to_num(shown, nan=0, posinf=0, neginf=0), 0, 255)).astype(np.uint8)
