"""A slice as float32, without losing what tells its pixels apart.

float32 keeps 24 bits. Grey values of 0..255 upon an offset of 4e9, or of 1e-300, are all the same in it; the
window's low end has to be taken off, and its width divided by, before.
"""

import numpy as np

from napari_tiqa.volumes.window import IntensityWindow

UNIT_WINDOW = IntensityWindow(0.0, 1.0, "in units of the volume's window")

_FARTHEST = 1000.0  # widths of the window from zero: float32 then keeps 16,000 grey levels of it
_LEAST, _MOST = 1e-30, 1e30  # between which float32 has all its digits
_BEYOND = 1e6  # windows


def float_pixels(plane: np.ndarray, window: IntensityWindow) -> tuple[np.ndarray, IntensityWindow]:
    """Return a slice as float32, and the window in its units.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), any real dtype.
    window : IntensityWindow
        In the units of `plane`.

    Returns
    -------
    pixels : numpy.ndarray
        Shape of `plane`, float32: its own values where float32 tells them apart in the window, else in units
        of the window. What is not finite stays so, and all else is finite.
    window : IntensityWindow
        The same, or 0 to 1.
    """
    width, farthest = window.high - window.low, max(abs(window.low), abs(window.high))
    if width > _LEAST and farthest < _MOST and not _loses(plane.dtype, farthest / width):
        with np.errstate(over="ignore"):
            pixels = plane.astype(np.float32, copy=False)
        if plane.dtype.itemsize <= 4 or np.array_equal(np.isfinite(pixels), np.isfinite(plane)):
            return pixels, window
    # Half a window each, since its width may be more than the largest float.
    with np.errstate(over="ignore"):
        scaled = (plane.astype(np.float64) / 2 - window.low / 2) / (window.high / 2 - window.low / 2)
    np.clip(scaled, -_BEYOND, _BEYOND, out=scaled)
    scaled[~np.isfinite(plane)] = np.nan
    return scaled.astype(np.float32), UNIT_WINDOW


def _loses(dtype: np.dtype, offset: float) -> bool:
    """Tell whether float32 has too few digits for values so many widths of the window from zero."""
    exact = dtype.itemsize <= 2 or dtype == np.float32  # no more digits are there
    return not exact and offset > _FARTHEST
