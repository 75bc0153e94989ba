"""What every filter keeps of a slice: its dtype, its NaN, and what lies outside the reconstruction circle."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import cv2
import numpy as np

from napari_tiqa.errors import FilterError
from napari_tiqa.scoring.native_tiles import content
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.window import IntensityWindow, estimate_window

Kernel = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Takes pixels (float32, finite, the window mapped to 0..1) and the mask of the content; returns pixels."""


def filter_slice(
    plane: np.ndarray,
    kernels: Sequence[Kernel],
    window: IntensityWindow | tuple[float, float] | None = None,
) -> np.ndarray:
    """Apply kernels to a slice, one after the other.

    Values are mapped from the window to 0..1 without clipping, and back at the end. What is no content
    (not finite, or the constant padding outside the reconstruction circle) takes the value of the nearest
    content pixel meanwhile, so that no filter draws the outside in, and its own value at the end.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), any real dtype.
    kernels : sequence of Kernel
        In order.
    window : IntensityWindow or (low, high), optional
        The volume's intensity window; estimated from the slice where omitted. A slice without contrast is
        returned unchanged.

    Returns
    -------
    numpy.ndarray
        A new array of the shape and dtype of `plane`; integers are rounded and clipped to their range.

    Raises
    ------
    FilterError
        If `plane` is not a 2-D array of real numbers.
    """
    plane = np.asarray(plane)
    if plane.ndim != 2 or plane.dtype.kind not in "buif":
        raise FilterError(
            f"A filter takes a slice of real numbers with 2 dimensions, not {plane.ndim} of type "
            f"{plane.dtype}: choose one slice or channel."
        )
    inside = content(plane)
    if not kernels or not _is_varied(plane, inside):
        return plane.copy()
    window = slice_window(plane) if window is None else window
    low, high = (window.low, window.high) if isinstance(window, IntensityWindow) else window
    # The low end is taken off in the type that holds it exactly: float32 would round large integers.
    exact = np.dtype("f4" if plane.dtype.itemsize <= 2 or plane.dtype == np.float32 else "f8")
    # In place throughout: fresh memory for each operation takes longer than a fast filter.
    pixels = plane.astype(exact)
    pixels -= low
    pixels /= high - low
    pixels = pixels.astype(np.float32, copy=False)
    whole = bool(inside.all())
    if not whole:
        pixels = _filled(pixels, inside)
    for kernel in kernels:
        pixels = kernel(pixels, inside)
    values = np.multiply(pixels, high - low, dtype=exact)
    values += low
    result = _as_type(values, plane.dtype)
    if not whole:
        np.copyto(result, plane, where=~inside)
    return result


def slice_window(plane: np.ndarray) -> IntensityWindow:
    """Estimate the intensity window of a slice that comes without its volume."""
    return estimate_window(as_volume(plane).tomogram())


def _is_varied(plane: np.ndarray, inside: np.ndarray) -> bool:
    """Tell whether the content has more than one value; mostly a few pixels show it."""
    first = plane.flat[inside.argmax()]
    for step in (16, 1):
        looked_at = plane[::step, ::step], inside[::step, ::step]
        if ((looked_at[0] != first) & looked_at[1]).any():
            return True
    return False


def _filled(pixels: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Give each pixel that is no content the value of the content pixel nearest to it."""
    packed = np.packbits(inside)
    return pixels.ravel()[_nearest(packed.tobytes(), inside.shape)].reshape(pixels.shape)


@lru_cache(maxsize=4)  # mostly one mask for all slices of a volume
def _nearest(packed: bytes, shape: tuple[int, int]) -> np.ndarray:
    """Return the flat index of the nearest content pixel for each pixel, content itself included."""
    size = shape[0] * shape[1]
    inside = np.unpackbits(np.frombuffer(packed, np.uint8), count=size).reshape(shape)
    _, labels = cv2.distanceTransformWithLabels(
        1 - inside, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    places = np.zeros(labels.max() + 1, np.intp)
    content_at = np.flatnonzero(inside)
    places[labels.ravel()[content_at]] = content_at
    return places[labels.ravel()]


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
    return values.astype(dtype, copy=False)
