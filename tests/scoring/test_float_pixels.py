"""Offsets and scales that float32 loses: the same slice is the same to scores, segmentation and figures."""

from collections.abc import Callable

import numpy as np
import pytest

from napari_tiqa.physics.figures import physical_figures
from napari_tiqa.scoring.float_pixels import float_pixels
from napari_tiqa.scoring.pyramid import view_slice
from napari_tiqa.scoring.views import NATIVE, OVERVIEW, PYRAMID
from napari_tiqa.segmentation.network_input import network_image
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.simulation.microstructures import microstructure
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.volumes.window_estimate import estimate_window

Kind = Callable[[np.ndarray], np.ndarray]

KINDS: dict[str, Kind] = {
    "uint32 + 4e9": lambda grey: (grey + 4_000_000_000).astype(np.uint32),
    "int32 - 2e9": lambda grey: (grey - 2_000_000_000).astype(np.int32),
    "int64 + 1e15": lambda grey: grey + 10**15,
    "uint64 + 1e19": lambda grey: grey.astype(np.uint64) * np.uint64(100_000) + np.uint64(10**19),
    "float64 + 1e9": lambda grey: grey + 1e9,
    "float64 * 1e-300": lambda grey: grey * 1e-300,
    "float64 * 1e300": lambda grey: grey * 1e300,
    "float64 up to its ends": lambda grey: (grey - 127.5) * 1.2e306,
    "big-endian float64": lambda grey: (grey + 1e9).astype(">f8"),
}


@pytest.fixture(scope="module")
def grey() -> np.ndarray:
    """Return a grainy slice, 0 to 255, int64."""
    rng = np.random.default_rng(0)
    clean = microstructure("foam", (480, 480), 1)
    return np.clip(np.rint(40 + 160 * clean + rng.normal(0, 8, clean.shape)), 0, 255).astype(np.int64)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_network_sees_the_same_slice(kind: Kind, grey: np.ndarray) -> None:
    plane = kind(grey)
    window, plain = (estimate_window(as_volume(image).tomogram()) for image in (plane, grey.astype("f4")))
    for view in (OVERVIEW, NATIVE, PYRAMID):
        seen, expected = view_slice(plane, window, view), view_slice(grey.astype("f4"), plain, view)
        assert seen.reason == expected.reason == ""
        np.testing.assert_allclose(seen.tiles, expected.tiles, atol=1e-3)
    np.testing.assert_allclose(network_image(plane, window), network_image(grey, plain), atol=1e-3)


@pytest.mark.parametrize("kind", [*KINDS][:5])
def test_figures_do_not_depend_on_the_offset(kind: str, grey: np.ndarray) -> None:
    unit = 100_000 if "uint64" in kind else 1
    found, expected = physical_figures(KINDS[kind](grey)), physical_figures(grey.astype("f4"))
    assert found.noise_level == pytest.approx(unit * expected.noise_level, rel=5e-3)
    assert found.contrast_to_noise == pytest.approx(expected.contrast_to_noise, rel=1e-3)
    assert found.edge_width == pytest.approx(expected.edge_width, rel=5e-3)


@pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])
def test_a_window_far_from_all_values_holds_none_of_them(dtype: str, grey: np.ndarray) -> None:
    for low, high in ((0.0, 1e300), (-1e300, 1e300), (-1.7e308, 1.7e308), (1e-310, 2e-310)):
        seen = view_slice(grey.astype(dtype), IntensityWindow(low, high, "given"))
        assert "no value inside" in seen.reason


def test_what_is_finite_stays_so_and_what_is_not_too() -> None:
    plane = np.array([[0.0, 1e300, -1e300, np.nan, np.inf, -np.inf, 0.5, 1.0]] * 3)
    pixels, window = float_pixels(plane, IntensityWindow(0, 1, "given"))
    assert pixels.dtype == np.float32
    assert np.array_equal(np.isfinite(pixels), np.isfinite(plane))
    unit = (pixels[0] - window.low) / (window.high - window.low)
    assert unit[[0, 6, 7]].tolist() == [0, 0.5, 1]
    assert unit[1] > 1 > 0 > unit[2]
