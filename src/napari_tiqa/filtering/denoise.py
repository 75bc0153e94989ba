"""Filters against noise."""

import cv2
import numpy as np

from napari_tiqa.filtering.filter import slice_filter
from napari_tiqa.filtering.parameter import Parameter


@slice_filter(
    "Gaussian",
    "Denoise",
    sigma=Parameter(
        "Sigma",
        1.0,
        0.1,
        20,
        "px",
        "Standard deviation of the Gaussian; edges become about 2.4 times as wide. Start at 0.7.",
        logarithmic=True,
    ),
)
def gaussian(plane: np.ndarray, sigma: float) -> np.ndarray:
    """Average with Gaussian weights: takes noise and edges away alike.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), float32.
    sigma : float
        Standard deviation, px.
    """
    return cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)


FILTERS = (gaussian,)
