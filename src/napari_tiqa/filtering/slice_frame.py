"""What every filter keeps of a slice: its dtype, its NaN, and what lies outside the reconstruction circle."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from napari_tiqa.errors import FilterError, VolumeError
from napari_tiqa.scoring.inside_fill import nearest_inside
from napari_tiqa.scoring.native_tiles import content
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.window import IntensityWindow, as_window
from napari_tiqa.volumes.window_estimate import estimate_window

Kernel = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Takes pixels (float32, finite, the window mapped to 0..1) and the mask of the content; returns pixels."""

_FARTHEST = 1e6  # windows; a value beyond is a fault of the file and would swamp all around it


def filter_slice(
    plane: np.ndarray,
    kernels: Sequence[Kernel],
    window: IntensityWindow | tuple[float, float] | None = None,
) -> np.ndarray:
    """Apply kernels to a slice, one after the other.

    Values are mapped from the window to 0..1 without clipping, and back at the end. What is not content (not
    finite, a million windows off, or the constant padding outside the reconstruction circle) takes the value
    of the nearest content pixel before each kernel, so that no filter draws the outside in, and its own
    value at the end.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), any real dtype.
    kernels : sequence of Kernel
        In order.
    window : IntensityWindow or (low, high), optional
        The volume's intensity window; estimated from the slice where omitted. A slice whose content has a
        single value, or none, is returned unchanged.

    Returns
    -------
    numpy.ndarray
        A new array of the shape and dtype of `plane`; integers are rounded and clipped to their range.

    Raises
    ------
    FilterError
        If `plane` is not a 2-D array of real numbers, or has no pixels.
    VolumeError
        If the window's ends are not finite, the lower one first.
    """
    plane = np.asarray(plane)
    if plane.ndim == 2 and not plane.size:
        raise FilterError(f"A slice of {plane.shape[0]} x {plane.shape[1]} px has nothing to filter.")
    if plane.ndim != 2 or plane.dtype.kind not in "buif":
        raise FilterError(
            f"A filter takes a slice of real numbers with 2 dimensions, not {plane.ndim} of type "
            f"{plane.dtype}: choose one slice or channel."
        )
    inside = content_pixels(plane)
    if not kernels or not _is_varied(plane, inside):
        return plane.copy()
    low, high = window_ends(window) if window is not None else _own_window(plane, inside)
    # The low end is taken off in the type that holds it exactly: float32 would round large integers.
    exact = np.dtype("f4" if plane.dtype.itemsize <= 2 or plane.dtype == np.float32 else "f8")
    # In place throughout: fresh memory for each operation takes longer than a fast filter.
    with np.errstate(over="ignore"):  # handled in the next lines
        pixels = plane.astype(exact)
        pixels -= low
        pixels /= high - low
        pixels = pixels.astype(np.float32, copy=False)
    inside &= np.abs(pixels) <= _FARTHEST
    if not inside.any():
        return plane.copy()
    whole = bool(inside.all())
    for kernel in kernels:
        if not whole:
            _fill(pixels, inside)
        pixels = np.ascontiguousarray(kernel(pixels, inside))
    values = np.multiply(pixels, high - low, dtype=exact)
    values += low
    result = _as_type(values, plane.dtype)
    if not whole:
        np.copyto(result, plane, where=~inside)
    return result


def window_ends(window: IntensityWindow | tuple[float, float]) -> tuple[float, float]:
    """Return a window's two ends; raises VolumeError unless they are finite, the lower one first."""
    checked = as_window(window)
    if checked is None:
        raise VolumeError("There is no intensity window: give two grey values, the lower one first.")
    return checked.low, checked.high


def content_pixels(plane: np.ndarray) -> np.ndarray:
    """Tell the pixels that are content, also those that have the padding's value by chance.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), any real dtype.

    Returns
    -------
    numpy.ndarray
        Shape of `plane`, bool: False where it is not finite, and in the constant padding outside the
        reconstruction circle.
    """
    inside = content(plane)
    if inside.all():
        return inside
    padding = (~inside & np.isfinite(plane)).astype(np.uint8)
    # Padding is wide; air that was clipped to the same value shows it in single pixels, or is as flat anyway.
    wide = cv2.morphologyEx(
        padding, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1
    )
    inside |= padding > wide
    return inside


def _own_window(plane: np.ndarray, inside: np.ndarray) -> tuple[float, float]:
    """Return the window of a slice with contrast, however little of it has any."""
    try:
        return window_ends(estimate_window(as_volume(plane).tomogram()))
    except VolumeError:  # the sampled patches are constant
        return float(plane[inside].min()), float(plane[inside].max())


def _is_varied(plane: np.ndarray, inside: np.ndarray) -> bool:
    """Tell whether the content has more than one value; mostly a few pixels show it."""
    first = plane.flat[inside.argmax()]
    for step in (16, 1):
        looked_at = plane[::step, ::step], inside[::step, ::step]
        if ((looked_at[0] != first) & looked_at[1]).any():
            return True
    return False


def _fill(pixels: np.ndarray, inside: np.ndarray) -> None:
    """Give each pixel that is not content the value of the content pixel nearest to it, in place."""
    outside, nearest = nearest_inside(inside)
    flat = pixels.reshape(-1)
    flat[outside] = flat[nearest]


def _as_type(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Convert values, which are used up."""
    if dtype.kind == "b":
        return values >= 0.5
    if dtype.kind in "ui":
        range_of = np.iinfo(dtype)
        # The largest 64-bit integers have no float of their own: one step inside is safe to convert.
        top = np.nextafter(float(range_of.max), 0) if dtype.itemsize == 8 else range_of.max
        np.rint(values, out=values)
        np.clip(values, range_of.min, top, out=values)
    elif dtype.itemsize < values.dtype.itemsize:
        range_of_float = np.finfo(dtype)
        np.clip(values, range_of_float.min, range_of_float.max, out=values)
    return values.astype(dtype, copy=False)
