"""What the segmenting network sees of a slice: pixels in [0, 1], in tiles that are blended without seams."""

import math
from collections.abc import Callable, Iterator

import numpy as np

from napari_tiqa.scoring.float_pixels import float_pixels
from napari_tiqa.scoring.network_input import checked_plane
from napari_tiqa.segmentation.recipe import STRIDE
from napari_tiqa.volumes.window import IntensityWindow

LARGEST = 1024
"""Longest side of a tile, px: larger ones save nothing and need memory."""

OVERLAP = 128
"""Pixels that two neighbours share at least."""

_BORDER = 16
# Next to a border of a tile the network sees zeros instead of the slice; where a neighbour sees better, these
# pixels do not count. From there weights rise along half a cosine, without a corner that would show.
_RAMP = np.sin(np.pi / 2 * np.clip((np.arange(OVERLAP) + 0.5 - _BORDER) / (OVERLAP - 2 * _BORDER), 0, 1)) ** 2


def network_image(plane: np.ndarray, window: IntensityWindow) -> np.ndarray:
    """Map a slice from its volume's intensity window to float32 in [0, 1]; what is not finite becomes 0.

    A VolumeError is raised if it is not a 2-D array of real numbers with at least 3 px a side.
    """
    pixels = unit_image(checked_plane(plane), window)
    np.nan_to_num(pixels, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    return np.clip(pixels, 0, 1, out=pixels)


def unit_image(plane: np.ndarray, window: IntensityWindow) -> np.ndarray:
    """Map a slice from its window to [0, 1] without clipping; shape of `plane`, float32."""
    pixels, window = float_pixels(plane, window)
    image = np.array(pixels)
    image -= np.float32(window.low)
    image *= np.float32(1 / (window.high - window.low))
    return image


def in_tiles(image: np.ndarray, see: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """See an image, float32, tile by tile; `see` gives shape (classes, rows, columns), and so does this.

    Each pixel gets the mean of the tiles over it, weighted by smooth ramps across their overlaps. Tiles begin
    at multiples of 32 px, where the network's pooling grid lies for the whole image too, so that they differ
    from it only in what they cannot see. Their sides are multiples of 32, up to 1024 px; the image is
    continued by reflection.
    """
    padded = _padded(image)
    places = [list(_places(side)) for side in padded.shape]
    single = all(len(line) == 1 for line in places)
    seen = see(padded) if single else _blended(padded, places, see)
    return seen[:, : image.shape[0], : image.shape[1]]


def _whole(side: int) -> int:
    return -(-side // STRIDE) * STRIDE


def _padded(image: np.ndarray) -> np.ndarray:
    missing = [_whole(side) - side for side in image.shape]
    return np.pad(image, [(0, count) for count in missing], mode="symmetric") if any(missing) else image


def _places(side: int) -> Iterator[slice]:
    """Give where tiles lie along a side, which is a multiple of the stride; all of one length."""
    count = max(1, math.ceil((side - OVERLAP) / (LARGEST - OVERLAP)))
    length = _whole(math.ceil((side + (count - 1) * OVERLAP) / count))
    for number in range(count):
        start = round(number * (side - length) / max(1, count - 1) / STRIDE) * STRIDE
        yield slice(start, start + length)


def _blended(
    padded: np.ndarray, places: list[list[slice]], see: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    total: np.ndarray | None = None
    shares = [_shares(line, side) for line, side in zip(places, padded.shape, strict=True)]
    for rows, down in zip(places[0], shares[0], strict=True):
        for columns, across in zip(places[1], shares[1], strict=True):
            seen = see(padded[rows, columns])
            if total is None:
                total = np.zeros((len(seen), *padded.shape), np.float32)
            total[:, rows, columns] += seen * down[:, None] * across
    assert total is not None
    return total


def _shares(line: list[slice], side: int) -> list[np.ndarray]:
    """Return the weight of each tile at its pixels along a side; those of all tiles add up to 1."""
    ramps = []
    for place in line:
        ramp = np.ones(place.stop - place.start)
        if place.start > 0:
            ramp[:OVERLAP] = _RAMP
        if place.stop < side:
            ramp[-OVERLAP:] *= _RAMP[::-1]
        ramps.append(ramp)
    sums = np.zeros(side)
    for place, ramp in zip(line, ramps, strict=True):
        sums[place] += ramp
    return [(ramp / sums[place]).astype(np.float32) for place, ramp in zip(line, ramps, strict=True)]
