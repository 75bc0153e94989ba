"""Images that are not slices: all sorts, reproducible, varied, as a network takes them."""

import numpy as np
import pytest

from napari_tiqa.learning.images.foreign.derived import labels_of, sinogram_of
from napari_tiqa.learning.images.foreign.pictures import SHIPPED, shipped
from napari_tiqa.learning.training.foreign import SORTS, foreign_images
from napari_tiqa.volumes.simulation.microstructures import microstructure


@pytest.fixture(scope="module")
def images() -> dict[str, np.ndarray]:
    return foreign_images(per_sort=4)


def test_each_sort_comes_as_different_tiles(images: dict[str, np.ndarray]) -> None:
    assert tuple(images) == SORTS
    for tiles in images.values():
        assert tiles.dtype == np.float32
        assert tiles.shape == (4, 224, 224)
        assert tiles.min() >= 0
        assert tiles.max() <= 1
        assert tiles.std(axis=(1, 2)).min() > 0.01
        assert all(np.abs(tiles[0] - other).mean() > 0.01 for other in tiles[1:])


def test_a_seed_fixes_them_and_another_makes_others(images: dict[str, np.ndarray]) -> None:
    again, others = foreign_images(per_sort=1), foreign_images(per_sort=1, seed=1)
    for sort in SORTS:
        np.testing.assert_array_equal(again[sort][0], images[sort][0])
        assert np.abs(others[sort][0] - images[sort][0]).mean() > 0.01


def test_all_shipped_photographs_can_be_read() -> None:
    for name in SHIPPED:
        image = shipped(name)
        assert image.ndim == 3
        assert image.shape[2] == 3
        assert 0.2 < image.max() <= 1


def test_label_images_have_flat_parts_and_sinograms_a_row_for_each_angle() -> None:
    plane = microstructure("powder", (128, 128), 0)
    for seed in range(8):
        rng = np.random.default_rng(seed)
        labels = labels_of(plane, rng)
        assert labels.dtype.kind == "u"
        assert (labels[:, 1:] == labels[:, :-1]).mean() > 0.8
        assert 128 in sinogram_of(plane, rng).shape
