"""What lies outside of what counts, filled in without a part in it."""

from functools import lru_cache

import cv2
import numpy as np


def nearest_inside(inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the flat indices of the pixels outside, and of the pixel inside that is nearest to each.

    `inside` is bool and has a true pixel; masks asked for again are remembered.
    """
    return _nearest(np.packbits(inside).tobytes(), inside.shape)


def mirrored(plane: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Continue what lies inside to the outside by reflection: a new array, of the shape and dtype of `plane`.

    A pixel outside takes the value that lies as far beyond the border, inside, as it lies before it; where
    that is outside too, the mean of the inside.
    """
    filled = plane.copy()
    flat, width = filled.reshape(-1), plane.shape[1]
    outside, nearest = nearest_inside(inside)
    rows = 2 * (nearest // width) - outside // width
    columns = 2 * (nearest % width) - outside % width
    there = (rows >= 0) & (rows < plane.shape[0]) & (columns >= 0) & (columns < width)
    source = np.where(there, rows * width + columns, 0)
    there &= inside.reshape(-1)[source]
    flat[outside] = np.where(there, plane.reshape(-1)[source], plane.dtype.type(_mean(plane[inside])))
    return filled


def _mean(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean(dtype=np.float64)) if len(finite) else 0.0


@lru_cache(maxsize=4)  # mostly one mask for all slices of a volume
def _nearest(packed: bytes, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    size = shape[0] * shape[1]
    inside = np.unpackbits(np.frombuffer(packed, np.uint8), count=size).reshape(shape)
    _, labels = cv2.distanceTransformWithLabels(
        1 - inside, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    places = np.zeros(labels.max() + 1, np.intp)
    content_at = np.flatnonzero(inside)
    places[labels.ravel()[content_at]] = content_at
    outside = np.flatnonzero(inside == 0)
    return outside, places[labels.ravel()[outside]]
