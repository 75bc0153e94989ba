"""What the network sees of a slice."""

import cv2
import numpy as np
import pytest

from napari_tiqa.errors import VolumeError
from napari_tiqa.scoring.network_input import prepare_slice
from napari_tiqa.volumes.window import IntensityWindow
from tests.textures import grainy

UNIT = IntensityWindow(0.0, 1.0, "given")


def _texture(rows, columns, seed=0):
    return grainy(rows, columns, seed=seed)


@pytest.mark.parametrize(
    ("shape", "tiles"),
    [
        ((224, 224), 1),
        ((720, 720), 1),
        ((728, 700), 1),
        ((40, 728), 3),
        ((1352, 2464), 2),
        ((100, 128), 1),
        ((3, 3), 1),
        ((3, 2000), 9),
    ],
)
def test_tiles_have_the_networks_size_and_cover_the_longer_side(shape, tiles):
    prepared = prepare_slice(_texture(*shape), UNIT)
    assert prepared.tiles.shape == (tiles, 224, 224)
    assert prepared.tiles.dtype == np.float32
    assert prepared.reason == ""
    assert 0 <= prepared.tiles.min() < prepared.tiles.max() <= 1


def test_a_small_slice_is_not_enlarged():
    plane = _texture(100, 100)
    np.testing.assert_array_equal(prepare_slice(plane, UNIT).tiles[0, 62:162, 62:162], plane)


def test_shrinking_averages_areas():
    plane = _texture(448, 448)
    expected = plane.reshape(224, 2, 224, 2).mean((1, 3))
    np.testing.assert_allclose(prepare_slice(plane, UNIT).tiles[0], expected, atol=1e-6)


@pytest.mark.parametrize("dtype", ["u1", ">u2", "<i4", "f8", ">f4", "f2"])
def test_the_dtype_makes_no_difference(dtype):
    values = (_texture(240, 240) * 200).astype("u1")
    window = IntensityWindow(0.0, 200.0, "given")
    np.testing.assert_allclose(
        prepare_slice(values.astype(dtype), window).tiles, prepare_slice(values, window).tiles, atol=1e-6
    )


def test_the_window_maps_to_0_and_1_and_clips():
    plane = np.repeat(np.float32([[10, 20, 30, 40, 50]]), 300, axis=0).repeat(60, axis=1)
    values = prepare_slice(plane, IntensityWindow(20.0, 40.0, "given")).tiles
    assert values.min() == 0
    assert values.max() == 1


def test_a_nan_margin_takes_the_windows_low_end():
    plane = _texture(224, 224) * 0.5 + 0.5
    plane[:20] = np.nan
    plane[20, 0] = np.inf
    tile = prepare_slice(plane, UNIT).tiles[0]
    assert (tile[:20] == 0).all()
    assert tile[20, 0] == 0
    np.testing.assert_array_equal(tile[30:], plane[30:])


@pytest.mark.parametrize(
    ("plane", "reason"),
    [
        (np.full((300, 300), np.nan), "no finite pixel"),
        (np.where(np.arange(90000).reshape(300, 300) < 900, 1.0, np.nan), "only 1% of its pixels are finite"),
        (np.full((300, 300), 0.3), "constant value"),
        (np.full((50, 700), 7, np.uint8), "constant value"),
        (np.where(np.eye(300) > 0, np.nan, 0.3), "constant value"),
        (_texture(300, 300) + 5, "no value inside the intensity window"),
    ],
)
def test_what_cannot_be_scored_says_why(plane, reason):
    prepared = prepare_slice(plane, UNIT)
    assert prepared.reason == reason
    assert len(prepared.tiles) == 0


@pytest.mark.parametrize(
    ("plane", "sentence"),
    [
        (np.zeros((4, 4, 3)), "2 dimensions"),
        (np.zeros((4, 4), complex), "complex128"),
        (np.zeros((4, 4), object), "object"),
        (np.zeros((2, 40)), "at least 3 px"),
    ],
)
def test_what_is_no_slice_is_refused(plane, sentence):
    with pytest.raises(VolumeError, match=sentence):
        prepare_slice(plane, UNIT)


def test_opencv_shrinks_by_area():
    # prepare_slice relies on INTER_AREA being an exact area mean for fractional factors too
    plane = np.arange(9, dtype=np.float32).reshape(3, 3)
    assert cv2.resize(plane, (2, 2), interpolation=cv2.INTER_AREA)[0, 0] == pytest.approx(
        (0 + 0.5 * 1 + 0.5 * 3 + 0.25 * 4) / 2.25
    )
