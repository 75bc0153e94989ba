"""Truths of the fidelity estimate: pieces of real, simulated and textured slices, at the pixels they have."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.faults import log_uniform
from models.originals import TEXTURES, texture
from models.specimens import LEFT_OUT, SCANS, random_slice, read_scan
from napari_tiqa.volumes.simulation.microstructures import KINDS, microstructure

SIDE = 320
"""Side of a piece, px: the square inside its reconstruction circle is a tile."""

PER_SPECIMEN, PER_KIND, PER_TEXTURE = 32, 50, 10
"""Pieces of each real specimen, kind of microstructure and texture."""

LEFT_OUT_KINDS = ("powder", "fibres", "wood", "wound cell")
"""Microstructures that the network is judged on, as on ``specimens.LEFT_OUT`` (benchmarks/tuning.py)."""

_NATIVE_SHARE = 0.4
_LEAST_SHRUNK = 1.5  # of scans whose own pixels are noisy or blurred
_MOST_SHRUNK = 6.0  # fine features are what filters must not take for noise
_TRIES = 6


@dataclass(frozen=True)
class Source:
    """What pieces are cut from.

    Attributes
    ----------
    specimen : str
        Never split between training and test.
    draw : callable
        Takes a random generator, gives another piece: shape (320, 320), float32 in [0, 1].
    """

    specimen: str
    draw: Callable[[np.random.Generator], np.ndarray]


def sources(data: Path) -> list[Source]:
    """List the source of every piece.

    Parameters
    ----------
    data : pathlib.Path
        Folder with the scans of ``specimens.SCANS``. Those with faults of their own are not a truth and give
        none, and those of ``specimens.LEFT_OUT`` are kept for judging.

    Raises
    ------
    TrainingError
        If `data` lacks one of the scans.
    """
    scans: dict[str, list[Source]] = {}
    for scan in SCANS:
        if scan.clean and scan.specimen not in LEFT_OUT:
            scans.setdefault(scan.specimen, []).append(_real(data, scan.path, scan.specimen, scan.native))
    return [
        *(scans_of[n % len(scans_of)] for scans_of in scans.values() for n in range(PER_SPECIMEN)),
        *(_simulated(kind) for kind in KINDS if kind not in LEFT_OUT_KINDS for _ in range(PER_KIND)),
        *(_textured(name) for name in TEXTURES for _ in range(PER_TEXTURE)),
    ]


def _real(data: Path, path: str, specimen: str, native: bool) -> Source:
    volume, window = read_scan(data, path)

    def draw(rng: np.random.Generator) -> np.ndarray:
        plane = random_slice(volume, rng)
        pixels = (np.nan_to_num(plane.astype(np.float32)) - window.low) / (window.high - window.low)
        return _varied(_piece(np.clip(pixels, 0, 1, dtype=np.float32), rng, native), rng)

    return Source(specimen, draw)


def _simulated(kind: str) -> Source:
    def draw(rng: np.random.Generator) -> np.ndarray:
        # A larger one is shrunk, as real slices are: finer features, sharper edges.
        side = int(SIDE * rng.choice([1, 1.5, 2, 3, 4]))
        # Seeds apart from those of the default recipe and the benchmarks.
        plane = microstructure(kind, (side, side), int(rng.integers(10_000, 2**31)))
        return _varied(_resized(plane), rng)

    return Source(f"simulated {kind}", draw)


def _textured(name: str) -> Source:
    return Source(f"texture {name}", lambda rng: _varied(_piece(texture(name), rng, native=True), rng))


def _piece(plane: np.ndarray, rng: np.random.Generator, native: bool) -> np.ndarray:
    """Cut a square with something in it, at native resolution or shrunk by up to six.

    Shrinking averages most of a real scan's own noise away, which would be taken for truth. Where the pixels
    are good by themselves, they are a truth as well: tuning must know fine texture, and leave it alone.
    """
    shorter = min(plane.shape)
    least = 1.0 if native else _LEAST_SHRUNK
    factor = 1.0 if native and rng.random() < _NATIVE_SHARE else log_uniform(rng, least, _MOST_SHRUNK)
    side = min(shorter, round(SIDE * factor))
    best, most = plane[:side, :side], -1.0
    for _ in range(_TRIES):
        row, column = (int(rng.uniform(0, length - side + 1)) for length in plane.shape)
        piece = plane[row : row + side, column : column + side]
        if piece.std() > most:
            best, most = piece, float(piece.std())
    return _resized(best)


def _resized(square: np.ndarray) -> np.ndarray:
    """Shrink a square to `SIDE`, or continue it by reflection."""
    if len(square) > SIDE:
        return cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    missing = SIDE - len(square)
    return np.pad(square, [(missing // 2, missing - missing // 2)] * 2, mode="symmetric")


def _varied(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Vary what does not change fidelity: the grey scale."""
    truth = truth ** np.float32(np.exp(rng.uniform(-0.4, 0.4)))
    return 1 - truth if rng.random() < 0.15 else truth
