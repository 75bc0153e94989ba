"""Images that are not tomography slices: what a model must not score with confidence."""

from collections.abc import Iterable
from typing import Literal

import numpy as np
import skimage.data
from scipy.ndimage import gaussian_filter
from skimage.color import rgb2gray
from skimage.filters import threshold_multiotsu

from napari_tiqa.scoring.network_input import TILE_SIZE, prepare_slice
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.simulation.acquisition import Acquisition, project
from napari_tiqa.volumes.simulation.microstructures import KINDS, microstructure
from napari_tiqa.volumes.window_estimate import estimate_window

PHOTOGRAPHS = {
    "train": ("astronaut", "camera", "cat", "page", "retina", "rocket"),
    "test": ("coffee", "horse", "logo", "text"),
}
"""They come with scikit-image."""

_SEEDS = {"train": range(5000, 5003), "test": range(6000, 6001)}


def foreign_images(
    part: Literal["train", "test"], slices: Iterable[np.ndarray] = ()
) -> dict[str, np.ndarray]:
    """Make images that are not slices, prepared as slices are: (n, 224, 224) each, float32 in [0, 1].

    They are "photograph", "sinogram", "label image" and "MRI-like"; the parts "train" and "test" share no
    photograph and no seed. Slices, 2-D, are those whose sinograms and segmentations are to be among them.
    """
    shape = (TILE_SIZE, TILE_SIZE)
    simulated = [microstructure(kind, shape, seed) for kind in KINDS for seed in _SEEDS[part]]
    originals = [*slices, *simulated]
    heads = [_mri_like(10 * seed + number) for seed in _SEEDS[part] for number in range(7)]
    sorts = {
        "photograph": [cut for name in PHOTOGRAPHS[part] for cut in _whole_and_quarters(name)],
        "sinogram": [_sinogram(image) for image in originals],
        "label image": [_labels(image) for image in originals],
        "MRI-like": heads,
    }
    return {sort: np.concatenate([_tiles(image) for image in images]) for sort, images in sorts.items()}


def _tiles(image: np.ndarray) -> np.ndarray:
    return prepare_slice(image, estimate_window(as_volume(image))).tiles


def _whole_and_quarters(photograph: str) -> list[np.ndarray]:
    image = getattr(skimage.data, photograph)()
    grey = rgb2gray(image[..., :3]) if image.ndim == 3 else image.astype(float)
    quarters = [half for rows in np.array_split(grey, 2) for half in np.array_split(rows, 2, axis=1)]
    return [image for image in [grey, *quarters] if np.ptp(image)]


def _sinogram(image: np.ndarray) -> np.ndarray:
    side = min(image.shape)
    return project(image[:side, :side], Acquisition(projections=2 * side))


def _labels(image: np.ndarray) -> np.ndarray:
    smooth = gaussian_filter(image.astype(float), 1)
    return np.digitize(smooth, threshold_multiotsu(smooth, 3)).astype(np.uint8)


def _mri_like(seed: int) -> np.ndarray:
    """Make a head of smooth tissues under a coil's shading, with Rician noise."""
    rng = np.random.default_rng(seed)

    def smooth(scale: float) -> np.ndarray:
        field = gaussian_filter(rng.standard_normal((256, 256)), scale)
        return field / field.std()

    y, x = np.mgrid[-1:1:256j, -1:1:256j]
    radius = np.hypot(x / rng.uniform(0.6, 0.8), y / 0.9) + 0.03 * smooth(25)
    folds = smooth(rng.uniform(3, 9)) + 3 * (0.55 - radius)
    greys = rng.uniform([0.6, 0.05, 0.5, 0.3], [1, 0.2, 0.9, 0.6])  # scalp, skull, two tissues
    where = [radius > 1, radius > 0.93, radius > 0.86, folds > 0.6, folds > -0.3]
    head = np.select(where, [0, *greys], rng.uniform(0.05, 0.25))  # air outside, fluid inside
    shaded = gaussian_filter(head, rng.uniform(0.5, 1)) * (1 + 0.25 * smooth(60))
    noise = rng.normal(0, rng.uniform(0.01, 0.06), (2, 256, 256))
    return np.hypot(shaded + noise[0], noise[1])
