"""The quality map of a slice: scores of overlapping tiles blended into a picture of where quality is lost."""

import math

import cv2
import numpy as np

from napari_tiqa.scoring.native_tiles import content
from napari_tiqa.scoring.network_input import TILE_SIZE

_SPECKLE = 200  # px; smaller areas without content are a few dark pixels, not a margin


def overlapping_starts(side: int, stride: int) -> np.ndarray:
    """Return where tiles begin that cover a side from end to end, at most `stride` px apart, shape (k,)."""
    span = max(0, side - TILE_SIZE)
    return np.linspace(0, span, math.ceil(span / stride) + 1).round().astype(int)


def blend(plane: np.ndarray, scores: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Blend tile scores, (n, m), NaN for a tile that does not count, into a map of the slice, float32.

    Each pixel gets the mean of the tiles over it, weighted by a Hann window around each tile's middle, so
    that the map has no seams; NaN where there is no content or no tile that counts. `rows` (n,) and `columns`
    (m,) say where tiles begin in the slice continued to at least 224 px a side.
    """
    counts = np.isfinite(scores)
    sides = [max(side, TILE_SIZE) for side in plane.shape]
    down, across = (_weights(s, side) for s, side in zip((rows, columns), sides, strict=True))
    total = down.T @ np.where(counts, scores, 0) @ across
    weight = down.T @ counts @ across
    with np.errstate(invalid="ignore"):
        blended = (total / weight).astype(np.float32)
    offsets = [(side - length) // 2 for side, length in zip(sides, plane.shape, strict=True)]
    cropped = blended[tuple(slice(o, o + n) for o, n in zip(offsets, plane.shape, strict=True))]
    return np.where(_margin(plane), np.float32(np.nan), cropped)


def _margin(plane: np.ndarray) -> np.ndarray:
    """Tell the pixels around a reconstruction from its own, bool."""
    outside = ~content(plane)
    _, areas, stats, _ = cv2.connectedComponentsWithStats(outside.view(np.uint8))
    return outside & (stats[:, cv2.CC_STAT_AREA] > _SPECKLE)[areas]


def _weights(starts: np.ndarray, side: int) -> np.ndarray:
    """Return the weight of each tile at each pixel along one side, shape (n, side)."""
    window = np.sin(np.pi * (np.arange(TILE_SIZE) + 0.5) / TILE_SIZE) ** 2
    weights = np.zeros((len(starts), side))
    for tile, start in zip(weights, starts, strict=True):
        tile[start : start + TILE_SIZE] = window
    return weights
