"""A slice in polar coordinates about its ring centre, and radial profiles drawn back into the slice."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import cv2
import numpy as np

from napari_tiqa.errors import FilterError

SAMPLES_PER_PIXEL = 2
"""Along the radius. One would lose an eighth of the energy of rings one pixel wide."""

_RING = 2.0  # px, width of an ordinary ring
_FEWEST_ANGLES, _MOST_ANGLES = 256, 2048  # powers of two, so that sectors are equal


@dataclass(frozen=True, eq=False)
class PolarGrid:
    """Where the samples of a slice's polar image lie, and the other way round.

    `columns` and `rows`, shape (radii, angles), float32, px, are the samples' places in the slice: angle 0
    points along the columns, and angles go towards larger rows; `within` tells those that lie in it.
    `radius`, shape of the slice, float32, is the distance of each pixel from `centre` (row, column; px), in
    radial samples.
    """

    columns: np.ndarray
    rows: np.ndarray
    within: np.ndarray
    radius: np.ndarray
    centre: tuple[float, float]

    @property
    def radii(self) -> int:
        """Samples along the radius."""
        return len(self.within)

    def sample(self, plane: np.ndarray) -> np.ndarray:
        """Return the polar image of a slice, float32, by cubic interpolation; continued beyond its border."""
        return cv2.remap(plane, self.columns, self.rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)

    def valid(self, inside: np.ndarray, rim: float) -> np.ndarray:
        """Tell the samples that are content of the slice, and have nothing else within `rim` px of radius.

        Reconstructions are not to be trusted at the rim of the field of view: truncated projections make it
        bright, interpolation mixes it with what lies outside, and being a circle it looks like a ring.
        """
        content = self.within
        if not inside.all():
            nearest = cv2.remap(
                inside.astype(np.uint8),
                self.columns,
                self.rows,
                cv2.INTER_NEAREST,
                borderMode=cv2.BORDER_CONSTANT,
            )
            content = content & (nearest > 0)
        reach = 2 * round(rim * SAMPLES_PER_PIXEL) + 1
        return cv2.erode(content.astype(np.uint8), np.ones((reach, 1), np.uint8)) > 0

    def draw(self, polar: np.ndarray) -> np.ndarray:
        """Draw a polar image, shape (radii, any number of angles), into the slice by linear interpolation."""
        closed = np.hstack([polar, polar[:, :1]])  # the last angle's neighbour is the first
        return self._drawn(closed, self.turn * np.float32(polar.shape[1]))

    def draw_profiles(self, *profiles: np.ndarray, first: int = 0) -> np.ndarray:
        """Draw one radial profile, shape (radii,), into the whole slice, or two into its halves.

        The half turn of the first begins at the angle `first`. Where they meet they fade into each other, as
        half rings do: a ray at the end of the scan is along a ring of width w and radius r for a length of
        about sqrt(w r).
        """
        if len(profiles) == 1:
            which = np.zeros_like(self.radius)
        else:
            angle = first * 2 * np.pi / self.columns.shape[1]
            down, across = np.ogrid[: self.radius.shape[0], : self.radius.shape[1]]
            depth = (down - self.centre[0]) * np.cos(angle) - (across - self.centre[1]) * np.sin(angle)
            fade = np.sqrt(_RING * self.radius / SAMPLES_PER_PIXEL + 1)
            which = np.clip(0.5 - 0.5 * depth.astype(np.float32) / fade, 0, 1)
        return self._drawn(np.stack(profiles, axis=1), which)

    def _drawn(self, image: np.ndarray, column: np.ndarray) -> np.ndarray:
        image = image.astype(np.float32, copy=False)
        return cv2.remap(image, column, self.radius, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    @cached_property
    def turn(self) -> np.ndarray:
        """Shape of the slice, float32: the angle of each pixel, 0 to 1 for a whole turn."""
        down, across = np.ogrid[: self.radius.shape[0], : self.radius.shape[1]]
        y, x = (np.float32(side - middle) for side, middle in zip((down, across), self.centre, strict=True))
        return np.arctan2(y, x) / np.float32(2 * np.pi) % 1


def polar_grid(shape: tuple[int, int], centre_y: float, centre_x: float) -> PolarGrid:
    """Return the polar grid of slices of one shape; the last few are kept.

    The ring centre is given by its offset from the slice's middle, px. Raises FilterError where it
    lies outside the slice.
    """
    height, width = shape
    y, x = (height - 1) / 2 + centre_y, (width - 1) / 2 + centre_x
    if not (0 <= y <= height - 1 and 0 <= x <= width - 1):
        raise FilterError(
            f"The ring centre (offset {centre_y:g}, {centre_x:g} px) lies outside the slice of {height} x "
            f"{width} px: choose one inside, or leave it to be found automatically."
        )
    return _polar_grid(shape, y, x)


@lru_cache(maxsize=2)  # a grid for 2048 x 2048 px takes 90 MB; a volume needs one
def _polar_grid(shape: tuple[int, int], y: float, x: float) -> PolarGrid:
    height, width = shape
    reach = np.hypot(max(y, height - 1 - y), max(x, width - 1 - x))
    angles = int(np.clip(2 ** np.ceil(np.log2(2 * reach)), _FEWEST_ANGLES, _MOST_ANGLES))
    radius = np.arange(int(reach * SAMPLES_PER_PIXEL) + 1, dtype=np.float32)[:, None] / SAMPLES_PER_PIXEL
    angle = np.arange(angles, dtype=np.float32) * np.float32(2 * np.pi / angles)
    columns, rows = x + radius * np.cos(angle), y + radius * np.sin(angle)
    within = (columns >= 0) & (columns <= width - 1) & (rows >= 0) & (rows <= height - 1)
    down, across = np.ogrid[:height, :width]
    distance = np.hypot((down - y).astype(np.float32), (across - x).astype(np.float32)) * SAMPLES_PER_PIXEL
    return PolarGrid(columns, rows, within, distance, (y, x))
