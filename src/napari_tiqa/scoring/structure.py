"""Whether a slice holds anything but noise: noise alone has no quality that a score could tell."""

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
import scipy.fft
from scipy.special import fdtri, gammaincc

from napari_tiqa.volumes.window import IntensityWindow

NOISE_ONLY = "noise without structure"
"""Why a slice is not scored that ``lacks_structure``."""

_LEAST, _MOST = 1e-70, 1e70  # grey values whose fourth power is a number
_FEWEST = 16  # px a side; of less, noise and structure cannot be told apart
_GLANCE = 256, 0.45  # px, and share of the shorter side, of the square in the middle that is looked at first
_SAMPLES = 2**16
_TAILS = (0.5, 99.5)
_CHANCE = 2e-4  # that noise passes for structure, at each scale
_CHANCE_OF_SPECTRUM = 2e-3

# Noise of a filtered back-projection, relative to the finest scale: a little stronger at the second scale,
# since it is interpolated, and ever weaker from the fourth on, as the ramp filter lets no low frequency pass.
_REBUILT = np.array([1, 1.4, 1.2, 0.85, 0.6, 0.42, *[0.3] * 20])

# Noise that black and white cut off at both ends is so strong that a slice may lie below it unseen: that many
# pixels are piled up, at the rarer end and at both. A large slice would be seen, unless nearly all are.
_PILES = 0.001, 0.1
_LARGE, _LARGE_PILES = 2**19, 0.8  # px

_SECTORS = (1, 4, 12)


class _Scale(NamedTuple):
    """What blocks of one size say: the variance of a pixel that their means tell, from how many of them."""

    variance: float
    blocks: int


def lacks_structure(plane: np.ndarray, window: IntensityWindow) -> bool:
    """Tell whether a slice holds nothing but noise that is independent from pixel to pixel, or nearly so.

    Of such noise, whatever its distribution, the variance of block means falls with the area of the blocks.
    Hence the variance that is left between the four quarters of a block, times their area, is the same for
    blocks of 2, 4, 8 ... px (an analysis of variance by scales, the energies of a Haar wavelet transform).
    Structure is correlated over its own extent and adds to it: one scale that exceeds the finest by more than
    chance makes a slice have structure. What passes is looked at once more, by its power spectrum, which also
    shows fine and regular structure below noise: of noise it is flat. The noise of a filtered
    back-projection, such as air above a specimen, lacks structure too; it is weaker the larger the scale.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), real. Constant padding, and pixels that are not finite, do not count; neither
        do the half per cent of the darkest and the brightest pixels, which are clipped.
    window : IntensityWindow
        From black to white.

    Returns
    -------
    bool
        False where a slice has structure, is constant, is smaller than 16 px a side, or has noise so strong
        that black and white cut it off at both ends: a tenth of the pixels, four fifths of 724 x 724 px and
        more. A slice may lie below that unseen.

    Notes
    -----
    What exceeds chance is told by F tests; values count as Gaussian but for the excess kurtosis of single
    pixels, which falls with the area of the blocks. Of noise, sums of the power spectrum are gamma variates.
    """
    if min(plane.shape) < _FEWEST:
        return False
    samples = _sampled(plane)
    if not len(samples) or samples.min() == samples.max():
        return False
    black, white = window.low, window.high
    if not _LEAST < np.abs(samples).max() < _MOST:  # its variance is not a number any more
        down = -np.frexp(np.abs(samples).max())[1]
        plane, samples = np.ldexp(plane, down), np.ldexp(samples, down)
        with np.errstate(over="ignore"):
            black, white = np.ldexp([black, white], down)
    if _cut_off(samples, black, white) >= (_PILES[1] if plane.size < _LARGE else _LARGE_PILES):
        return False
    low, high = np.percentile(samples, _TAILS)
    if low == high:  # rare events in what is else constant
        low, high = samples.min(), samples.max()
    clipped = np.clip(samples, low, high)
    middle = clipped.mean()
    kurtosis = max(0.0, float(((clipped - middle) ** 4).mean() / clipped.var() ** 2 - 3))

    def centred(pixels: np.ndarray) -> np.ndarray:
        wide = pixels.astype(np.result_type(pixels.dtype, np.float32))
        return (np.clip(wide, low, high) - middle).astype(np.float32)

    # Nearly every slice has structure in the middle already.
    glance = _middle(plane, min(_GLANCE[0], int(_GLANCE[1] * min(plane.shape))))
    looked_at = min(glance.shape) >= 2 * _FEWEST and bool(np.isfinite(glance).all())
    if looked_at and not _is_noise(_scales(centred(glance), None), kurtosis):
        return False
    counted = _counted(plane)
    if counted.all():
        pixels = centred(plane)
        scales = _scales(pixels, None)
    else:
        pixels = centred(np.where(counted, plane, plane.dtype.type(0)))
        scales = _scales(pixels, counted.astype(np.float32))
    if not _is_noise(scales, kurtosis):
        return False
    if _is_rebuilt(scales):
        return True
    side = int(np.sqrt(0.5) * min(np.ptp(np.flatnonzero(counted.any(axis))) + 1 for axis in (0, 1)))
    inner = pixels if counted.all() else _middle(pixels, side)
    return _is_flat(_middle(inner, 2 * _GLANCE[0])) and _is_flat(_averaged(inner, 2 * _GLANCE[0]))


def _middle(plane: np.ndarray, side: int) -> np.ndarray:
    """Cut out the square in the middle, or all that there is of it."""
    top, left = (max(0, length - side) // 2 for length in plane.shape)
    return plane[top : top + side, left : left + side]


def _averaged(pixels: np.ndarray, side: int) -> np.ndarray:
    """Average whole blocks until the shorter side is less than twice `side`."""
    while min(pixels.shape) >= 2 * side:
        pixels = _quartered(pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2])
    return _middle(pixels, 2 * side)


def _sampled(plane: np.ndarray) -> np.ndarray:
    """Return some finite pixels of the middle, as float64."""
    rows, columns = (3 * length // 10 for length in plane.shape)
    middle = plane[rows:-rows, columns:-columns]
    step = max(1, int(np.sqrt(middle.size / _SAMPLES)))
    some = middle[::step, ::step].astype(np.float64)
    return some[np.isfinite(some)]


def _cut_off(samples: np.ndarray, black: float, white: float) -> float:
    """Return the share of pixels that are piled up at both ends: of the window, or where clipped before."""
    seen = np.clip(samples, black, white)
    least, most = (float((seen == end).mean()) for end in (seen.min(), seen.max()))
    if min(least, most) < _PILES[0] or least + most < _PILES[1]:
        return 0.0
    # Values that are few anyway, such as counts, pile up nowhere.
    values, counts = np.unique(seen, return_counts=True)
    piled = len(values) >= 16 and counts[0] > 2 * counts[1] and counts[-1] > 2 * counts[-2]
    return least + most if piled else 0.0


def _counted(plane: np.ndarray) -> np.ndarray:
    """Tell the pixels that are finite, and within the rectangle and the circle around all but the padding."""
    counted = np.isfinite(plane)
    corners = plane[[0, 0, -1, -1], [0, -1, 0, -1]]
    finite = np.isfinite(corners)
    if finite.any() and not (finite.all() and (corners == corners[0]).all()):
        return counted
    differs = counted & (plane != corners[0])
    rows, columns = (np.flatnonzero(differs.any(axis)) for axis in (1, 0))
    if not len(rows):
        return counted
    y, x = (np.arange(length) - (length - 1) / 2 for length in plane.shape)
    # Per row, the farthest pixel is its first or its last one.
    first, last = differs.argmax(1)[rows], differs.shape[1] - 1 - differs[:, ::-1].argmax(1)[rows]
    farthest = np.maximum(x[first] ** 2, x[last] ** 2)
    counted &= y[:, None] ** 2 + x**2 <= (y[rows] ** 2 + farthest).max()
    counted[: rows[0]] = counted[rows[-1] + 1 :] = False
    counted[:, : columns[0]] = counted[:, columns[-1] + 1 :] = False
    return counted


def _scales(pixels: np.ndarray, counted: np.ndarray | None) -> list[_Scale]:
    """Return for blocks of 2, 4, 8 ... px what their quarters tell, of blocks that count as a whole."""
    area, scales = 1, list[_Scale]()
    while min(pixels.shape) >= 4:
        height, width = (length // 2 for length in pixels.shape)
        pixels = pixels[: 2 * height, : 2 * width]
        means = _quartered(pixels)
        if counted is None:
            blocks = means.size
            deviations = cv2.norm(pixels, cv2.NORM_L2SQR) - 4 * cv2.norm(means, cv2.NORM_L2SQR)
        else:
            whole = _quartered(counted[: 2 * height, : 2 * width]) > 0.99
            blocks = int(whole.sum())
            deviations = 4 * (_quartered(pixels * pixels) - means * means)[whole].sum(dtype=float)
            counted = whole.astype(np.float32)
        if blocks < 2:
            break
        scales.append(_Scale(area * deviations / (3 * blocks), blocks))
        area *= 4
        pixels = means
    return scales


def _quartered(pixels: np.ndarray) -> np.ndarray:
    size = pixels.shape[1] // 2, pixels.shape[0] // 2
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def _is_noise(scales: list[_Scale], kurtosis: float) -> bool:
    if len(scales) < 3 or scales[0].variance <= 0:
        return False
    variance, blocks = np.array(scales).T
    freedom = 2 / (2 / (3 * blocks) + kurtosis / 4.0 ** np.arange(len(scales)) / (4 * blocks))
    # Each scale by itself, and all from it on together: structure may have one scale or many.
    degrees = np.cumsum(freedom[::-1])[::-1]
    together = np.cumsum((variance * freedom)[::-1])[::-1] / degrees
    exceeds = [
        found[1:] > variance[0] * fdtri(count[1:], freedom[0], 1 - _CHANCE)
        for found, count in ((variance, freedom), (together, degrees))
    ]
    return not np.any(exceeds) or _is_rebuilt(scales)


def _is_rebuilt(scales: list[_Scale]) -> bool:
    """Tell whether it is noise of a filtered back-projection, as far as scales of many blocks say."""
    variance, blocks = np.array(scales).T
    few = np.maximum(1, fdtri(3 * blocks, 3 * blocks[0], 1 - _CHANCE))
    limits = _REBUILT[: len(scales)] * np.where(np.arange(len(scales)) < 5, 1, few)
    return len(scales) >= 5 and bool((variance <= variance[0] * limits).all())


def _is_flat(pixels: np.ndarray) -> bool:
    """Tell whether the power spectrum has no peak, no ring and no sector stronger than noise has."""
    half, parts = _spectral_parts(*pixels.shape)
    power = np.abs(scipy.fft.rfft2(pixels - pixels.mean()))[half] ** 2
    power /= power.mean()
    chances = [len(power) * np.exp(-power.max())]
    for part in parts:
        count, total = np.bincount(part), np.bincount(part, power)
        kept = count >= 3
        chances.append(kept.sum() * gammaincc(count[kept], total[kept]).min())
    count, total = (np.cumsum(np.bincount(parts[0], weights))[:-1] for weights in (None, power))
    chances.append(len(count) * gammaincc(count[count > 0], total[count > 0]).min())
    return bool(min(chances) * len(chances) > _CHANCE_OF_SPECTRUM)


@lru_cache(maxsize=4)
def _spectral_parts(rows: int, columns: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return which half of ``rfft2`` tells all, and its rings of half an octave, also cut in sectors."""
    down, across = np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)
    half = np.broadcast_to(across > 0, (rows, len(across))).copy()
    half[:, 0] = down[:, 0] > 0
    if columns % 2 == 0:
        half[:, -1] = down[:, 0] > 0
    frequency, angle = (np.broadcast_to(f(down, across), half.shape)[half] for f in (np.hypot, np.arctan2))
    ring = np.floor(2 * np.log2(frequency * min(rows, columns))).astype(int)
    ring -= ring.min()
    sectors = [np.floor(angle / np.pi * count + 0.5).astype(int) % count for count in _SECTORS]
    return half, [ring * count + sector for count, sector in zip(_SECTORS, sectors, strict=True)]
