"""What full-reference metrics need of one image, computed once however many images it is compared with."""

from functools import cached_property

import cv2
import numpy as np

from napari_tiqa.learning.images.phase_congruency import length_of, phase_congruency

_GREY = np.float32(127.5)
"""Taken away before squaring: single precision then resolves the variance of bright flat regions."""

_OFFSETS = np.arange(-5, 6)
_WINDOW = np.exp(-(_OFFSETS**2) / (2 * 1.5**2))
_WINDOW /= _WINDOW.sum()
_PREWITT = np.array([1.0, 1, 1]) / 3
_SCHARR = np.array([3.0, 10, 3]) / 16

Gradient = tuple[np.ndarray, np.ndarray]
"""Derivatives along columns and rows."""


class ImageTerms:
    """A grey image, values 0 to 255, shape (rows, columns), and what metrics need of it, all float32."""

    def __init__(self, image: np.ndarray) -> None:
        self.pixels = np.ascontiguousarray(image, np.float32)

    @staticmethod
    def of(image: "np.ndarray | ImageTerms") -> "ImageTerms":
        """Return the terms of an image, which may be terms already."""
        return image if isinstance(image, ImageTerms) else ImageTerms(image)

    @cached_property
    def halved(self) -> "ImageTerms":
        """The means of its 2 x 2 blocks."""
        return ImageTerms(_block_mean(self.pixels, 2))

    @cached_property
    def shrunk(self) -> "ImageTerms":
        """The block means, about 256 px along the shorter side, that FSIM and MDSI look at."""
        size = max(1, round(min(self.pixels.shape) / 256))
        return self if size == 1 else ImageTerms(_block_mean(self.pixels, size))

    @cached_property
    def centred(self) -> np.ndarray:
        """Its pixels less mid-grey."""
        return self.pixels - _GREY

    @cached_property
    def window_mean(self) -> np.ndarray:
        """Mean under SSIM's window less mid-grey, shape (rows - 10, columns - 10)."""
        return window_mean(self.centred)

    @cached_property
    def brightness(self) -> np.ndarray:
        """Mean under SSIM's window."""
        return self.window_mean + _GREY

    @cached_property
    def variance(self) -> np.ndarray:
        """Variance under SSIM's window."""
        return window_mean(self.centred * self.centred) - self.window_mean**2

    @cached_property
    def prewitt(self) -> Gradient:
        """Prewitt's derivatives, zero outside the image."""
        return _gradient(self.pixels, _PREWITT)

    @cached_property
    def prewitt_length(self) -> np.ndarray:
        """Length of Prewitt's gradient."""
        return length_of(*self.prewitt)

    @cached_property
    def scharr_length(self) -> np.ndarray:
        """Length of Scharr's gradient, zero outside the image."""
        return length_of(*_gradient(self.pixels, _SCHARR))

    @cached_property
    def congruency(self) -> np.ndarray:
        """Phase congruency, 0 to 1."""
        return phase_congruency(self.pixels - self.pixels.mean())


def window_mean(values: np.ndarray) -> np.ndarray:
    """Mean of values under SSIM's window, 11 x 11 Gaussian of sigma 1.5 px, where it lies within them."""
    return cv2.sepFilter2D(values, cv2.CV_32F, _WINDOW, _WINDOW)[5:-5, 5:-5]


def _block_mean(pixels: np.ndarray, size: int) -> np.ndarray:
    rows, columns = (side // size for side in pixels.shape)
    # INTER_AREA means just the block where the factor is an integer; incomplete blocks are left out.
    whole = pixels[: rows * size, : columns * size]
    return cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)


def _gradient(pixels: np.ndarray, across: np.ndarray) -> Gradient:
    along = np.array([-1.0, 0, 1])
    return (
        cv2.sepFilter2D(pixels, cv2.CV_32F, along, across, borderType=cv2.BORDER_CONSTANT),
        cv2.sepFilter2D(pixels, cv2.CV_32F, across, along, borderType=cv2.BORDER_CONSTANT),
    )
