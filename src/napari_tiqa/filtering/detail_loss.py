"""What a filter costs: the share of the edges' steepness that is lost."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from napari_tiqa.errors import FilterError
from napari_tiqa.filtering.slice_frame import window_ends
from napari_tiqa.scoring.native_tiles import MOST_TILES, content, filled_tiles, spread
from napari_tiqa.scoring.network_input import TILE_SIZE, tile_starts
from napari_tiqa.volumes.window import IntensityWindow

_EDGE_SCALE = 1.5  # px, standard deviation of the Gaussian whose gradient finds edges
_STEEPNESS_SCALE = 0.7  # px, of the one whose gradient measures them
_ABOVE_NOISE = 6.0  # times the standard deviation that noise gives the gradient
_LEAST_GRADIENT = 0.01  # of the window per px; steps between 8-bit grey levels make smaller ones
_OF_STEEPEST = 0.3  # of the 95th percentile: fainter edges hardly change the mean, but add their noise
_FEWEST = 150  # edge pixels
_NOISE_BLOCK = 32  # px
_MEDIAN_OF_NORMAL = 0.6745  # of the absolute value, in standard deviations
_REACH = 8  # px around an edge that must be content

Tile = tuple[slice, slice]


def detail_loss(
    before: np.ndarray, after: np.ndarray, window: IntensityWindow | tuple[float, float]
) -> float:
    """Measure how much steepness the edges of a slice lose through a filter, in per cent.

    A score without reference cannot tell whether a filter removed noise or detail, so a filter can win by
    blurring. This figure shows it: at 0 % edges rise as steeply as before, at 50 % half as steeply. Negative:
    they have become steeper, by sharpening or by more contrast.

    Parameters
    ----------
    before, after : numpy.ndarray
        The slice and the filtered slice, one shape (rows, columns), any real dtype.
    window : IntensityWindow or (low, high)
        That of the unfiltered volume; steps below about 4 % of it are ignored.

    Returns
    -------
    float
        Per cent; NaN where the slice has not enough edges that stand out of its noise.

    Raises
    ------
    FilterError
        If the two are not 2-D slices of the same shape.
    VolumeError
        If the window's ends are not finite, the lower one first.

    Notes
    -----
    Edges are found in the slice before: ridges of the derivative at 1.5 px that stand six standard deviations
    out of the noise (after Canny, IEEE Transactions on Pattern Analysis and Machine Intelligence 8, 1986).
    There the derivative is taken at 0.7 px in both slices; the figure is what its mean lost.

    Why this figure: SSIM, PSNR and the variance of the difference take removed noise for lost detail. Here
    noise has either sign at thousands of edge pixels and cancels in the mean, so that removing it costs
    nothing. Only where an edge is found depends on that noise; what this makes is measured by
    benchmarks/detail_loss.py against the true edges of simulated specimens. And steepness is what
    resolution is measured by.

    Ring artefacts are edges too. Therefore the derivative is taken along the circles around the slice's
    middle, in which rings are constant: removing them costs nothing either. Edges along such circles are
    not seen; those of another direction tell enough. In a large slice, nine native tiles are measured.
    """
    before, after = np.asarray(before), np.asarray(after)
    if before.ndim != 2 or before.shape != after.shape:
        raise FilterError(
            f"Detail loss compares two slices of one shape, not {before.shape} and {after.shape}: "
            "give a slice and the same slice filtered."
        )
    low, high = window_ends(window)
    if not before.size:
        return math.nan
    inside = content(before)
    tiles = [(tile, _scaled(before[tile], low, high)) for tile in _tiles(before)]
    ridges = [_ridges(pixels, inside[tile], _around(tile, before.shape)) for tile, pixels in tiles]
    strengths = np.concatenate([ridge.strength for ridge in ridges] or [np.empty(0)])
    if strengths.size < _FEWEST:
        return math.nan
    least = _OF_STEEPEST * np.percentile(strengths, 95)
    if np.count_nonzero(strengths > least) < _FEWEST:
        return math.nan
    steepness_before = steepness_after = 0.0
    for (tile, pixels), ridge in zip(tiles, ridges, strict=True):
        steepness_before += ridge.steepness(pixels, least)
        steepness_after += ridge.steepness(_scaled(after[tile], low, high), least)
    return 100 * (1 - steepness_after / steepness_before) if steepness_before > 0 else math.nan


@dataclass(frozen=True)
class _Ridges:
    """Edges of a tile, as they are crossed on the way around the slice's middle; arrays of shape (n,)."""

    rows: np.ndarray
    columns: np.ndarray
    strength: np.ndarray  # absolute derivative at the scale of edges, of the window per px
    down: np.ndarray  # with `right`, the unit vector along which grey values rise
    right: np.ndarray

    def steepness(self, pixels: np.ndarray, least: float) -> float:
        """Sum the derivative across those edges that are stronger than `least`."""
        used = self.strength > least
        at = self.rows[used], self.columns[used]
        down, right = _gradient(pixels, _STEEPNESS_SCALE)
        return float(down[at] @ self.down[used] + right[at] @ self.right[used])


def _tiles(plane: np.ndarray) -> list[Tile]:
    """Return the whole of a small slice, and so many pixels of a large one."""
    if plane.size <= MOST_TILES * TILE_SIZE**2:
        return [(slice(0, plane.shape[0]), slice(0, plane.shape[1]))]
    starts = [tile_starts(max(side, TILE_SIZE)) for side in plane.shape]
    corners = spread(np.argwhere(filled_tiles(plane, *starts)))
    return [
        (slice(starts[0][i], starts[0][i] + TILE_SIZE), slice(starts[1][j], starts[1][j] + TILE_SIZE))
        for i, j in corners
    ]


def _scaled(pixels: np.ndarray, low: float, high: float) -> np.ndarray:
    """Map the window to 0..1; what is not finite becomes NaN, which no comparison takes for an edge."""
    scaled = (pixels.astype(np.float64) - low) / (high - low)
    scaled[~np.isfinite(scaled)] = np.nan
    return scaled.astype(np.float32)


def _ridges(pixels: np.ndarray, inside: np.ndarray, around: tuple[np.ndarray, np.ndarray]) -> _Ridges:
    """Find where the derivative along the circles is greater than a pixel before and after."""
    down, right = _gradient(pixels, _EDGE_SCALE)
    slope = down * around[0] + right * around[1]
    strength = np.abs(slope)
    in_slope = 1 / (math.sqrt(8 * math.pi) * _EDGE_SCALE**2)  # of the standard deviation of white noise
    least = np.maximum(_LEAST_GRADIENT, _ABOVE_NOISE * in_slope * _noise(pixels))
    rows, columns = np.nonzero((strength > least) & _far_from_border(inside))
    at = rows, columns
    step = [np.rint(part[at]).astype(int) for part in around]
    here = strength[at]
    ridge = here >= strength[rows + step[0], columns + step[1]]
    ridge &= here > strength[rows - step[0], columns - step[1]]
    at = rows[ridge], columns[ridge]
    rising = np.sign(slope[at])
    return _Ridges(*at, here[ridge], around[0][at] * rising, around[1][at] * rising)


def _gradient(pixels: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the derivatives down and right of the pixels smoothed by a Gaussian."""
    places = np.arange(-math.ceil(4 * scale), math.ceil(4 * scale) + 1)
    smooth = np.exp(-(places**2) / (2 * scale**2))
    slope = places * smooth
    smooth = smooth / smooth.sum()
    slope = slope / (slope * places).sum()
    return cv2.sepFilter2D(pixels, -1, smooth, slope), cv2.sepFilter2D(pixels, -1, slope, smooth)


def _noise(pixels: np.ndarray) -> np.ndarray:
    """Return the standard deviation of the noise around each pixel: there is more behind dense material."""
    # The median, in blocks, of the finest diagonal differences, in which edges hardly show.
    finest = np.abs(pixels[1:, 1:] - pixels[1:, :-1] - pixels[:-1, 1:] + pixels[:-1, :-1])
    count = [max(1, side // _NOISE_BLOCK) for side in finest.shape]
    blocks = np.array(
        [
            [np.median(block) for block in np.array_split(row, count[1], axis=1)]
            for row in np.array_split(np.nan_to_num(finest, nan=np.inf), count[0])
        ]
    )
    # A block that is mostly empty, or without noise where the others have some, says nothing itself.
    usual = np.median(blocks)
    blocks = np.where(np.isfinite(blocks), np.maximum(blocks, usual), usual)
    local = cv2.resize(blocks.astype(np.float32), pixels.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return local / (2 * _MEDIAN_OF_NORMAL)


def _around(tile: Tile, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return for each pixel of a tile the unit vector along the circle around the slice's middle."""
    down, right = (np.arange(side)[part] - (side - 1) / 2 for part, side in zip(tile, shape, strict=True))
    distance = np.maximum(np.hypot(down[:, None], right), 0.5)
    return np.asarray(right / distance, np.float32), np.asarray(-down[:, None] / distance, np.float32)


def _far_from_border(inside: np.ndarray) -> np.ndarray:
    side = 2 * _REACH + 1
    square = np.ones((side, side))
    return cv2.erode(inside.astype(np.uint8), square, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
