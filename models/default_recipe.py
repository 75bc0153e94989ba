"""What the default model is trained on: the specimens, their crops, the simulated microstructures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import skimage.data
from skimage.color import rgb2gray

from models.acquisitions import acquisition_group
from models.composites import composite_group
from models.specimens import FIRST, Scan, random_slice, read_scan
from napari_tiqa.learning.images.groups import Group, distortion_group, make_all
from napari_tiqa.learning.images.labels import LabelProjection, make_and_observe
from napari_tiqa.learning.training.stages import Draw, rank, regress
from napari_tiqa.scoring.backbone import build_network, load_imagenet
from napari_tiqa.scoring.network_input import TILE_SIZE, prepare_slice
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.simulation.microstructures import KINDS, microstructure
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.volumes.window_estimate import estimate_window

SIMULATED_PER_KIND = 4
"""Seeds of each kind of simulated microstructure."""

ACQUIRED_PER_KIND = 2
"""Seeds of each kind that are also scanned with acquisition faults."""

COMPOSITES_PER_SCAN = 12
COMPOSITES_PER_KIND = 28
COMPOSITES_PER_TEXTURE = 3
"""Groups of ``composite_group``, each of an original of its own: another slice, crop, grey scale, seed."""

TEXTURES = ("brick", "cell", "coins", "grass", "gravel", "hubble_deep_field", "immunohistochemistry", "moon")
"""Images that come with scikit-image: no tomograms, but more kinds of texture. They teach quality only, not
what is familiar."""

_SIMULATED_WINDOW = IntensityWindow(-0.05, 1.05, "simulated")

SETTINGS: dict[str, Any] = {
    "seed": 0,
    "draw": {"groups": 2, "images": 8},
    "dropout": 0.2,
    "frozen": ("stem", "stage1", "stage2"),
    "ranking": {"epochs": 1, "learning_rate": 1e-4},
    "regression": {"epochs": 7, "learning_rate": 2e-4, "halved_every": 2, "ranking_weight": 1.0},
}
"""How the default model departs from the paper's settings; its card says why."""


@dataclass(frozen=True)
class Original:
    """One image that distorted versions are made of; the attributes are those of `Scan`."""

    specimen: str
    image: np.ndarray
    clean: bool
    crop: bool


def real_originals(data: Path) -> list[Original]:
    """Cut the originals from the real scans.

    Parameters
    ----------
    data : pathlib.Path
        Folder with the scans of `SCANS`.

    Returns
    -------
    list of Original
        Images of shape (224, 224), float32 in [0, 1], prepared as in scoring.

    Raises
    ------
    TrainingError
        If `data` lacks one of the scans.
    """
    originals = []
    for seed, scan in enumerate(FIRST):
        volume, window = read_scan(data, scan.path)
        planes = _whole_slices(volume, scan.slices)
        originals += [
            Original(scan.specimen, tile, scan.clean, crop=False)
            for plane in planes
            for tile in prepare_slice(plane, window).tiles
        ]
        rng = np.random.default_rng(seed)
        for number in range(scan.crops):
            tile = _crop(planes[number % len(planes)], window, rng)
            originals.append(Original(scan.specimen, tile, scan.clean, crop=True))
    return originals


def simulated_originals() -> list[Original]:
    """Make simulated originals, clean by construction; each kind counts as a specimen."""
    return [
        Original(
            f"simulated {kind}", prepare_slice(image, _SIMULATED_WINDOW).tiles[0], clean=True, crop=False
        )
        for kind in KINDS
        for seed in range(SIMULATED_PER_KIND)
        for image in [microstructure(kind, (TILE_SIZE, TILE_SIZE), seed)]
    ]


def paper_groups(data: Path) -> tuple[list[Group], LabelProjection]:
    """Make the paper's versions of all originals, and find the scale of the labels from them."""
    originals = [*real_originals(data), *simulated_originals()]

    def make(seed: int) -> Group:
        original = originals[seed]
        return distortion_group(original.specimen, original.image, seed, off_centre=original.crop)

    groups, damages = make_and_observe(make, len(originals))
    return groups, LabelProjection.from_levels(groups, damages)


def default_groups(
    data: Path, advance: Callable[[int, int], None] | None = None
) -> tuple[list[Group], LabelProjection]:
    """Make the groups that the default model is trained on and judged on, labelled.

    Parameters
    ----------
    data : pathlib.Path
        Folder with the scans of `SCANS`.
    advance : callable, optional
        Called with groups done and groups in all.

    Returns
    -------
    groups : list of Group
        Groups of scans that are not `clean` have labels too, for evaluation; ``teachable`` takes away
        those that must not be learned.
    projection : LabelProjection
        The scale of the labels.
    """
    from models.label_scale import label_scale

    projection = label_scale()
    real, simulated = real_originals(data), simulated_originals()
    acquired = [original for original in real if not original.crop]
    acquired += [o for i, o in enumerate(simulated) if i % SIMULATED_PER_KIND < ACQUIRED_PER_KIND]
    paper = len(real) + len(simulated)
    originals = [*real, *simulated, *acquired]

    def make(seed: int) -> Group:
        original = originals[seed]
        if seed < paper:
            group = distortion_group(original.specimen, original.image, seed, off_centre=original.crop)
        else:
            group = acquisition_group(original.specimen, original.image, seed)
        return replace(group, clean=original.clean)

    groups, damages = make_and_observe(make, len(originals), advance)
    labelled = [
        group.with_labels(projection.labels(group, damage))
        for group, damage in zip(groups, damages, strict=True)
    ]
    return labelled, projection


def composite_groups(
    data: Path, projection: LabelProjection, advance: Callable[[int, int], None] | None = None
) -> list[Group]:
    """Make the groups with two artefacts at once, labelled: only to train on.

    Parameters
    ----------
    data : pathlib.Path
        Folder with the scans of `SCANS`.
    projection : LabelProjection
        The scale of the labels.
    advance : callable, optional
        Called with groups done and groups in all.
    """
    scans = [_real_source(data, scan) for scan in FIRST for _ in range(COMPOSITES_PER_SCAN)]
    kinds = [_simulated_source(kind) for kind in KINDS for _ in range(COMPOSITES_PER_KIND)]
    textures = [_texture_source(name) for name in TEXTURES for _ in range(COMPOSITES_PER_TEXTURE)]
    sources = [*scans, *kinds, *textures]

    def make(number: int) -> Group:
        original = sources[number](np.random.default_rng([number, 2]))
        group = composite_group(original.specimen, original.image, number, scanned=number % 3 == 0)
        return replace(group.labelled(projection), clean=original.clean)

    return make_all(make, len(sources), advance)


def teachable(groups: Sequence[Group]) -> list[Group]:
    """Take the labels from groups whose original has visible faults of its own: it is not a 5."""
    return [
        group if group.clean else group.with_labels(np.full(len(group.labels), np.nan)) for group in groups
    ]


def familiar(groups: Sequence[Group]) -> list[Group]:
    """Choose the groups that say what a tomography slice looks like: not those of other textures."""
    return [group for group in groups if not group.specimen.startswith("texture")]


Report = Callable[[str, int, int, float], object]
"""Called after each epoch with the stage's name, the epochs done, those in all and the loss."""


def train_default(groups: Sequence[Group], report: Report | None = None) -> keras.Model:
    """Train the default model's network on groups, with the settings of `SETTINGS`."""
    keras.utils.set_random_seed(SETTINGS["seed"])
    network = build_network(dropout=SETTINGS["dropout"])
    load_imagenet(network)
    for layer in network.layers:
        layer.trainable = not layer.name.startswith(SETTINGS["frozen"])
    draw = Draw(**SETTINGS["draw"])
    for name, stage in (("ranking", rank), ("regression", regress)):
        epochs: int = SETTINGS[name]["epochs"]
        after_epoch = partial(_report_epoch, report, name, epochs) if report else None
        stage(network, groups, **SETTINGS[name], draw=draw, after_epoch=after_epoch)
    return network


def _report_epoch(
    report: Report, name: str, epochs: int, epoch: int, loss: float, _optimizer: object
) -> None:
    report(name, epoch, epochs, loss)


Source = Callable[[np.random.Generator], Original]
"""Makes another original each time it is called."""


def _real_source(data: Path, scan: Scan) -> Source:
    volume, window = read_scan(data, scan.path)

    def draw(rng: np.random.Generator) -> Original:
        tile = _crop(random_slice(volume, rng), window, rng, largest=1.0)
        return _varied(scan.specimen, tile, scan.clean, rng)

    return draw


def _simulated_source(kind: str) -> Source:
    def draw(rng: np.random.Generator) -> Original:
        # A larger one is shrunk, as real slices are: finer features, sharper edges.
        side = int(TILE_SIZE * rng.choice([1, 1, 1.5, 2]))
        image = microstructure(kind, (side, side), int(rng.integers(SIMULATED_PER_KIND, 2**31)))
        tile = _crop(image, _SIMULATED_WINDOW, rng, largest=1.0)
        return _varied(f"simulated {kind}", tile, True, rng)

    return draw


def texture(name: str) -> np.ndarray:
    """Return one of `TEXTURES`, grey: shape (rows, columns), float32 in [0, 1]."""
    image = getattr(skimage.data, name)()
    return (rgb2gray(image) if image.ndim == 3 else image / 255).astype(np.float32)


def _texture_source(name: str) -> Source:
    plane = texture(name)
    window = estimate_window(as_volume(plane))

    def draw(rng: np.random.Generator) -> Original:
        return _varied(f"texture {name}", _crop(plane, window, rng, largest=1.0), True, rng)

    return draw


def _varied(specimen: str, tile: np.ndarray, clean: bool, rng: np.random.Generator) -> Original:
    """Vary what tells one material from another, but not quality: the grey scale."""
    tile = tile ** np.float32(np.exp(rng.uniform(-0.4, 0.4)))
    if rng.random() < 0.15:
        tile = 1 - tile
    if rng.random() < 0.3:  # as where something dense fills the intensity window
        tile = np.float32(rng.uniform(0, 0.4)) + np.float32(rng.uniform(0.4, 0.6)) * tile
    return Original(specimen, tile, clean, crop=True)


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
