"""Statistics of a tile that a network hardly sees: what tells drawn and projected images from slices."""

import cv2
import numpy as np

_LEVELS = 256
_RUN = 24  # px, of an edge that is straight along rows or columns
_ORIENTATIONS = 12
_OCTAVES = 6


def tile_statistics(tiles: np.ndarray) -> np.ndarray:
    """Return the statistics of tiles, (n, 224, 224), float32 in [0, 1]: shape (n, 46), float32.

    They are of tiles rounded to 256 levels, as training images are: how grey levels are spread, how many
    neighbours are equal (label images, drawings), edges that are straight along rows or columns (screens),
    how directions are spread (sinograms), and the power spectrum by octaves, along and across the rows.
    """
    if not len(tiles):
        return np.empty((0, len(_statistics(np.zeros((8, 8), np.float32)))), np.float32)
    return np.stack([_statistics(tile) for tile in tiles])


def _statistics(tile: np.ndarray) -> np.ndarray:
    levels = np.rint(tile * (_LEVELS - 1)).astype(np.uint8)
    grey = levels / np.float32(_LEVELS - 1)
    return np.array([*_greys(levels), *_straight(grey), *_directions(grey), *_spectrum(grey)], np.float32)


def _greys(levels: np.ndarray) -> list[float]:
    shares = cv2.calcHist([levels], [0], None, [_LEVELS], (0, _LEVELS)).ravel().astype(float) / levels.size
    ranked = np.sort(shares)[::-1]
    some = shares[shares > 0]
    equal = (levels[1:] == levels[:-1])[:, 1:] & (levels[:, 1:] == levels[:, :-1])[1:]
    between = (levels[1:, 1:] > levels.min()) & (levels[1:, 1:] < levels.max())
    values = np.linspace(0, 1, _LEVELS)
    mean = float(shares @ values)
    spread = float(np.sqrt(shares @ (values - mean) ** 2)) + 1e-6
    z = (values - mean) / spread
    return [
        float(-(some * np.log2(some)).sum()),
        np.log10(len(some)),
        *(float(ranked[:count].sum()) for count in (1, 2, 4, 8)),
        float(equal.mean()),
        float(equal[between].mean()) if between.any() else 1.0,
        mean,
        np.log10(spread),
        float(shares @ z**3),
        np.log10(float(shares @ z**4) + 1e-6),
        *(float(value) for value in (shares[0], shares[-1])),
    ]


def _straight(grey: np.ndarray) -> list[float]:
    """Return how much of the edges runs straight along rows, and along columns, and the strongest run."""
    found = []
    for image in (grey, grey.T):
        step = np.abs(np.diff(image, axis=0))
        run = -cv2.dilate(-step, np.ones((1, _RUN), np.uint8))  # the least step along each run
        strong = run > 0.04
        found += [float(strong.mean()) * 20, float(np.quantile(run.max(1), 0.9)), float(run.max())]
    return [*(max(pair) for pair in zip(found[:3], found[3:], strict=True)), min(found[0], found[3])]


def _directions(grey: np.ndarray) -> list[float]:
    """Return how gradients are spread over directions, by strength, and how they change from end to end."""
    smooth = cv2.GaussianBlur(_halved(grey), (0, 0), 0.7)
    down, across = cv2.Sobel(smooth, cv2.CV_32F, 0, 1), cv2.Sobel(smooth, cv2.CV_32F, 1, 0)
    strength = np.hypot(down, across)
    place = np.floor(np.arctan2(down, across) / np.pi * _ORIENTATIONS + 0.5).astype(int) % _ORIENTATIONS
    shares = np.bincount(place.ravel(), strength.ravel(), _ORIENTATIONS) / (strength.sum() + 1e-6)
    axes = shares[0] + shares[_ORIENTATIONS // 2]
    ratio = np.log((down**2).sum() + 1e-6) - np.log((across**2).sum() + 1e-6)
    rows = grey.mean(1)
    third = len(rows) // 3
    return [
        float(shares.max()),
        float(-(shares * np.log(shares + 1e-6)).sum()),
        float(axes),
        float(abs(shares[0] - shares[_ORIENTATIONS // 2])),
        float(abs(ratio)),
        float(np.mean(strength < 0.02)),
        float(np.quantile(strength, 0.99) / (strength.mean() + 1e-3)),
        *sorted((float(rows.std()), float(grey.mean(0).std()))),
        float(abs(rows[third:-third].mean() - (rows[:third].mean() + rows[-third:].mean()) / 2)),
    ]


def _spectrum(grey: np.ndarray) -> list[float]:
    """Return the energies of octaves, and how they differ along and across the rows."""
    found, sides = [], []
    image = grey
    for _ in range(_OCTAVES):
        down, across = np.diff(image, axis=0), np.diff(image, axis=1)
        energies = float((down**2).mean()), float((across**2).mean())
        found.append(np.log10(sum(energies) + 1e-7))
        sides.append(abs(np.log10(energies[0] + 1e-7) - np.log10(energies[1] + 1e-7)))
        image = _halved(image)
    steps = np.diff(found)
    return [*found, *sides, *steps, float(np.max(sides))]


def _halved(image: np.ndarray) -> np.ndarray:
    size = tuple(max(2, length // 2) for length in image.shape[::-1])
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
