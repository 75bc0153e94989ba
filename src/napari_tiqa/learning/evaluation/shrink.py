"""How shrinking a large slice to 224 px changes its score, compared with the mean over native tiles.

The paper's Fig. S1 asks the same of its shrink to 255 px.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from napari_tiqa.errors import VolumeError
from napari_tiqa.learning.images.dataset import dataset_record, is_dataset
from napari_tiqa.learning.images.originals import SESSION_WINDOW, session_images
from napari_tiqa.learning.ratings.session_files import is_session
from napari_tiqa.scoring.native_tiles import prepare_native_tiles
from napari_tiqa.scoring.network_input import TILE_SIZE, prepare_slice
from napari_tiqa.scoring.predict import load_model, predict
from napari_tiqa.volumes.open import open_volume
from napari_tiqa.volumes.slices import evenly
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.volumes.window_estimate import estimate_window

SHRINK_COLUMNS = ("slice", "rows", "columns", "shrunk", "native", "native_sd", "tiles", "difference")


@dataclass(frozen=True)
class LargeSlice:
    """A slice along z whose shorter side exceeds 224 px, read when it is needed.

    `window` is None for the volume's own.
    """

    name: str
    path: Path
    index: int = 0
    window: IntensityWindow | None = None

    def read(self) -> tuple[np.ndarray, IntensityWindow]:
        """Return the slice and its intensity window."""
        volume = open_volume(self.path).tomogram()
        return volume.slice(0, self.index), self.window or volume.window or estimate_window(volume)


def large_slices(folder: Path) -> list[LargeSlice]:
    """Find the slices over 224 px a side behind a rated session or a dataset.

    The images of a session are at native resolution; the originals of a dataset are looked up where they
    were when it was generated, and left out where they are no longer there.
    """
    if is_session(folder):
        paths = [path for path, _ in session_images(folder)]
        return [found for path in paths for found in spread_slices(path, 1, SESSION_WINDOW)]
    if not is_dataset(folder):
        return []
    recipe = dataset_record(folder).get("recipe") or {}
    return [
        found
        for path in recipe.get("originals", ())
        for found in spread_slices(Path(path), int(recipe.get("slices", 1)))
    ]


def spread_slices(path: Path, count: int, window: IntensityWindow | None = None) -> list[LargeSlice]:
    """Choose up to `count` slices of a file, evenly spaced along z.

    Empty if they are not over 224 px a side, or the file is missing or cannot be opened. `window` replaces
    the volume's own.
    """
    try:
        volume = open_volume(path).tomogram()
    except VolumeError:
        return []
    if min(volume.data.shape[-2:]) <= TILE_SIZE:
        return []
    depth = volume.slice_count(0)
    indices = evenly(min(count, depth), depth)
    names = [path.name if depth == 1 else f"{path.name} z{index}" for index in indices]
    return [LargeSlice(name, path, index, window) for name, index in zip(names, indices, strict=True)]


def shrink_effect(
    model: str, slices: Sequence[LargeSlice], advance: Callable[[float], object]
) -> pd.DataFrame:
    """Score slices shrunk and by native-resolution tiles, with the model bundle at a path.

    Returns the columns `SHRINK_COLUMNS`: name, px, the shrunk slice's score (the mean where it gives several
    tiles), mean and standard deviation of the scores of the native tiles (``prepare_native_tiles``, at most
    nine) and their number, and native minus shrunk. Slices that cannot be scored are left out. `advance` is
    called with the share done, 0..1; what it raises ends the work.
    """
    network = load_model(model)
    rows = []
    for number, large in enumerate(slices):
        advance(number / len(slices))
        plane, window = large.read()
        shrunk, native = prepare_slice(plane, window).tiles, prepare_native_tiles(plane, window).tiles
        if len(shrunk) and len(native):
            scores = predict(network, np.concatenate([shrunk, native]))[:, 0]
            whole, tiles = scores[: len(shrunk)].mean(), scores[len(shrunk) :]
            values = (whole, tiles.mean(), tiles.std(), len(tiles), tiles.mean() - whole)
            rows.append((large.name, *plane.shape, *values))
    return pd.DataFrame(rows, columns=list(SHRINK_COLUMNS))
