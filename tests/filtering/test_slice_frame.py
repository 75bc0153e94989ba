"""What every filter keeps: dtype, NaN and the outside of the circle; nothing from outside gets in."""

import numpy as np
import pytest

from napari_tiqa.errors import FilterError, VolumeError
from napari_tiqa.filtering.catalogue import FILTERS
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.filtering.slice_frame import filter_slice

SIDE = 96


def unchanged(pixels: np.ndarray, inside: np.ndarray) -> np.ndarray:
    return pixels


def smoothed(plane: np.ndarray, **options: object) -> np.ndarray:
    return FILTERS["gaussian"](plane, sigma=2, **options)


@pytest.fixture
def specimen() -> np.ndarray:
    """Two phases with noise, 0 to 1, float64."""
    rng = np.random.default_rng(0)
    phases = rng.choice([0.3, 0.7], (SIDE // 8, SIDE // 8)).repeat(8, 0).repeat(8, 1)
    return phases + rng.normal(0, 0.05, phases.shape)


@pytest.fixture
def circle() -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    return np.hypot(y, x) <= SIDE / 2 - 2


INTEGERS = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", ">u2", ">i4"]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_over_their_whole_range_come_back_exactly(specimen: np.ndarray, dtype: str) -> None:
    least, greatest = np.iinfo(dtype).min, np.iinfo(dtype).max
    plane = (specimen.clip(0, 1) * (float(greatest) - float(least)) + float(least)).astype(dtype)
    plane[0, :2] = least, greatest
    plane[-1, -1] = 1
    result = filter_slice(plane, [unchanged], (float(least), float(greatest)))
    assert result.dtype == plane.dtype
    # float32 in between holds 24 bits of the window
    off = np.abs(result.astype(float) - plane.astype(float)).max()
    assert off <= max(0 if plane.dtype.itemsize <= 2 else 1, float(greatest) * 2.0**-22)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_are_clipped_and_never_wrap(specimen: np.ndarray, dtype: str) -> None:
    least, greatest = np.iinfo(dtype).min, np.iinfo(dtype).max
    plane = np.where(specimen > 0.5, greatest, least).astype(dtype)
    sharper = FILTERS["unsharp_mask"](plane, sigma=2, amount=300)
    assert sharper.dtype == plane.dtype
    deep = (slice(2, 6), slice(2, 6))  # of one phase
    assert (plane[deep] == plane[deep][0, 0]).all()
    assert np.abs(sharper[deep].astype(float) - plane[deep].astype(float)).max() <= float(greatest) * 2.0**-9


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f4", ">f8", "longdouble"])
def test_floats_keep_their_type_and_byte_order(specimen: np.ndarray, dtype: str) -> None:
    plane = specimen.astype(dtype)
    result = smoothed(plane)
    assert result.dtype == plane.dtype
    expected = smoothed(specimen.astype("float32"), window=(0, 1))
    np.testing.assert_allclose(result.astype(float), expected, atol=2e-3 if dtype == "float16" else 1e-5)


def test_half_floats_do_not_overflow() -> None:
    plane = np.full((32, 32), -60000, "float16")
    plane[:, 16:] = 60000
    assert np.isfinite(FILTERS["unsharp_mask"](plane, amount=500)).all()


def test_a_mask_stays_a_mask(specimen: np.ndarray) -> None:
    plane = specimen > 0.5
    result = FILTERS["median"](plane, radius=2)
    assert result.dtype == bool
    assert 0 < np.count_nonzero(result != plane) < 0.3 * plane.size


def test_small_steps_on_a_large_offset_survive(specimen: np.ndarray) -> None:
    # int32 volumes of a few hundred grey values around a million: float32 has steps of 0.06 there.
    plane = (1_000_000_000 + 300 * specimen).astype("int32")
    result = filter_slice(plane, [unchanged])
    np.testing.assert_array_equal(result, plane)


def test_nan_and_inf_stay_where_they_are_and_nowhere_else(specimen: np.ndarray) -> None:
    plane = specimen.astype("float32")
    plane[10, 10], plane[20:30, 40:50], plane[50, 3], plane[60, 60] = np.nan, np.nan, np.inf, -np.inf
    for name, filter in FILTERS.items():
        result = filter(plane, (0, 1), **({"tile": 32} if name == "clahe" else {}))
        np.testing.assert_array_equal(result[~np.isfinite(plane)], plane[~np.isfinite(plane)], name)
        assert np.isfinite(result[np.isfinite(plane)]).all(), name


def test_a_value_out_of_all_bounds_stays_and_harms_nothing(specimen: np.ndarray) -> None:
    plane = specimen.copy()
    plane[40, 40] = 1e300
    result = smoothed(plane)
    assert result[40, 40] == 1e300
    assert np.abs(np.delete(result.ravel(), 40 * SIDE + 40)).max() < 1


@pytest.mark.parametrize("outside", [0.0, -1000.0, np.nan, np.inf])
@pytest.mark.parametrize("name", FILTERS)
def test_the_inside_does_not_depend_on_the_outside(
    specimen: np.ndarray, circle: np.ndarray, name: str, outside: float
) -> None:
    options = {"tile": 32} if name == "clahe" else {}
    expected = FILTERS[name](np.where(circle, specimen, 7).astype("float32"), (0, 1), **options)
    plane = np.where(circle, specimen, outside).astype("float32")
    result = FILTERS[name](plane, (0, 1), **options)
    np.testing.assert_allclose(result[circle], expected[circle], atol=1e-6)
    np.testing.assert_array_equal(result[~circle], plane[~circle])


@pytest.mark.parametrize("outside", [0.0, 7.0, np.nan])
def test_the_own_window_does_not_depend_on_the_outside(
    specimen: np.ndarray, circle: np.ndarray, outside: float
) -> None:
    results = [
        FILTERS["total_variation"](np.where(circle, specimen, value).astype("float32"))
        for value in (-3.0, outside)
    ]
    np.testing.assert_allclose(results[0][circle], results[1][circle], atol=1e-6)


def test_edges_of_the_circle_are_as_bright_as_inside(circle: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    plane = np.where(circle, 100 + rng.normal(0, 1, circle.shape), 0).astype("float32")
    result = smoothed(plane)
    assert np.abs(result[circle] - 100).max() < 2


def test_air_with_the_paddings_value_is_filtered_like_other_air() -> None:
    # Air of an 8-bit volume whose noise was clipped at 0, the value outside the circle.
    side = 192
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    radius = np.hypot(y, x)
    air = np.random.default_rng(2).normal(2, 2, radius.shape).round().clip(0, 255)
    plane = np.where(radius < 94, air, 0).astype("uint8")
    plane[60:120, 60:120] = 200
    result = FILTERS["median"](plane, radius=2)
    rim = (radius > 88) & (radius < 92)  # where a pixel of that value could be padding
    assert np.count_nonzero(plane[rim] == 0) > 300
    assert np.count_nonzero(result[rim] == 0) < 30


@pytest.mark.parametrize(
    "plane",
    [
        np.full((40, 40), np.nan, "float32"),
        np.full((40, 40), np.inf, "float32"),
        np.full((40, 40), 7, "uint16"),
        np.zeros((40, 40), bool),
        np.full((40, 40), -1e30),
    ],
    ids=["all NaN", "all inf", "constant", "empty mask", "constant, large"],
)
def test_a_slice_without_contrast_is_returned_as_it_is(plane: np.ndarray) -> None:
    result = smoothed(plane)
    np.testing.assert_array_equal(result, plane)
    assert result is not plane


def test_one_pixel_of_content_is_returned_as_it_is() -> None:
    plane = np.full((40, 40), np.nan, "float32")
    plane[20, 20] = 3
    np.testing.assert_array_equal(smoothed(plane), plane)


def test_a_single_bright_pixel_is_contrast_enough() -> None:
    # Most sampled patches see nothing of it: the window is that of the pixels themselves.
    plane = np.zeros((512, 512), "float32")
    plane[200, 257] = 1
    result = smoothed(plane)
    assert 0 < result[200, 258] < result[200, 257] < 1


def test_the_slice_itself_is_never_changed(specimen: np.ndarray) -> None:
    for name, filter in FILTERS.items():
        plane = specimen.astype("float32")
        plane.flags.writeable = False
        filter(plane, (0, 1), **({"tile": 32} if name == "clahe" else {}))
        np.testing.assert_array_equal(plane, specimen.astype("float32"))


def test_any_memory_layout(specimen: np.ndarray) -> None:
    plane = specimen.astype("float32")
    expected = smoothed(plane, window=(0, 1))
    np.testing.assert_array_equal(smoothed(np.asfortranarray(plane), window=(0, 1)), expected)
    np.testing.assert_array_equal(smoothed(plane.repeat(2, 0)[::2], window=(0, 1)), expected)


def test_steps_one_by_one_are_the_pipeline(specimen: np.ndarray, circle: np.ndarray) -> None:
    plane = np.where(circle, specimen, 0).astype("float32")
    steps = [Step("gaussian"), Step("unsharp_mask", {"amount": 200}), Step("median")]
    one_by_one = plane
    for step in steps:
        one_by_one = Pipeline([step])(one_by_one, (0, 1))
    np.testing.assert_allclose(Pipeline(steps)(plane, (0, 1)), one_by_one, atol=1e-6)


@pytest.mark.parametrize(
    "plane", [np.zeros(9), np.zeros((3, 9, 9)), np.zeros((9, 9), complex), np.zeros((9, 9), "U1")]
)
def test_no_slice_is_refused(plane: np.ndarray) -> None:
    with pytest.raises(
        FilterError, match=r"^A filter takes a slice of real numbers with 2 dimensions, not .*\.$"
    ):
        smoothed(plane)


def test_an_empty_slice_is_refused() -> None:
    with pytest.raises(FilterError, match=r"^A slice of 0 x 9 px has nothing to filter\.$"):
        smoothed(np.zeros((0, 9)))


@pytest.mark.parametrize("window", [(1, 1), (2, 1), (0, np.nan), (-np.inf, 1)])
def test_an_impossible_window_is_refused(specimen: np.ndarray, window: tuple[float, float]) -> None:
    with pytest.raises(VolumeError, match=r"^The intensity window .* cannot be used: .*\.$"):
        smoothed(specimen, window=window)
