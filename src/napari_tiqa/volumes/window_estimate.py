"""The intensity window of a volume, estimated from a few sampled slices."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from napari_tiqa.arguments import checked_arguments
from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.reading import read_boxes
from napari_tiqa.volumes.region import PADDING_FROM, Region
from napari_tiqa.volumes.slices import evenly
from napari_tiqa.volumes.stored import Box
from napari_tiqa.volumes.volume import Volume, unreadable
from napari_tiqa.volumes.window import IntensityWindow, as_window
from napari_tiqa.wording import counted

PERCENTILES = (0.5, 99.5)

MARGIN = 0.05

MAX_SLICES = 24

GRID = 8  # cells a side, one sampled patch in each

CORNERS = 4


def volume_window(
    volume: Volume,
    window: IntensityWindow | tuple[float, float] | None = None,
    region: Region | None = None,
) -> IntensityWindow:
    """Return the window to work in: the one given, else the volume's own, else one estimated in a region.

    Raises the errors of `estimate_window`.
    """
    return as_window(window) or volume.window or estimate_window(volume, region=region)


@checked_arguments
def estimate_window(
    volume: Any, max_slices: int = MAX_SLICES, region: Region | None = None
) -> IntensityWindow:
    """Estimate a tomogram's intensity window from a few sampled slices.

    The 0.5 and 99.5 percentiles leave out hot pixels and metal glare, which would squeeze the
    material into a few grey levels; 5 % of their distance is added on either side, since noise and
    rings clipped in the darkest and brightest phase could not be seen any more.

    At most 24 slices, evenly spaced along z, are sampled. Each gives patches of up to 64 x 64
    pixels, one per cell of an 8 x 8 grid; where 24 slices are sampled, each gives a quarter of the
    cells, in turn, or, in slices of more than a megapixel, a 16th of the cells with patches of 128 x
    128 pixels, so that few pieces of a file stored in chunks are read. Which pixels are taken depends
    on the volume's shape alone: the window is the same however the data are stored, whatever is
    displayed and whichever slices are scored.

    NaN and infinite values are left out, and so is the constant padding around a reconstruction:
    where the four corners of the middle sampled slice are equal, pixels of that very value near and
    outside the circle inscribed in the slice. Slices that cannot be read are left out: the others of a
    damaged file can still be scored.

    Parameters
    ----------
    volume : Volume, array-like or path
        2-D or 3-D: one position of its time and channel axes (`Volume.tomogram`).
    max_slices : int
        Fewer than 24 give a first look sooner.
    region : Region, optional
        Where the voxels lie that count. Patches are taken from the least box around it, and of them only
        what lies inside.

    Returns
    -------
    IntensityWindow

    Raises
    ------
    VolumeError
        The sampled pixels are constant or none of them is finite, or none of the slices can be read.
    """
    tomogram = as_volume(volume).tomogram()
    depth, height, width = (1, *tomogram.data.shape)[-3:]
    whole = (slice(0, depth, 1), slice(0, height, 1), slice(0, width, 1))
    within = whole if region is None else region.box
    count = min(_length(within[0]), max_slices)
    indices = [within[0].start + place for place in evenly(count, _length(within[0]))]
    try:
        boxes, values = _sample(tomogram, indices, within, region)
    except VolumeError:  # says what is wrong, and what to do
        raise
    except Exception as error:  # any codec, file system or graph may fail in its own way
        readable = [index for index in indices if _is_readable(tomogram, index)]
        if not readable:
            raise unreadable(f"slice {indices[0]}", tomogram, error) from error
        count = len(readable)
        boxes, values = _sample(tomogram, readable, within, region)

    corners = [value.item() for value in values[:CORNERS]]
    padded = all(value == corners[0] for value in corners) and (region is None or region.circle)
    counts = region.in_boxes(boxes[CORNERS:]) if region else [np.ones((1, 1, 1), bool)] * len(boxes[CORNERS:])
    parts = []
    for (_, rows, columns), patch, counts_too in zip(boxes[CORNERS:], values[CORNERS:], counts, strict=True):
        keep = np.isfinite(patch) & (counts_too if patch.ndim == 3 else counts_too[0])
        if padded:
            y, x = np.ogrid[rows, columns]
            radius = np.hypot(y - (height - 1) / 2, x - (width - 1) / 2) / (min(height, width) / 2)
            keep &= (patch != corners[0]) | (radius <= PADDING_FROM)
        parts.append(patch[keep].astype(np.float64))
    samples = np.concatenate(parts)

    if samples.size == 0:
        raise VolumeError(
            f"The sampled slices of '{tomogram.name}' hold no finite value apart from "
            "padding: check the data, or give an intensity window."
        )
    low, high = np.percentile(samples, PERCENTILES)
    rule = f"{PERCENTILES[0]} to {PERCENTILES[1]} percentile"
    if low == high:  # more than 99 % of the pixels are equal, as in a nearly empty tube
        low, high = samples.min(), samples.max()
        rule = "least to greatest value"
    if low == high:
        raise VolumeError(
            f"The sampled slices of '{tomogram.name}' are constant ({low:g} everywhere): "
            "check the data, or give an intensity window."
        )
    margin = MARGIN * (high - low)
    return IntensityWindow(
        float(low - margin),
        float(high + margin),
        f"{rule} of {counted(count, 'sampled slice')}, widened by {MARGIN:.0%} on either "
        "side, NaN and constant padding left out" + (f", in the region '{region.name}'" if region else ""),
    )


def _sample(
    tomogram: Volume, indices: list[int], within: Box, region: Region | None
) -> tuple[list[Box], list[np.ndarray]]:
    """Read the corners of the middle slice, then patches of all inside a box; each with its place (z, y, x).

    Of a circle, the places where it touches the sides stand for the corners, which lie outside of it.
    """
    _, rows, columns = within
    height, width = _length(rows), _length(columns)
    middle = indices[len(indices) // 2]
    if region is not None and region.circle:
        boxes = region.rim(middle)
    else:
        ends = ((y, x) for y in (rows.start, rows.stop - 1) for x in (columns.start, columns.stop - 1))
        boxes = [_box(middle, y, 1, x, 1) for y, x in ends]
    turns, side = (1, 64) if len(indices) < MAX_SLICES else (4, 64) if height * width <= 2**20 else (16, 128)
    for k, index in enumerate(indices):
        for y, high, x, wide in _patches(height, width, side, k % turns, turns):
            boxes.append(_box(index, rows.start + y, high, columns.start + x, wide))
    return boxes, _read(tomogram, boxes)


def _read(tomogram: Volume, boxes: list[Box]) -> list[np.ndarray]:
    """Read boxes given as (z, y, x), also of a single slice."""
    return read_boxes(tomogram.data, [box[-tomogram.data.ndim :] for box in boxes])


def _is_readable(tomogram: Volume, index: int) -> bool:
    try:
        _read(tomogram, [_box(index, 0, tomogram.data.shape[-2], 0, tomogram.data.shape[-1])])
    except Exception:
        return False
    return True


def _length(side: slice) -> int:
    return int(side.stop - side.start)


def _box(z: int, y: int, height: int, x: int, width: int) -> Box:
    return slice(z, z + 1, 1), slice(y, y + height, 1), slice(x, x + width, 1)


def _patches(
    height: int, width: int, side: int, turn: int, turns: int
) -> Iterator[tuple[int, int, int, int]]:
    """Give y, height, x and width of the patches of a slice whose turn it is."""
    sides = [min(side, max(length // GRID, 1)) for length in (height, width)]
    for i in range(GRID):
        for j in range(GRID):
            if (i + 2 * j + turn) % turns == 0:
                yield i * height // GRID, sides[0], j * width // GRID, sides[1]
