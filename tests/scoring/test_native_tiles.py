"""Native-resolution tiles: which part of a slice they show, and what is left out."""

import numpy as np
import pytest

from napari_tiqa.scoring.native_tiles import MOST_TILES, content, filled_tiles, prepare_native_tiles
from napari_tiqa.scoring.network_input import TILE_SIZE, prepare_slice
from napari_tiqa.volumes.window import IntensityWindow
from tests.textures import grainy

WINDOW = IntensityWindow(0, 1, "given")


def disc(side: int, outside: float = 0.0) -> np.ndarray:
    """Return noise inside the inscribed circle, float32."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    noise = np.float32(0.2) + np.float32(0.6) * grainy(side, side)
    return np.where(np.hypot(y, x) < side / 2, noise, np.float32(outside))


def test_a_slice_of_one_tile_is_seen_as_it_is() -> None:
    plane = disc(TILE_SIZE)
    np.testing.assert_array_equal(
        prepare_native_tiles(plane, WINDOW).tiles, prepare_slice(plane, WINDOW).tiles
    )
    small = plane[:100, :150]
    np.testing.assert_array_equal(
        prepare_native_tiles(small, WINDOW).tiles, prepare_slice(small, WINDOW).tiles
    )


def test_tiles_of_a_large_slice_are_its_own_pixels_spread_over_all_of_it() -> None:
    plane = np.arange(1500 * 2000, dtype="f4").reshape(1500, 2000)  # each pixel says where it is
    tiles = prepare_native_tiles(plane, IntensityWindow(0, plane.max(), "given")).tiles
    assert len(tiles) == MOST_TILES
    pixels = np.rint(tiles * plane.max()).astype(int)
    rows, columns = pixels[:, 0, 0] // 2000, pixels[:, 0, 0] % 2000
    for tile, row, column in zip(pixels, rows, columns, strict=True):
        np.testing.assert_array_equal(tile, plane[row : row + TILE_SIZE, column : column + TILE_SIZE])
    middles = zip((rows + TILE_SIZE / 2) / 1500, (columns + TILE_SIZE / 2) / 2000, strict=True)
    assert len({(int(3 * y), int(3 * x)) for y, x in middles}) == 9  # one in each ninth


@pytest.mark.parametrize("outside", [0.0, -3.5, np.nan])
def test_the_margin_around_a_reconstruction_is_not_looked_at(outside: float) -> None:
    plane = disc(1200, outside)
    tiles = prepare_native_tiles(plane, WINDOW).tiles
    assert len(tiles) == MOST_TILES
    assert (tiles > 0).mean(axis=(1, 2)).min() > 0.7
    grid = np.arange(0, 1200 - TILE_SIZE, 100)
    assert not filled_tiles(plane, grid, grid)[0, 0]
    assert filled_tiles(plane, grid, grid)[5, 5]


def test_air_inside_the_circle_counts() -> None:
    plane = disc(1200)
    plane[550:650, 550:650] = 0
    assert content(plane)[600, 600]
    assert not content(plane)[2, 2]


def test_tiles_without_any_contrast_are_left_out() -> None:
    plane = grainy(448, 448)
    plane[:TILE_SIZE] = 0.5
    assert len(prepare_native_tiles(plane, WINDOW).tiles) == 2


@pytest.mark.parametrize(
    ("plane", "reason"),
    [
        (np.full((500, 500), np.nan), "no finite pixel"),
        (np.full((500, 500), 3.0), "constant value"),
        (np.full((500, 500), 3.0) + np.eye(500), "no value inside the intensity window"),
    ],
)
def test_what_cannot_be_scored_has_the_reason_of_a_whole_slice(plane: np.ndarray, reason: str) -> None:
    prepared = prepare_native_tiles(plane, WINDOW)
    assert (len(prepared.tiles), prepared.reason) == (0, reason)


def test_content_too_thin_for_a_tile_is_said() -> None:
    plane = np.full((600, 600), np.nan)
    plane[::2, ::3] = 0.5 + 0.1 * np.eye(600)[::2, ::3]
    assert "as large as a tile" in prepare_native_tiles(plane, WINDOW).reason
