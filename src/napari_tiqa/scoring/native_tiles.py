"""Tiles at native resolution: where they lie in a slice, and what the network sees of them."""

import cv2
import numpy as np

from napari_tiqa.scoring.float_pixels import float_pixels
from napari_tiqa.scoring.network_input import (
    TILE_SIZE,
    PreparedSlice,
    area_mean,
    checked_plane,
    prepare_slice,
    reflected,
    tile_starts,
    unscorable,
)
from napari_tiqa.scoring.structure import NOISE_ONLY, lacks_structure
from napari_tiqa.volumes.region import PADDING_FROM
from napari_tiqa.volumes.window import IntensityWindow

BANDS = 3
MOST_TILES = BANDS**2
"""Tiles that stand for a slice at most; docs/quality_dock.md says why nine."""

_FILLED = 0.75  # of a tile; a round specimen that fits a single tile fills 0.785 of it
_COARSE = 8  # px; content is looked for on every eighth row and column, 28 x 28 places a tile


def prepare_native_tiles(
    plane: np.ndarray, window: IntensityWindow, known: np.ndarray | None = None
) -> PreparedSlice:
    """Turn a slice into at most nine tiles of its own pixels, as ``prepare_slice`` turns it into shrunk ones.

    Shrinking averages over many pixels: the noise of a large slice vanishes by it, and fine rings and slight
    blur do. Native tiles show them. A slice of up to some 700 px is covered with tiles, of a larger one nine
    are taken, each from the middle of one ninth of the area that has content. The slice is continued by
    reflection up to one tile. `known` is as of ``prepare_slice``.
    """
    plane = checked_plane(plane)
    known = plane if known is None else known
    if lacks_structure(known, window):
        return unscorable(NOISE_ONLY)
    pixels = reflected(plane)
    tiles = [native_tile(pixels, row, column, window) for row, column in native_places(known)]
    seen = [tile for tile in tiles if np.ptp(tile) > 0]
    if seen:
        return PreparedSlice(np.stack(seen))
    reason = prepare_slice(plane, window, known).reason
    return unscorable(reason or "no place with content as large as a tile of 224 px")


def native_places(plane: np.ndarray) -> list[tuple[int, int]]:
    """Choose where the native tiles of a slice lie: row and column of each in the reflected slice."""
    starts = [tile_starts(max(side, TILE_SIZE)) for side in plane.shape]
    corners = spread(np.argwhere(filled_tiles(plane, *starts)))
    return [(int(starts[0][i]), int(starts[1][j])) for i, j in corners]


def native_tile(
    pixels: np.ndarray, row: int, column: int, window: IntensityWindow, factor: int = 1
) -> np.ndarray:
    """Cut out what the network sees of one tile: shape (224, 224), float32 in [0, 1].

    `pixels` is a slice of at least 224 px a side (``network_input.reflected``), or of ``224 * factor``: a
    pixel of the tile is then the mean of `factor` x `factor` of them. The window is mapped to [0, 1], and
    pixels that are not finite take its low end.
    """
    side = TILE_SIZE * factor
    tile, window = float_pixels(pixels[row : row + side, column : column + side], window)
    tile = np.where(np.isfinite(tile), tile, np.float32(window.low))
    if factor > 1:
        tile = area_mean(tile)
    return np.clip((tile - window.low) / (window.high - window.low), 0, 1, dtype=np.float32)


def filled_tiles(plane: np.ndarray, rows: np.ndarray, columns: np.ndarray, *, factor: int = 1) -> np.ndarray:
    """Tell which tiles have content in at least three quarters of their area: bool, shape (n, m).

    `rows` (n,) and `columns` (m,) say where tiles of ``224 * factor`` px begin in the reflected slice;
    `plane` is the slice as it is.
    """
    side = TILE_SIZE * factor
    step = _COARSE if min(plane.shape) >= TILE_SIZE else 1
    inside = reflected(content(plane, step)) if step == 1 else content(plane, step)
    sums = cv2.integral(np.ascontiguousarray(inside, np.uint8))
    tops, lefts = rows // step, columns // step
    bottoms, rights = tops + side // step, lefts + side // step
    count = (
        sums[np.ix_(bottoms, rights)]
        - sums[np.ix_(tops, rights)]
        - sums[np.ix_(bottoms, lefts)]
        + sums[np.ix_(tops, lefts)]
    )
    return count >= _FILLED * (side // step) ** 2


def content(plane: np.ndarray, step: int = 1) -> np.ndarray:
    """Tell the pixels of a slice, every `step`-th row and column, from those around its reconstruction; bool.

    Pixels that are not finite do not count, and neither does constant padding: where the four corners are
    equal, pixels of that very value near and outside the inscribed circle (the rule of ``estimate_window``).
    """
    sampled = plane[::step, ::step]
    inside = np.isfinite(sampled)
    corners = plane[[0, 0, -1, -1], [0, -1, 0, -1]]
    if (corners == corners[0]).all():
        height, width = plane.shape
        y = np.arange(0, height, step)[:, None] - (height - 1) / 2
        x = np.arange(0, width, step) - (width - 1) / 2
        near_or_outside = y**2 + x**2 > (PADDING_FROM * min(height, width) / 2) ** 2
        inside &= ~near_or_outside | (sampled != corners[0])
    return inside


def spread(places: np.ndarray, bands: int = BANDS) -> np.ndarray:
    """Choose places (n, 2), row and column, row by row: each in the middle of an equal share of all.

    There are `bands` bands of rows with as many shares each, so the result has at most ``bands**2`` places.
    """
    if len(places) <= bands**2:
        return places
    shares = [
        share
        for band in np.array_split(places, bands)
        for share in np.array_split(band[np.lexsort((band[:, 0], band[:, 1]))], bands)
    ]
    return np.array([share[len(share) // 2] for share in shares])
