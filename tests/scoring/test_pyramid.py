"""The levels of a slice: which there are, what their tiles show, and what they say together."""

import numpy as np
import pytest
from scipy.special import softmax

from napari_tiqa.scoring.combination import TEMPERATURE, combined, slice_prediction
from napari_tiqa.scoring.native_tiles import prepare_native_tiles
from napari_tiqa.scoring.network_input import TILE_SIZE, prepare_slice
from napari_tiqa.scoring.pyramid import finer_factors, finer_tiles, most_tiles, overview_factor, view_slice
from napari_tiqa.scoring.scale import PREDICTED
from napari_tiqa.volumes.window import IntensityWindow
from tests.textures import grainy

WINDOW = IntensityWindow(0, 1, "given")


@pytest.mark.parametrize(
    ("shape", "factors", "tiles"),
    [
        ((3, 3), [], 1),
        ((280, 280), [], 1),
        ((281, 281), [1], 2),
        ((560, 560), [1], 3),
        ((720, 720), [1, 2], 6),
        ((720, 1400), [1, 2], 8),
        ((2048, 2048), [1, 2, 4], 12),
        ((224, 1120), [], 5),
    ],
)
def test_levels_go_by_factors_of_two_and_their_tiles_are_few(
    shape: tuple[int, int], factors: list[int], tiles: int
) -> None:
    plane = grainy(*shape)
    viewed = view_slice(plane, WINDOW)
    assert finer_factors(shape) == factors
    assert np.unique(viewed.factors).tolist() == [*factors, overview_factor(shape)]
    assert len(viewed.tiles) == len(viewed.factors) == sum(most_tiles(shape)) == tiles
    overview = viewed.factors == overview_factor(shape)
    np.testing.assert_array_equal(viewed.tiles[overview], prepare_slice(plane, WINDOW).tiles)
    assert overview[-1]


def test_a_tile_is_the_area_mean_of_its_place() -> None:
    plane = np.arange(900 * 1000, dtype="f4").reshape(900, 1000) / 900_000  # each pixel says where it is
    viewed = finer_tiles(plane, WINDOW)
    for tile, factor in zip(viewed.tiles, viewed.factors.astype(int), strict=True):
        first = tile[0, 0] * 900_000 - (factor - 1) / 2 * 1001  # of the pixels averaged, the first
        row, column = divmod(round(first), 1000)
        side = TILE_SIZE * factor
        cut = plane[row : row + side, column : column + side]
        means = cut.reshape(TILE_SIZE, factor, TILE_SIZE, factor).mean((1, 3))
        np.testing.assert_allclose(tile, means, atol=1e-6)
    assert set(viewed.factors) == {1, 2}


def test_native_tiles_are_spread_and_one_is_in_the_middle() -> None:
    plane = np.arange(1500 * 1500, dtype="f4").reshape(1500, 1500)
    viewed = finer_tiles(plane, IntensityWindow(0, plane.max(), "given"))
    native = np.rint(viewed.tiles[viewed.factors == 1][:, 0, 0] * plane.max())
    rows, columns = (middle + TILE_SIZE / 2 - 750 for middle in divmod(native, 1500))
    far = np.hypot(rows, columns)
    assert (far < 2).sum() == 1
    corners = {(bool(y > 0), bool(x > 0)) for y, x, r in zip(rows, columns, far, strict=True) if r > 100}
    assert len(corners) == 4


@pytest.mark.parametrize("outside", [0.0, -3.5, np.nan])
def test_the_margin_around_a_reconstruction_is_not_looked_at(outside: float) -> None:
    y, x = np.mgrid[:1200, :1200] - 599.5
    noise = np.random.default_rng(0).uniform(0.2, 0.8, (1200, 1200)).astype("f4")
    viewed = finer_tiles(np.where(np.hypot(y, x) < 600, noise, np.float32(outside)), WINDOW)
    assert set(viewed.factors) == {1, 2, 4}
    assert (viewed.tiles > 0).mean(axis=(1, 2)).min() > 0.7


def test_a_level_without_contrast_or_place_is_left_out() -> None:
    plane = np.full((448, 448), 0.5, np.float32)
    plane[:120, :200] = grainy(120, 200)
    plane[120:] = np.nan
    viewed = view_slice(plane, WINDOW)
    assert viewed.factors.tolist() == [2.0]


@pytest.mark.parametrize(
    ("plane", "reason"),
    [
        (np.full((500, 500), np.nan), "no finite pixel"),
        (np.full((500, 500), 3.0), "constant value"),
    ],
)
def test_what_cannot_be_scored_has_a_reason_in_each_view(plane: np.ndarray, reason: str) -> None:
    for view in ("pyramid", "overview", "native"):
        viewed = view_slice(plane, WINDOW, view)
        assert (len(viewed.tiles), len(viewed.factors), viewed.reason) == (0, 0, reason)


def test_the_native_view_has_native_tiles_alone() -> None:
    plane = grainy(500, 700)
    viewed = view_slice(plane, WINDOW, "native")
    np.testing.assert_array_equal(viewed.tiles, prepare_native_tiles(plane, WINDOW).tiles)
    assert set(viewed.factors) == {1.0}


def predictions(scores: list[float]) -> np.ndarray:
    """Return predictions of these scores, the points lost all to noise, shape (n, 9)."""
    values = np.zeros((len(scores), len(PREDICTED)))
    values[:, 0] = scores
    values[:, 1] = 0.3
    values[:, PREDICTED.index("noise")] = 5 - values[:, 0]
    values[:, -1] = np.linspace(0.1, 0.7, len(scores))
    return values


def test_levels_are_combined_by_a_soft_minimum() -> None:
    values = combined(predictions([2.0, 4.0, 4.5]))
    weights = softmax(-np.array([2.0, 4.0, 4.5]) / TEMPERATURE)
    assert values[0] == pytest.approx(weights @ [2.0, 4.0, 4.5])
    assert values[0] + values[2:-1].sum() == pytest.approx(5)
    assert values[1] == pytest.approx(0.3)
    assert values[-1] == 0.7  # of the last level, the overview
    np.testing.assert_allclose(combined(predictions([3.0])), predictions([3.0])[0])


def test_what_tiles_say_is_averaged_within_their_level_first() -> None:
    factors = np.array([1.0, 1, 1, 2, 3.5])
    said = slice_prediction(predictions([1.0, 2, 3, 4, 4.5]), factors, "pyramid")
    assert said.values[0] == pytest.approx(combined(predictions([2.0, 4, 4.5]))[0])
    assert (said.overview, said.scale) == (4.5, 1)
    assert slice_prediction(predictions([4.0, 2]), np.array([1, 2.7]), "pyramid").scale == 2.7
    alone = slice_prediction(predictions([4.0, 2]), np.ones(2), "native")
    assert alone.values[0] == 3
    assert np.isnan([alone.overview, alone.scale]).all()
    assert np.isnan(slice_prediction(np.empty((0, 9)), np.empty(0), "pyramid").values).all()
