"""The intensity window: the one grey range of a tomogram that its slices are scored in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dask.array
import numpy as np

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.reading import read, read_together, unreadable

if TYPE_CHECKING:
    from napari_tiqa.volumes.volume import Volume

PERCENTILES = (0.5, 99.5)
MARGIN = 0.05
MAX_SLICES = 24
GRID = 8  # cells a side, one sampled patch in each
PATCH = 64  # px a side
# Reconstructions are often masked a little inside the inscribed circle (tomopy.circ_mask: 0.95).
PADDING_FROM = 0.9  # of the inscribed circle's radius


@dataclass(frozen=True)
class IntensityWindow:
    """Grey values from `low` to `high`, which a slice is scored in.

    Attributes
    ----------
    low, high : float
        In the volume's own grey values, finite, low < high.
    rule : str
        How it was found, for the record kept with the scores.

    Raises
    ------
    VolumeError
        `low` is not below `high`, or one of them is not finite.
    """

    low: float
    high: float
    rule: str

    def __post_init__(self) -> None:
        """Refuse a window that no slice can be scored in."""
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise VolumeError(
                f"The intensity window {self.low:g} to {self.high:g} cannot be used: "
                "give two finite grey values, the lower one first."
            )


def estimate_window(volume: Volume) -> IntensityWindow:
    """Estimate a tomogram's intensity window from a few sampled slices.

    The 0.5 and 99.5 percentiles leave out hot pixels and metal glare, which would squeeze the
    material into a few grey levels; 5 % of their distance is added on either side, since noise and
    rings clipped in the darkest and brightest phase could not be seen any more.

    At most 24 slices, evenly spaced along z, are sampled. Each gives patches of up to 64 x 64
    pixels, one per cell of an 8 x 8 grid; where 24 slices are sampled, each gives a quarter of the
    cells, in turn, so that few pieces of a file stored in chunks are read. Which pixels are taken
    depends on the volume's shape alone: the window is the same however the data are stored,
    whatever is displayed and whichever slices are scored.

    NaN and infinite values are left out, and so is the constant padding around a reconstruction:
    where the four corners of the middle sampled slice are equal, pixels of that very value near and
    outside the circle inscribed in the slice.

    Parameters
    ----------
    volume : Volume
        2-D or 3-D: one position of its time and channel axes (`Volume.tomogram`).

    Returns
    -------
    IntensityWindow

    Raises
    ------
    VolumeError
        The sampled pixels are constant or none of them is finite, or a slice cannot be read.
    """
    tomogram = volume.tomogram()
    stack = tomogram.data if tomogram.data.ndim == 3 else tomogram.data[np.newaxis]
    depth = stack.shape[0]
    count = min(depth, MAX_SLICES)
    indices = [int((k + 0.5) * depth / count) for k in range(count)]
    turns = 4 if count == MAX_SLICES else 1

    padding: float | None = None
    parts: list[np.ndarray] = []
    # The middle slice first: its corners tell the padding's value.
    for k in sorted(range(count), key=lambda k: abs(k - count // 2)):
        try:
            corners, values, radius = _sample(stack, indices[k], k % turns, turns)
        except Exception as error:
            raise unreadable(f"slice {indices[k]}", tomogram, error) from error
        if not parts and (corners == corners[0]).all():
            padding = corners[0]
        keep = np.isfinite(values)
        if padding is not None:
            keep &= ~((values == padding) & (radius > PADDING_FROM))
        parts.append(values[keep].astype(np.float64))
    samples = np.concatenate(parts)

    if samples.size == 0:
        raise VolumeError(
            f"The sampled slices of '{volume.name}' hold no finite value apart from "
            "padding: check the data, or give an intensity window."
        )
    low, high = np.percentile(samples, PERCENTILES)
    rule = f"{PERCENTILES[0]} to {PERCENTILES[1]} percentile"
    if low == high:  # more than 99 % of the pixels are equal, as in a nearly empty tube
        low, high = samples.min(), samples.max()
        rule = "least to greatest value"
    if low == high:
        raise VolumeError(
            f"The sampled slices of '{volume.name}' are constant ({low:g} everywhere): "
            "check the data, or give an intensity window."
        )
    margin = MARGIN * (high - low)
    return IntensityWindow(
        float(low - margin),
        float(high + margin),
        f"{rule} of {count} sampled slice{'s' * (count > 1)}, widened by {MARGIN:.0%} on either "
        "side, NaN and constant padding left out",
    )


def _sample(
    stack: dask.array.Array, index: int, turn: int, turns: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read corners, sampled values and their distance from the centre (1: inscribed circle)."""
    height, width = stack.shape[1:]
    regions = [(slice(None, None, max(height - 1, 1)), slice(None, None, max(width - 1, 1)))]
    radii = []
    for i in range(GRID):
        for j in range(GRID):
            if (i + 2 * j + turn) % turns:
                continue
            y, x = i * height // GRID, j * width // GRID
            bottom, right = y + min(PATCH, max(height // GRID, 1)), x + min(PATCH, max(width // GRID, 1))
            regions.append((slice(y, bottom), slice(x, right)))
            yy, xx = np.ogrid[y:bottom, x:right]
            radii.append(np.hypot(yy - (height - 1) / 2, xx - (width - 1) / 2).ravel())
    radius = np.concatenate(radii) / (min(height, width) / 2)

    if stack.numblocks[1:] == (1, 1):  # stored in whole slices: one read is the cheapest
        plane = read(stack[index])
        corners, *patches = (plane[region] for region in regions)
    else:
        corners, *patches = read_together([stack[(index, *region)] for region in regions])
    return corners.ravel(), np.concatenate([patch.ravel() for patch in patches]), radius
