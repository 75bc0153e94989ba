"""Ring amplitude: how strong the ring artefacts of a slice are, in its grey values."""

import math

import numpy as np

from napari_tiqa.filtering.ring_removal import ring_removal

_WIDEST = 50  # px
_LEAST_WIDTHS = 4  # of the widest ring, that a slice's shorter side is at least


def ring_amplitude(plane: np.ndarray, inside: np.ndarray) -> float:
    """Measure the rings of a slice: the root mean square of what ring removal finds in it.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), float32, all finite.
    inside : numpy.ndarray
        Of the same shape, bool: the pixels that are content.

    Returns
    -------
    float
        In grey values of the slice; NaN where it is too small for rings, or has no contrast.

    Notes
    -----
    Rings are those of ``filtering.ring_removal``, up to 50 px or a quarter of the slice wide, about the
    centre that it finds; concentric layers of the specimen are not among them.
    """
    spread = float(np.ptp(plane[inside])) if inside.any() else 0.0
    widest = min(_WIDEST, min(plane.shape) // _LEAST_WIDTHS)
    if widest < 1 or spread == 0:
        return math.nan
    pixels = (plane - plane[inside].min()) / np.float32(spread)
    rings = pixels - ring_removal.kernel({"ring_width": widest})(pixels, inside)
    return spread * math.sqrt(np.square(rings[inside], dtype=np.float64).mean())
