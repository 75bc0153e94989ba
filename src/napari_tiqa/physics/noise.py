"""Noise: the standard deviation of grey values where the specimen is flat."""

import math

import cv2
import numpy as np

_SIDES = (16, 8, 5)  # px of a block; large ones hold all of the noise, small ones fit between fine structures
_LESS = 0.85  # of the noise of larger blocks: these were not flat
_FLATTEST = 0.1  # of the blocks
_LEAST_BLOCKS = 4


def noise_level(plane: np.ndarray, inside: np.ndarray) -> float:
    """Measure the noise of a slice: the standard deviation in its flattest tenth.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), float32, all finite.
    inside : numpy.ndarray
        Of the same shape, bool: the pixels that are content.

    Returns
    -------
    float
        In grey values of the slice; NaN where fewer than four blocks of 16 x 16 px are content.

    Notes
    -----
    Of all blocks that are content, those with the least gradient of the smoothed slice are taken; the figure
    is the median of their standard deviations about a fitted plane. Blocks are of 16 px, or of 8 or 5 where
    structures are so fine that these hold less. Texture as fine as noise counts as noise.
    """
    noise = math.nan
    for side in _SIDES:
        residuals = _about_planes(_flattest(plane, inside, side))
        if len(residuals) < _LEAST_BLOCKS:
            return math.nan
        smaller = float(np.median(residuals))
        if smaller > _LESS * noise:
            break
        noise = smaller
    return noise


def _flattest(plane: np.ndarray, inside: np.ndarray, side: int) -> np.ndarray:
    """Return the blocks of a side, (n, side, side), in which the smoothed slice changes least."""
    smooth = cv2.GaussianBlur(plane, (0, 0), side / 4)
    slope = np.hypot(*np.gradient(smooth))
    rows, columns = (length // side * side for length in plane.shape)

    def blocks(image: np.ndarray) -> np.ndarray:
        cut = image[:rows, :columns].reshape(rows // side, side, columns // side, side)
        return cut.swapaxes(1, 2).reshape(-1, side, side)

    whole = blocks(inside).all((1, 2))
    steepness = blocks(slope).mean((1, 2))[whole]
    count = max(_LEAST_BLOCKS, round(_FLATTEST * len(steepness)))
    return blocks(plane)[whole][np.argsort(steepness, kind="stable")[:count]]


def _about_planes(blocks: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each block, (n, side, side), about the plane that fits it."""
    side = blocks.shape[-1]
    places = np.arange(side) - (side - 1) / 2
    centred = blocks - blocks.mean((1, 2), dtype=np.float64, keepdims=True)
    scale = side * (places**2).sum()
    down = np.einsum("nij,i->n", centred, places) / scale
    right = np.einsum("nij,j->n", centred, places) / scale
    residual = centred - down[:, None, None] * places[:, None] - right[:, None, None] * places
    deviations: np.ndarray = np.sqrt((residual**2).sum((1, 2)) / (side**2 - 3))
    return deviations
