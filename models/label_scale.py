"""The scale of all labels: what damage costs, found once on the paper's distortions of 17 specimens.

    python -m models.label_scale DATA

writes ``label_scale.json``. It is kept, so that labels made years apart mean the same.
"""

import json
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from models.specimens import FIRST, read_scan
from napari_tiqa.learning.images.groups import Group, distortion_group
from napari_tiqa.learning.images.labels import LabelProjection, make_and_observe
from napari_tiqa.scoring.network_input import TILE_SIZE, prepare_slice
from napari_tiqa.volumes.simulation.microstructures import microstructure
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.whole_file import write_text

LABEL_SCALE = Path(__file__).with_name("label_scale.json")

_SIMULATED_PER_KIND = 4

_KINDS = ("electrode", "powder", "fibres", "foam", "rock", "winding", "grains", "wood", "tissue")
# The microstructures that there were when the scale was found.

_SIMULATED_WINDOW = IntensityWindow(-0.05, 1.05, "simulated")


@lru_cache
def label_scale(path: Path = LABEL_SCALE) -> LabelProjection:
    """Read the scale of the labels."""
    curves = json.loads(path.read_text(encoding="utf-8"))
    return LabelProjection(
        {kind: [(np.array(knots), np.array(scores)) for knots, scores in one] for kind, one in curves.items()}
    )


def write_label_scale(projection: LabelProjection, path: Path = LABEL_SCALE) -> None:
    """Keep a scale: for each distortion and observer the damage and the score that it leaves."""
    curves = {
        kind: [(knots.tolist(), scores.tolist()) for knots, scores in one]
        for kind, one in projection.curves.items()
    }
    write_text(path, json.dumps(curves, indent=1) + "\n")


@dataclass(frozen=True)
class _Original:
    """One image that distorted versions are made of; the attributes are those of `Scan`."""

    specimen: str
    image: np.ndarray
    clean: bool
    crop: bool


def _real_originals(data: Path) -> list[_Original]:
    """Cut the originals, prepared as in scoring, from the real scans of the first specimens."""
    originals = []
    for seed, scan in enumerate(FIRST):
        volume, window = read_scan(data, scan.path)
        planes = _whole_slices(volume, scan.slices)
        originals += [
            _Original(scan.specimen, tile, scan.clean, crop=False)
            for plane in planes
            for tile in prepare_slice(plane, window).tiles
        ]
        rng = np.random.default_rng(seed)
        for number in range(scan.crops):
            tile = _crop(planes[number % len(planes)], window, rng)
            originals.append(_Original(scan.specimen, tile, scan.clean, crop=True))
    return originals


def _simulated_originals() -> list[_Original]:
    """Make simulated originals, clean by construction; each kind counts as a specimen."""
    return [
        _Original(
            f"simulated {kind}", prepare_slice(image, _SIMULATED_WINDOW).tiles[0], clean=True, crop=False
        )
        for kind in _KINDS
        for seed in range(_SIMULATED_PER_KIND)
        for image in [microstructure(kind, (TILE_SIZE, TILE_SIZE), seed)]
    ]


def paper_groups(data: Path) -> tuple[list[Group], LabelProjection]:
    """Make the paper's versions of all originals, and find the scale of the labels from them."""
    originals = [*_real_originals(data), *_simulated_originals()]

    def make(seed: int) -> Group:
        original = originals[seed]
        return distortion_group(original.specimen, original.image, seed, off_centre=original.crop)

    groups, damages = make_and_observe(make, len(originals))
    return groups, LabelProjection.from_levels(groups, damages)


def _whole_slices(volume: Volume, count: int) -> list[np.ndarray]:
    if volume.data.ndim == 2:
        return [volume.slice(0, 0)]
    axes = range(3) if len(set(volume.data.shape)) == 1 else [0]
    places = (np.arange(count) + 0.5) / count
    return [volume.slice(axis, int(p * volume.data.shape[axis])) for axis in axes for p in places]


def _crop(
    plane: np.ndarray, window: IntensityWindow, rng: np.random.Generator, largest: float = 0.6
) -> np.ndarray:
    """Cut a square with something in it: at most `largest` of the shorter side, at least a tile."""
    shorter = min(plane.shape)
    best, most = None, -1.0
    for _ in range(8):
        smallest = min(shorter, max(TILE_SIZE, 0.25 * shorter))
        side = int(rng.uniform(smallest, max(smallest, largest * shorter)))
        row, column = (int(rng.uniform(0, length - side)) for length in plane.shape)
        tile = prepare_slice(plane[row : row + side, column : column + side], window).tiles
        if len(tile) and tile[0].std() > most:
            best, most = tile[0], tile[0].std()
    assert best is not None, "a scan for training has no texture at all"
    return best


if __name__ == "__main__":
    write_label_scale(paper_groups(Path(sys.argv[1]))[1])
