"""Filters of grey values: contrast, gamma, uneven background."""

from functools import partial

import cv2
import numpy as np
from numpy.polynomial import legendre
from scipy.ndimage import map_coordinates
from skimage.filters import threshold_otsu

from napari_tiqa.filtering.bands import require_side
from napari_tiqa.filtering.filter import slice_filter
from napari_tiqa.filtering.parameter import Parameter
from napari_tiqa.volumes.threads import share

_BINS = 256
_BAND = 64  # rows
_COARSE = 64  # px, the longer side of the slice that a background is fitted to
_FITS = 10
_THRESHOLDS = 4


@slice_filter(
    "Local contrast (CLAHE)",
    "Contrast",
    "limit",
    tile=Parameter("Tile", 128, 16, 1024, "px", logarithmic=True).advised(
        "Contrast is spread within tiles of this size: choose several times the size of your structures."
    ),
    limit=Parameter("Limit", 2.0, 1, 20, logarithmic=True).advised(
        "Grey steps are enlarged by at most this factor; 1 changes nothing. Noise is enlarged as well."
    ),
)
def clahe(plane: np.ndarray, tile: int, limit: float, inside: np.ndarray) -> np.ndarray:
    """Spread the grey values of each region over the window: shows faint contrast, changes what grey means.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), float32.
    tile : int
        Side of the regions whose grey values are counted, px.
    limit : float
        Greatest slope of the map from old to new grey values, at least 1.
    inside : numpy.ndarray
        Shape of `plane`, bool; only these pixels are counted.

    Raises
    ------
    FilterError
        If the slice is smaller than a tile.

    Notes
    -----
    Contrast limited adaptive histogram equalisation: Pizer et al., Computer Vision, Graphics, and Image
    Processing 39, 1987; Zuiderveld in Graphics Gems IV, 1994. Histograms of 256 bins, but grey values are
    interpolated between them, so that the result has no steps, unlike that of
    ``skimage.exposure.equalize_adapthist``, and the limit means the same whatever the tile, unlike OpenCV's.
    What lies beyond the window stays as far beyond it.
    """
    require_side(plane, tile, "A tile", "choose a smaller tile")
    maps = _grey_maps(plane, tile, limit, inside)
    # place of each pixel among the tiles' middles
    down, right = (
        (np.arange(side, dtype=np.float32) + 0.5) / side * tiles - 0.5
        for side, tiles in zip(plane.shape, maps.shape[:2], strict=True)
    )
    result = np.empty_like(plane)

    def map_band(top: int) -> None:
        band = plane[top : top + _BAND]
        within = np.clip(band, 0, 1)
        rows = np.broadcast_to(down[top : top + _BAND, None], band.shape)
        columns = np.broadcast_to(right, band.shape)
        mapped = map_coordinates(
            maps, [rows, columns, within * _BINS], np.float32, order=1, mode="nearest", prefilter=False
        )
        result[top : top + _BAND] = mapped + (band - within)

    share([partial(map_band, top) for top in range(0, len(plane), _BAND)])
    return result


def _grey_maps(plane: np.ndarray, tile: int, limit: float, inside: np.ndarray) -> np.ndarray:
    """Return for each tile the new grey values of the bins' edges, shape (tiles, tiles, bins + 1)."""
    edges = [np.linspace(0, side, round(side / tile) + 1).astype(int) for side in plane.shape]
    counts = np.empty((len(edges[0]) - 1, len(edges[1]) - 1, _BINS), np.float32)
    bins = np.minimum((np.clip(plane, 0, 1) * _BINS).astype(np.uint16), _BINS - 1)
    for i, rows in enumerate(map(slice, edges[0][:-1], edges[0][1:])):
        for j, columns in enumerate(map(slice, edges[1][:-1], edges[1][1:])):
            seen = inside[rows, columns]
            counts[i, j] = np.bincount(bins[rows, columns][seen], minlength=_BINS)
            # Pixels outside count for no grey in particular: a tile without content changes nothing.
            counts[i, j] += (seen.size - np.count_nonzero(seen)) / _BINS
    counts /= counts.mean(-1, keepdims=True)  # the map's slope
    # What is cut off is spread over all bins; the cut is where the slope with that share is the limit.
    low = np.zeros((*counts.shape[:2], 1), np.float32)
    high = np.full_like(low, limit)
    for _ in range(20):
        cut = (low + high) / 2
        over = cut + 1 - np.minimum(counts, cut).mean(-1, keepdims=True) > limit
        low, high = np.where(over, low, cut), np.where(over, cut, high)
    slopes = np.minimum(counts, low)
    slopes += 1 - slopes.mean(-1, keepdims=True)
    return np.concatenate([np.zeros_like(low), np.cumsum(slopes, -1) / _BINS], -1)


@slice_filter(
    "Gamma",
    "Contrast",
    "gamma",
    gamma=Parameter("Gamma", 0.8, 0.2, 5, logarithmic=True).advised(
        "Below 1 shows more in dark phases, above 1 more in bright ones; 1 changes nothing."
    ),
)
def gamma(plane: np.ndarray, gamma: float) -> np.ndarray:
    """Bend the grey values between the window's ends: v becomes v to the power of gamma.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), float32; values below 0 and above 1 stay as they are.
    gamma : float
        The power.
    """
    return np.where((plane > 0) & (plane < 1), np.power(np.clip(plane, 0, 1), np.float32(gamma)), plane)


@slice_filter(
    "Flatten background",
    "Contrast",
    "order",
    order=Parameter("Order", 2, 1, 8).advised(
        "Degree of the polynomial: 1 removes a slope, 2 round cupping, 4 cupping that is steep near the "
        "rim. Higher orders begin to remove real differences in density."
    ),
    measured_on=Parameter("Measured on", "all", choices=("all", "bright", "dark"), tunable=False).advised(
        "Pixels that the background is estimated from: all where the specimen fills the slice, the bright "
        "ones for a specimen in air."
    ),
    amount=Parameter("Amount", 100.0, 0, 100, "%").advised("Share of the background that is subtracted."),
)
def flatten_background(
    plane: np.ndarray, order: int, measured_on: str, amount: float, inside: np.ndarray
) -> np.ndarray:
    """Subtract a smooth background: cupping from beam hardening, uneven light; the mean grey value stays.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), float32.
    order : int
        Total degree of the polynomial in x and y.
    measured_on : str
        "all" pixels, or the "bright" or the "dark" ones on their side of Otsu's threshold.
    amount : float
        Share of the background that is subtracted, %.
    inside : numpy.ndarray
        Shape of `plane`, bool; only these pixels are measured.

    Raises
    ------
    FilterError
        If the slice has fewer rows or columns than the polynomial needs.

    Notes
    -----
    The polynomial with the least absolute difference to the slice shrunk to 64 px, found by reweighted least
    squares: absolute, so that the most frequent phase decides and the others count as outliers. Where the
    polynomial leaves the range it has on the measured pixels, it is cut off.
    """
    require_side(plane, 2 * (order + 1), "The background's polynomial", "choose a lower order")
    background = _fitted(plane, inside, order) if measured_on == "all" else np.zeros_like(plane)
    # Where the background hides which pixels are bright, subtracting it shows them.
    for _ in range(_THRESHOLDS if measured_on != "all" else 0):
        flat = plane - background
        bright = flat > threshold_otsu(flat[inside])
        background = _fitted(plane, inside & (bright == (measured_on == "bright")), order)
    return plane - np.float32(amount / 100) * background


def _fitted(plane: np.ndarray, measured: np.ndarray, order: int) -> np.ndarray:
    """Return the polynomial nearest to the measured pixels, less its mean there."""
    counted, means = _shrunk(plane, measured)
    used = counted > 0
    axes, coarse_axes = (
        [legendre.legvander((np.arange(side) + 0.5) / side * 2 - 1, order) for side in shape]
        for shape in (plane.shape, means.shape)
    )
    terms = [(i, j) for i in range(order + 1) for j in range(order + 1 - i)]
    basis = np.stack([np.outer(coarse_axes[0][:, i], coarse_axes[1][:, j])[used] for i, j in terms], -1)
    values, weights = means[used], np.sqrt(counted[used])
    for _ in range(_FITS):
        factors = np.linalg.lstsq(weights[:, None] * basis, weights * values, rcond=None)[0]
        fitted = basis @ factors
        weights = np.sqrt(counted[used] / np.maximum(np.abs(values - fitted), 1e-3))
    table = np.zeros((order + 1, order + 1))
    table[tuple(np.transpose(terms))] = factors
    background = (axes[0] @ table @ axes[1].T).astype(np.float32)
    np.clip(background, fitted.min(), fitted.max(), out=background)
    background -= np.average(fitted, weights=counted[used])
    return background


def _shrunk(plane: np.ndarray, measured: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of pixels that are measured, and their mean, in at most 64 x 64 blocks, float64."""
    factor = max(1, max(plane.shape) / _COARSE)
    size = tuple(max(1, round(side / factor)) for side in plane.shape[::-1])
    counted = measured.astype(np.float32)
    share_of_block = cv2.resize(counted, size, interpolation=cv2.INTER_AREA).astype(float)
    total = cv2.resize(plane * counted, size, interpolation=cv2.INTER_AREA)
    return share_of_block, total / np.maximum(share_of_block, 1e-9)


FILTERS = (clahe, gamma, flatten_background)
