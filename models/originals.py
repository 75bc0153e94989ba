"""Where originals come from: real scans, simulated microstructures, other textures; at any native size."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from skimage.color import rgb2gray

from models.specimens import SCANS, Scan, random_slice, read_scan
from napari_tiqa.scoring.network_input import TILE_SIZE
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.simulation.microstructures import KINDS, microstructure
from napari_tiqa.volumes.window_estimate import estimate_window

TEXTURES = ("brick", "cell", "coins", "grass", "gravel", "hubble_deep_field", "immunohistochemistry", "moon")
"""Images that come with scikit-image: no tomograms, but more kinds of texture. They teach quality only, not
what is familiar."""

_LARGEST = 2048  # px
_ENLARGED = 1.5  # at most: a slice that is sampled finer than it is sharp
_AS_GOOD_AS_SEEN = 0.75  # of the shrinking at which a scan was judged
_SIMULATED_SIDES = (224, 320, 448, 640, 900, 1300)
_SEEDS = 10
_CONCENTRIC = frozenset({"wound cell", "tubes", "growth rings"})


@dataclass(frozen=True)
class Original:
    """A piece of a slice at native size.

    Attributes
    ----------
    specimen : str
        Groups of one specimen are never split between training and test.
    image : numpy.ndarray
        Shape (n, n), float32 in [0, 1].
    clean : bool
        Whether it is known to be fit for a 5.
    axis : tuple of float or None
        Row and column of the rotation axis where it is known, px.
    """

    specimen: str
    image: np.ndarray
    clean: bool
    axis: tuple[float, float] | None = None


Source = Callable[[int, np.random.Generator], Original]
"""Draws another original of a side, px, or of the nearest side that there is."""


def real_sources(data: Path) -> list[Source]:
    """Return a source for each of the real scans in a folder; raises TrainingError if one is missing."""
    for scan in SCANS:
        read_scan(data, scan.path)
    return [partial(_real, data, scan) for scan in SCANS]


def simulated_sources() -> list[Source]:
    """Return a source for each kind of simulated microstructure."""
    return [partial(_simulated, kind) for kind in KINDS]


def texture_sources() -> list[Source]:
    """Return a source for each of `TEXTURES`."""
    return [partial(_texture, name) for name in TEXTURES]


def texture(name: str) -> np.ndarray:
    """Return one of `TEXTURES`, grey: shape (rows, columns), float32 in [0, 1]."""
    image = getattr(skimage.data, name)()
    return (rgb2gray(image) if image.ndim == 3 else image / 255).astype(np.float32)


def _real(data: Path, scan: Scan, side: int, rng: np.random.Generator) -> Original:
    volume, window = read_scan(data, scan.path)
    plane = random_slice(volume, rng)
    piece, shrunk = _piece(plane, window.low, window.high, side, rng)
    # Judged as a whole at 224 px; where its pixels were not, less shrinking may show what was not seen.
    seen = shrunk * len(piece) / TILE_SIZE >= _AS_GOOD_AS_SEEN * min(plane.shape) / TILE_SIZE
    return _varied(Original(scan.specimen, piece, scan.clean and (scan.native or seen)), rng)


def _simulated(kind: str, side: int, rng: np.random.Generator) -> Original:
    made = next((made for made in _SIMULATED_SIDES if made >= side), _SIMULATED_SIDES[-1])
    image = _microstructure(kind, made, int(rng.integers(_SEEDS if made < 500 else 3)))
    if kind in _CONCENTRIC and rng.random() < 0.7:  # as a whole, and rings about the middle
        image = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) if made != side else image
        middle = (side - 1) / 2
        return _varied(Original(f"simulated {kind}", image, True, (middle, middle)), rng)
    piece, _ = _piece(image, -0.05, 1.05, side, rng)
    return _varied(Original(f"simulated {kind}", piece, clean=True), rng)


@lru_cache(maxsize=400)
def _microstructure(kind: str, side: int, seed: int) -> np.ndarray:
    # Seeds apart from those of the label scale and the benchmarks.
    return microstructure(kind, (side, side), 5000 + 97 * side + seed)


def _texture(name: str, side: int, rng: np.random.Generator) -> Original:
    plane = texture(name)
    window = estimate_window(as_volume(plane))
    piece, _ = _piece(plane, window.low, window.high, side, rng)
    return _varied(Original(f"texture {name}", piece, clean=True), rng)


def _piece(
    plane: np.ndarray, low: float, high: float, side: int, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """Cut a square with something in it, shrink or enlarge it to a side; also by how much it was shrunk."""
    shorter = min(plane.shape)
    least, most = side / _ENLARGED, min(shorter, 3 * side)
    cut = shorter if least >= shorter else round(np.exp(rng.uniform(np.log(least), np.log(most))))
    if rng.random() < 0.4:  # a slice's own pixels, or the whole of it
        cut = min(shorter, side) if rng.random() < 0.5 else shorter
    best, most_varied = plane[:cut, :cut], -1.0
    for _ in range(6):
        row, column = (int(rng.uniform(0, length - cut + 1)) for length in plane.shape)
        piece = plane[row : row + cut, column : column + cut]
        varied = float(np.nanstd(piece[::4, ::4]))
        if varied > most_varied:
            best, most_varied = piece, varied
    piece = np.nan_to_num(best.astype(np.float32), nan=low, posinf=high, neginf=low)
    piece = np.clip((piece - np.float32(low)) / np.float32(high - low), 0, 1)
    side = min(side, int(_ENLARGED * cut), _LARGEST)
    if cut > side:
        piece = cv2.resize(piece, (side, side), interpolation=cv2.INTER_AREA)
    elif cut < side:
        piece = np.clip(cv2.resize(piece, (side, side), interpolation=cv2.INTER_CUBIC), 0, 1)
    return piece, cut / side


def _varied(original: Original, rng: np.random.Generator) -> Original:
    """Vary what tells one material from another, but not quality: grey scale and orientation."""
    image = np.rot90(original.image, int(rng.integers(4)))
    if rng.random() < 0.5:
        image = image[::-1]
    image = image ** np.float32(np.exp(rng.uniform(-0.4, 0.4)))
    if rng.random() < 0.15:
        image = 1 - image
    if rng.random() < 0.3:  # as where something dense fills the intensity window
        image = np.float32(rng.uniform(0, 0.4)) + np.float32(rng.uniform(0.4, 0.6)) * image
    return Original(original.specimen, np.ascontiguousarray(image), original.clean, original.axis)
