"""Images that are no tomography slices: what a model must not score with confidence."""

from pathlib import Path

import numpy as np
import skimage.data
from scipy.ndimage import gaussian_filter
from skimage.color import rgb2gray
from skimage.filters import threshold_multiotsu

from napari_tiqa.scoring.network_input import TILE_SIZE, prepare_slice
from napari_tiqa.volumes.open import as_volume, open_volume
from napari_tiqa.volumes.simulation.acquisition import Acquisition, project
from napari_tiqa.volumes.simulation.microstructures import KINDS, microstructure
from napari_tiqa.volumes.window import estimate_window

PHOTOGRAPHS = ("astronaut", "camera", "cat", "coffee", "rocket", "retina", "page", "text", "horse", "logo")
SLICES = (
    "li_ion_cylindrical_cell/jellyroll_z060-099.tif",
    "wood_stick/tomo_00088_wood.tif",
    "core_in_holder/Initial_1_00000-00001.tif",
    "qim3d_examples/shell_225x128x128.tif",
    "grains_in_tube/samba_3_phase.tif",
)


def foreign_images(data: Path) -> dict[str, np.ndarray]:
    """Return images by sort, each of shape (n, 224, 224), float32 in [0, 1], prepared as slices are."""
    slices = [_middle_slice(data / path) for path in SLICES]
    slices += [microstructure(kind, (TILE_SIZE, TILE_SIZE), 900) for kind in KINDS]
    sorts = {
        "photograph": map(_grey, (getattr(skimage.data, name)() for name in PHOTOGRAPHS)),
        "sinogram": map(_sinogram, slices),
        "label image": map(_labels, slices),
        "MRI-like": map(_mri_like, range(12)),
    }
    return {sort: np.concatenate([_tiles(image) for image in images]) for sort, images in sorts.items()}


def _tiles(image: np.ndarray) -> np.ndarray:
    return prepare_slice(image, estimate_window(as_volume(image))).tiles


def _middle_slice(path: Path) -> np.ndarray:
    volume = open_volume(path)
    return volume.slice(0, volume.slice_count(0) // 2).astype(np.float32)


def _grey(image: np.ndarray) -> np.ndarray:
    return rgb2gray(image[..., :3]) if image.ndim == 3 else image.astype(float)


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
    radius = np.hypot(x / 0.75, y / 0.9) + 0.03 * smooth(25)
    folds = smooth(5) + 3 * (0.55 - radius)
    where = [radius > 1, radius > 0.93, radius > 0.86, folds > 0.6, folds > -0.3]
    head = np.select(where, [0, 0.9, 0.1, 0.7, 0.5], 0.2)  # air, scalp, skull, two tissues; fluid
    shaded = gaussian_filter(head, 0.7) * (1 + 0.25 * smooth(60))
    noise = rng.normal(0, 0.04, (2, 256, 256))
    return np.hypot(shaded + noise[0], noise[1])
