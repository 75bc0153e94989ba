"""What statistics of a tile tell apart."""

import numpy as np

from napari_tiqa.scoring.tile_statistics import tile_statistics
from tests.textures import grainy


def test_they_are_finite_for_any_tile_and_do_not_depend_on_its_neighbours() -> None:
    tiles = np.stack([np.zeros((224, 224), "f4"), np.ones((224, 224), "f4"), grainy(224, 224)])
    together = tile_statistics(tiles)
    assert together.dtype == np.float32
    assert np.isfinite(together).all()
    np.testing.assert_array_equal(together[2:], tile_statistics(tiles[2:]))
    assert tile_statistics(tiles[:0]).shape == (0, together.shape[1])


def test_training_images_of_8_bit_have_those_of_the_slice() -> None:
    tile = grainy(224, 224)[None]
    stored = np.rint(tile * 255).astype(np.uint8) / np.float32(255)
    np.testing.assert_allclose(tile_statistics(stored), tile_statistics(tile), rtol=1e-5)


def test_a_slice_turned_by_a_quarter_is_the_same() -> None:
    # No direction of a slice is its own, but a sinogram's rows are angles: only differences count.
    tile = grainy(224, 224)[None]
    tile[0] *= np.linspace(0.2, 1, 224, dtype="f4")
    straight, turned = tile_statistics(tile)[0], tile_statistics(np.swapaxes(tile, 1, 2))[0]
    assert np.mean(np.isclose(straight, turned, rtol=1e-3, atol=1e-3)) > 0.9
