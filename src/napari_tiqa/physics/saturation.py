"""Saturation: voxels at the ends of what their data type or their file can hold."""

import numpy as np

_FEWEST = 3  # pixels at one extreme: the greatest of continuous values occurs once


def saturated_share(plane: np.ndarray, inside: np.ndarray) -> float:
    """Return which share of a slice's content is saturated, 0 to 1.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), as it is stored: any real dtype.
    inside : numpy.ndarray
        Of the same shape, bool: the pixels that are content.

    Returns
    -------
    float
        Of integers the share at the least or greatest value of their dtype. Of floats the share at the
        slice's own least or greatest value where three pixels or more have it, which happens where values
        were clipped; infinite ones count. 0 for a slice without content, and for a constant one.
    """
    values = plane[inside]
    if not values.size:
        return 0.0
    if np.issubdtype(values.dtype, np.integer):
        limits = np.iinfo(values.dtype)
        low, high = limits.min, limits.max
        if not (values != values[0]).any():
            return 0.0
        return float(np.count_nonzero((values == low) | (values == high)) / values.size)
    infinite = np.count_nonzero(np.isinf(values))
    finite = values[np.isfinite(values)]
    if not finite.size or finite.min() == finite.max():
        return infinite / values.size
    counts = [np.count_nonzero(finite == end) for end in (finite.min(), finite.max())]
    return float(infinite + sum(count for count in counts if count >= _FEWEST)) / values.size
