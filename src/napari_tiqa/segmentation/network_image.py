"""What the segmenting network sees of a slice: all pixels, in [0, 1]; in training and prediction alike."""

import numpy as np

from napari_tiqa.scoring.network_input import checked_plane
from napari_tiqa.volumes.window import IntensityWindow


def network_image(plane: np.ndarray, window: IntensityWindow) -> np.ndarray:
    """Map a slice from its volume's intensity window to [0, 1].

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), any real dtype, at least 3 x 3 px.
    window : IntensityWindow
        The volume's intensity window, in the units of `plane`.

    Returns
    -------
    numpy.ndarray
        Shape of `plane`, float32 in [0, 1]; pixels that are not finite take 0, the window's low end.

    Raises
    ------
    VolumeError
        If `plane` is not a 2-D array of real numbers with at least 3 px a side.
    """
    pixels = unit_image(checked_plane(plane), window)
    np.nan_to_num(pixels, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    return np.clip(pixels, 0, 1, out=pixels)


def unit_image(plane: np.ndarray, window: IntensityWindow) -> np.ndarray:
    """Map a slice from its window to [0, 1] without clipping; shape of `plane`, float32."""
    image = plane.astype(np.float32)
    image -= np.float32(window.low)
    image *= np.float32(1 / (window.high - window.low))
    return image
