"""Images that are not tomography slices, prepared as slices are: what a model must not score."""

from collections.abc import Callable, Sequence

import numpy as np

from napari_tiqa.errors import VolumeError
from napari_tiqa.learning.images.foreign import biomedical, derived, pictures
from napari_tiqa.learning.images.groups import make_all
from napari_tiqa.scoring.network_input import TILE_SIZE, prepare_slice
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.simulation.microstructures import microstructure
from napari_tiqa.volumes.window_estimate import estimate_window

_QUICK_KINDS = ("winding", "grains", "wood", "tissue")

Draw = Callable[[np.random.Generator, Sequence[np.ndarray]], np.ndarray]

_SORTS: dict[str, tuple[Draw, ...]] = {
    "photograph": (
        lambda rng, _: pictures.photograph(rng),
        lambda rng, _: pictures.photograph(rng),
        lambda rng, _: pictures.scene(rng),
    ),
    "screenshot": (
        lambda rng, _: pictures.screen(rng),
        lambda rng, slices: pictures.screen_of(_one(slices, rng), rng),
    ),
    "label image": (
        lambda rng, _: derived.cells(rng),
        lambda rng, slices: derived.labels_of(_one(slices, rng), rng),
        lambda rng, slices: derived.labels_of(_one(slices, rng), rng),
    ),
    "sinogram": (lambda rng, slices: derived.sinogram_of(_one(slices, rng), rng),),
    "radiograph": (
        lambda rng, _: derived.radiograph(rng),
        lambda rng, slices: derived.radiograph_of([_one(slices, rng) for _ in range(3)], rng),
    ),
    "MRI": (lambda rng, _: biomedical.mri(rng),),
    "microscopy": (lambda rng, _: biomedical.microscopy(rng),),
}

SORTS = tuple(_SORTS)
"""What is told from slices."""


def foreign_images(
    slices: Sequence[np.ndarray] = (), *, per_sort: int, seed: int = 0
) -> dict[str, np.ndarray]:
    """Make images that are not slices, prepared as slices are.

    Parameters
    ----------
    slices : sequence of numpy.ndarray
        Slices, 2-D, to make label images, sinograms, radiographs and screenshots of; simulated ones where
        there are none.
    per_sort : int
        How many images of each of `SORTS`.
    seed : int
        Fixes all of them.

    Returns
    -------
    dict
        For each of `SORTS` tiles of shape (n, 224, 224), float32 in [0, 1].
    """
    shape = (TILE_SIZE, TILE_SIZE)
    of = slices or [microstructure(kind, shape, 5000 + seed) for kind in _QUICK_KINDS]

    def make(number: int) -> np.ndarray:
        sort, place = divmod(number, per_sort)
        rng = np.random.default_rng([seed, sort, place])
        draws = _SORTS[SORTS[sort]]
        return foreign_tiles(draws[place % len(draws)](rng, of))

    made = make_all(make, len(SORTS) * per_sort)
    return {
        sort: np.concatenate(made[number * per_sort : (number + 1) * per_sort])
        for number, sort in enumerate(SORTS)
    }


def foreign_tiles(image: np.ndarray) -> np.ndarray:
    """Prepare an image as a slice of a volume of its own, the middle tile: (1, 224, 224), or none of it."""
    try:
        tiles = prepare_slice(image, estimate_window(as_volume(image))).tiles
    except VolumeError:  # the same value everywhere
        return np.empty((0, TILE_SIZE, TILE_SIZE), np.float32)
    return tiles[len(tiles) // 2 :][:1]


def _one(slices: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    return slices[int(rng.integers(len(slices)))]
