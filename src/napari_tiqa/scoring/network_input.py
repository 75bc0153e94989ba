"""What the network sees of a slice: square tiles in [0, 1]; the same in training, scoring and rescoring."""

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import scipy.sparse

from napari_tiqa.errors import VolumeError
from napari_tiqa.scoring.float_pixels import float_pixels
from napari_tiqa.scoring.structure import NOISE_ONLY, lacks_structure
from napari_tiqa.volumes.window import IntensityWindow

TILE_SIZE = 224
"""Side of a tile, px; what EfficientNet-Lite0 was made for."""

_MIN_SIDE = 3
_MIN_FINITE = 0.1
_UNSEEN = 0.25


@dataclass(frozen=True)
class PreparedSlice:
    """One slice as the network sees it: `tiles`, shape (k, 224, 224), float32 in [0, 1].

    k is 0 where nothing can be scored; `reason` then says why.
    """

    tiles: np.ndarray
    reason: str = ""


def prepare_slice(
    plane: np.ndarray, window: IntensityWindow, known: np.ndarray | None = None
) -> PreparedSlice:
    """Turn a slice into network tiles.

    The slice is shrunk by area averaging until its shorter side is 224 px, never enlarged (that would
    look like blur): what is smaller is continued by reflection. Tiles are spread over the longer side.
    Values are mapped from the window to [0, 1] and clipped. Pixels that are not finite (such as a
    NaN margin around the reconstruction circle) take the window's low end.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), any real dtype, at least 3 x 3 px.
    window : IntensityWindow
        The volume's intensity window, in the units of `plane`.
    known : numpy.ndarray, optional
        The slice with NaN where `plane` was filled in, which does not tell structure from noise.

    Returns
    -------
    PreparedSlice
        Tiles, or the reason why the slice cannot be scored: no or hardly any finite pixel, a constant
        value, nothing inside the window, or noise without structure.

    Raises
    ------
    VolumeError
        If `plane` is not a 2-D array of real numbers with at least 3 px a side.
    """
    plane = checked_plane(plane)
    asked = window
    pixels, window = float_pixels(plane, asked)
    pixels = np.ascontiguousarray(pixels)
    shrunk = area_mean(pixels)
    if not np.isfinite(shrunk).all():
        finite = np.isfinite(pixels)
        share = finite.mean()
        if share < _MIN_FINITE:
            return unscorable(f"only {share:.0%} of its pixels are finite" if share else "no finite pixel")
        if np.ptp(pixels[finite]) == 0:
            return unscorable("constant value")
        shrunk = area_mean(np.where(finite, pixels, np.float32(window.low)))
    if np.ptp(shrunk) <= 1e-6 * np.abs(shrunk).max() and np.ptp(plane) == 0:
        return unscorable("constant value")
    scaled = np.clip((shrunk - window.low) / (window.high - window.low), 0, 1, dtype=np.float32)
    if np.ptp(scaled) == 0:
        return unscorable("no value inside the intensity window")
    if lacks_structure(plane if known is None else known, asked):
        return unscorable(NOISE_ONLY)
    return PreparedSlice(_tiles(scaled))


def checked_plane(plane: np.ndarray) -> np.ndarray:
    """Return a slice as an array; raises VolumeError unless it is 2-D, real and at least 3 px a side."""
    plane = np.asarray(plane)
    if plane.ndim != 2:
        raise VolumeError(
            f"A slice has 2 dimensions, this one {plane.ndim} (shape {plane.shape}): "
            "choose one channel or slice."
        )
    if plane.dtype.kind not in "buif":
        raise VolumeError(
            f"Slices of type {plane.dtype} cannot be scored: convert them to real numbers first."
        )
    if min(plane.shape) < _MIN_SIDE:
        raise VolumeError(
            f"A slice of {plane.shape[0]} x {plane.shape[1]} px is too small to score: choose an axis "
            f"along which slices have at least {_MIN_SIDE} px a side."
        )
    return plane


def unscorable(reason: str) -> PreparedSlice:
    """Return a slice without tiles, and why."""
    return PreparedSlice(np.empty((0, TILE_SIZE, TILE_SIZE), np.float32), reason)


def noise_kept(shape: tuple[int, ...]) -> float:
    """Return how much of its noise a slice of a shape keeps when it is shrunk, 1 where it is not shrunk.

    It is the standard deviation after shrinking, by that before it, of noise that is independent in each
    pixel: a root mean square over the pixels, which are means of unlike parts.
    """
    scale = TILE_SIZE / min(shape)
    if scale >= 1:
        return 1.0
    variances = [_area_mean(side, round(side * scale)).power(2).sum(1).mean() for side in shape]
    return math.sqrt(math.prod(variances))


def area_mean(pixels: np.ndarray) -> np.ndarray:
    """Shrink finite float32 pixels by area averaging until the shorter side is 224 px; never enlarge them."""
    scale = TILE_SIZE / min(pixels.shape)
    if scale >= 1:
        return pixels
    down, across = (_area_mean(side, round(side * scale)) for side in pixels.shape)
    # Along the rows first: whole rows are added up, several times faster than cv2.resize with INTER_AREA.
    # Transposed by OpenCV, several times faster than NumPy.
    return (across @ cv2.transpose(down @ pixels)).T


@lru_cache(maxsize=16)
def _area_mean(length: int, shrunk: int) -> scipy.sparse.csr_array:
    """Return the matrix, shape (shrunk, length), that averages `length` pixels by areas to `shrunk`."""
    # Cut at the borders of both, so that each part lies in one pixel before and one after.
    borders = np.union1d(np.arange(length + 1), np.arange(shrunk + 1) * (length / shrunk))
    parts = np.diff(borders)
    inside = borders[:-1] + parts / 2
    kept = parts > 1e-6  # not two borders that are the same but for rounding
    weights = (parts * (shrunk / length)).astype(np.float32)
    places = (inside * (shrunk / length)).astype(int), inside.astype(int)
    return scipy.sparse.csr_array((weights[kept], (places[0][kept], places[1][kept])), shape=(shrunk, length))


def _tiles(scaled: np.ndarray) -> np.ndarray:
    scaled = reflected(scaled)
    rows, columns = (tile_starts(side) for side in scaled.shape)
    return np.stack([scaled[r : r + TILE_SIZE, c : c + TILE_SIZE] for r in rows for c in columns])


def reflected(plane: np.ndarray) -> np.ndarray:
    """Continue a slice by reflection on all sides, as far as a tile is larger than it."""
    missing = [max(0, TILE_SIZE - side) for side in plane.shape]
    return np.pad(plane, [(m // 2, m - m // 2) for m in missing], mode="reflect") if any(missing) else plane


def tile_starts(side: int) -> np.ndarray:
    """Return where the tiles begin that are spread over a side of at least 224 px, shape (k,)."""
    # Up to an eighth of a tile at either end stays unseen, rather than a second tile nearly equal to
    # the first for a slice that is not quite square.
    count = max(1, math.ceil(side / TILE_SIZE - _UNSEEN))
    if count == 1:
        return np.array([(side - TILE_SIZE) // 2])
    return np.linspace(0, side - TILE_SIZE, count).round().astype(int)
