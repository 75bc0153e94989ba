"""Each filter does what its source says, refuses what it cannot do, and can be chosen by a user."""

import inspect
import runpy

import numpy as np
import pytest
import scipy.ndimage as ndi
from skimage.restoration import denoise_tv_chambolle

from napari_tiqa.errors import FilterError
from napari_tiqa.filtering.bands import in_bands
from napari_tiqa.filtering.catalogue import FILTERS, filter_named
from napari_tiqa.filtering.filter import GROUPS, Filter
from napari_tiqa.filtering.median import median_filter
from napari_tiqa.filtering.parameter import Parameter
from napari_tiqa.volumes.simulation.microstructures import microstructure
from tests.places import ROOT

UNIT = (0.0, 1.0)
NUMBERS = [
    pytest.param(filter, name, id=f"{filter.name}.{name}")
    for filter in FILTERS.values()
    for name, parameter in filter.parameters.items()
    if parameter.kind in (int, float) and parameter.default is not None
]


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return microstructure("electrode", (160, 160), 3)


def noisy(plane: np.ndarray, sigma: float) -> np.ndarray:
    return (plane + np.random.default_rng(0).normal(0, sigma, plane.shape)).astype("float32")


def rms(difference: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(difference))))


@pytest.mark.parametrize("filter", FILTERS.values(), ids=FILTERS)
def test_can_be_understood(filter: Filter) -> None:
    assert filter.group in GROUPS
    assert filter.title
    assert filter.summary.endswith(".")
    accepted = set(inspect.signature(filter.function).parameters) - {"plane", "inside"}
    assert set(filter.parameters) == accepted
    assert filter.parameters[filter.main].tunable
    for name, parameter in filter.parameters.items():
        assert parameter.title, name
        assert parameter.advice.endswith("."), name
        assert parameter.checked(parameter.default, name) == parameter.default
        if parameter.kind in (int, float):
            assert np.isfinite([parameter.low, parameter.high]).all(), name
        if parameter.logarithmic:
            assert parameter.low > 0, name


@pytest.mark.parametrize(("filter", "name"), NUMBERS)
@pytest.mark.parametrize("wrong", ["low", "high", np.nan, np.inf, "3", True, [1, 2]], ids=str)
def test_numbers_out_of_range_are_refused_in_one_sentence(filter: Filter, name: str, wrong: object) -> None:
    parameter = filter.parameters[name]
    if wrong in ("low", "high"):
        wrong = parameter.low - 1 if wrong == "low" else parameter.high + 1
    with pytest.raises(
        FilterError, match=rf"^{name} of {filter.name} (is|cannot be) .*: (choose|give) .*\.$"
    ):
        filter(np.eye(64), **{name: wrong})


@pytest.mark.parametrize(("filter", "name"), NUMBERS)
def test_the_ends_of_a_range_give_finite_pixels(filter: Filter, name: str, truth: np.ndarray) -> None:
    parameter = filter.parameters[name]
    plane = np.tile(noisy(truth, 0.05), (2, 2))
    for value in (parameter.low, min(parameter.high, 64)):
        others = {"tile": 128} if filter.name == "clahe" and name != "tile" else {}
        result = filter(plane, UNIT, **{name: value}, **others)
        assert np.isfinite(result).all()
        assert np.abs(result).max() < 100


def test_unknown_names_are_refused_in_one_sentence() -> None:
    with pytest.raises(FilterError, match=r"^There is no filter 'blur': choose one of .*gaussian.*\.$"):
        filter_named("blur")
    with pytest.raises(FilterError, match=r"^gaussian has no parameter 'radius': it has sigma\.$"):
        FILTERS["gaussian"](np.eye(9), radius=2)
    with pytest.raises(
        FilterError, match=r"^measured_on of flatten_background cannot be 'grey': choose all or "
    ):
        FILTERS["flatten_background"](np.eye(64), measured_on="grey")


def test_a_choice_takes_no_other_type() -> None:
    parameter = Parameter("Half rings", False)
    with pytest.raises(FilterError, match=r"^half cannot be 1: choose true or false\.$"):
        parameter.checked(1, "half")


def test_whole_numbers_of_any_type_are_taken() -> None:
    parameter = FILTERS["median"].parameters["radius"]
    assert [parameter.checked(value, "radius") for value in (2, 2.0, np.int64(2), np.float32(2))] == [2] * 4
    with pytest.raises(FilterError, match=r"^radius cannot be 1\.5: give a whole number from 1 to 4 px\.$"):
        parameter.checked(1.5, "radius")


@pytest.mark.parametrize(
    ("name", "side", "parameters"),
    [
        ("gaussian", 8, {"sigma": 1}),
        ("median", 8, {"radius": 4}),
        ("bilateral", 8, {"radius": 4}),
        ("non_local_means", 14, {"patch": 2, "reach": 5}),
        ("total_variation", 2, {}),
        ("wavelet", 15, {}),
        ("anisotropic_diffusion", 2, {}),
        ("unsharp_mask", 8, {"sigma": 1}),
        ("richardson_lucy", 8, {"sigma": 1}),
        ("wiener", 8, {"sigma": 1}),
        ("clahe", 31, {"tile": 32}),
        ("flatten_background", 5, {"order": 2}),
    ],
)
def test_a_slice_smaller_than_the_kernel_is_refused(name: str, side: int, parameters: dict) -> None:
    plane = np.random.default_rng(0).random((side, 200))
    sentence = (
        rf"^.* of {side + 1} x {side + 1} px does not fit into a slice of {side} x 200 px: choose .*\.$"
    )
    with pytest.raises(FilterError, match=sentence):
        FILTERS[name](plane, UNIT, **parameters)
    plane = np.random.default_rng(0).random((side + 1, side + 1))
    assert np.isfinite(FILTERS[name](plane, UNIT, **parameters)).all()


@pytest.mark.parametrize("rows", [1, 7, 16, 200, None])
def test_bands_are_the_whole(rows: int | None) -> None:
    plane = np.random.default_rng(0).random((53, 40), np.float32)
    whole = ndi.uniform_filter(plane, 9)
    np.testing.assert_allclose(
        in_bands(lambda band: ndi.uniform_filter(band, 9), plane, 4, rows), whole, atol=1e-6
    )


@pytest.mark.parametrize("radius", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("shape", [(40, 61), (13, 300), (71, 13)])
def test_median_is_exact(radius: int, shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(0).normal(size=shape).astype("float32")
    plane[::5] = plane[0, 0]  # ties
    expected = ndi.median_filter(plane, 2 * radius + 1, mode="nearest")
    np.testing.assert_array_equal(median_filter(plane, radius), expected)


def test_bilateral_is_the_papers() -> None:
    plane = np.random.default_rng(0).random((24, 24), np.float32)
    y, x = np.mgrid[-2:3, -2:3]
    window = plane[8:13, 8:13]
    weights = np.exp(-(y**2 + x**2) / (2 * 1.0**2) - (window - plane[10, 10]) ** 2 / (2 * 0.2**2))
    weights *= y**2 + x**2 <= 4
    result = FILTERS["bilateral"](plane, UNIT, radius=2, contrast=20)
    assert result[10, 10] == pytest.approx((weights * window).sum() / weights.sum(), abs=1e-4)


def test_a_hot_pixel_does_not_change_what_bilateral_does_elsewhere(truth: np.ndarray) -> None:
    plane = noisy(truth, 0.05)
    expected = FILTERS["bilateral"](plane, UNIT)
    hot = plane.copy()
    hot[80, 80] = 5000
    result = FILTERS["bilateral"](hot, UNIT)
    far = np.ones(plane.shape, bool)
    far[76:85, 76:85] = False
    np.testing.assert_allclose(result[far], expected[far], atol=1e-3)
    assert result[80, 80] == pytest.approx(5000)


def test_non_local_means_is_the_papers() -> None:
    plane = np.random.default_rng(0).normal(0.5, 0.1, (40, 40)).astype("float32")
    sigma, patch, reach, at = 0.1, 1, 3, 20

    def around(y: int, x: int) -> np.ndarray:
        return plane[y - patch : y + patch + 1, x - patch : x + patch + 1]

    total = weights = 0.0
    for y in range(at - reach, at + reach + 1):
        for x in range(at - reach, at + reach + 1):
            distance = np.mean((around(y, x) - around(at, at)) ** 2)
            weight = np.exp(-max(distance - 2 * sigma**2, 0) / (0.8 * sigma) ** 2)
            total, weights = total + weight * plane[y, x], weights + weight
    result = FILTERS["non_local_means"](plane, UNIT, sigma=10, patch=patch, reach=reach)
    assert result[at, at] == pytest.approx(total / weights, abs=1e-5)


@pytest.mark.parametrize("weight", [2, 5, 10])
def test_total_variation_comes_near_the_minimum(truth: np.ndarray, weight: float) -> None:
    plane = noisy(truth, weight / 100)
    minimum = denoise_tv_chambolle(plane, weight / 100, eps=0, max_num_iter=3000)
    result = FILTERS["total_variation"](plane, UNIT, weight=weight)
    assert rms(result - minimum) < 0.03 * rms(minimum - plane)


def test_anisotropic_diffusion_is_the_papers(truth: np.ndarray) -> None:
    plane = noisy(truth, 0.05).astype(float)
    expected = plane.copy()
    for _ in range(3):
        padded = np.pad(expected, 1, mode="edge")
        steps = [
            padded[1 + dy : 161 + dy, 1 + dx : 161 + dx] - expected
            for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0))
        ]
        expected = expected + 0.2 * sum(np.exp(-((step / 0.15) ** 2)) * step for step in steps)
    result = FILTERS["anisotropic_diffusion"](plane, UNIT, contrast=15, passes=3)
    np.testing.assert_allclose(result, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "parameters", "kept"),
    [
        ("gaussian", {"sigma": 0.7}, 0.7),
        ("median", {"radius": 1}, 0.7),
        ("bilateral", {"contrast": 25}, 0.6),
        ("non_local_means", {"sigma": 10}, 0.6),
        ("total_variation", {"weight": 10}, 0.7),
        ("wavelet", {"sigma": 10}, 0.8),
        ("anisotropic_diffusion", {"contrast": 20}, 0.75),
    ],
)
def test_denoising_brings_a_slice_closer_to_the_truth(name: str, parameters: dict, kept: float) -> None:
    truth = microstructure("powder", (160, 160), 3)
    plane = noisy(truth, 0.1)
    assert rms(FILTERS[name](plane, UNIT, **parameters) - truth) < kept * rms(plane - truth)


@pytest.mark.parametrize(
    ("name", "parameters", "kept"),
    [
        ("unsharp_mask", {"sigma": 1.2, "amount": 150}, 0.9),
        ("richardson_lucy", {"sigma": 1.2, "passes": 10}, 0.8),
        ("wiener", {"sigma": 1.2, "noise": 0.002}, 0.75),
    ],
)
def test_deblurring_brings_a_slice_closer_to_the_truth(
    truth: np.ndarray, name: str, parameters: dict, kept: float
) -> None:
    plane = noisy(ndi.gaussian_filter(truth, 1.2, mode="mirror"), 0.002)
    assert rms(FILTERS[name](plane, UNIT, **parameters) - truth) < kept * rms(plane - truth)


def test_richardson_lucy_keeps_what_is_darker_than_the_window(truth: np.ndarray) -> None:
    plane = noisy(truth, 0.01)
    plane[40, 40] = -3
    result = FILTERS["richardson_lucy"](plane, UNIT)
    assert result[40, 40] < -2
    assert result.min() == result[40, 40]


@pytest.mark.parametrize("name", ["unsharp_mask", "richardson_lucy", "wiener"])
def test_deblurring_keeps_an_even_slice(name: str) -> None:
    plane = np.full((64, 64), 0.4, "float32")
    plane[0, 0] = 0.41  # a slice without any contrast is not filtered
    np.testing.assert_allclose(FILTERS[name](plane, UNIT)[20:, 20:], 0.4, atol=2e-4)


def test_unsharp_mask_adds_what_a_gaussian_takes(truth: np.ndarray) -> None:
    plane = noisy(truth, 0.02)
    expected = plane + 1.5 * (plane - ndi.gaussian_filter(plane, 2, mode="mirror", radius=8))
    result = FILTERS["unsharp_mask"](plane, UNIT, sigma=2, amount=150)
    np.testing.assert_allclose(result, expected, atol=1e-3)


def test_clahe_raises_no_slope_above_its_limit_and_keeps_the_order() -> None:
    ramp = np.linspace(0.3, 0.5, 64, dtype=np.float32)
    plane = np.tile(ramp, (64, 1))
    for limit in (1, 2, 4):
        result = FILTERS["clahe"](plane, UNIT, tile=64, limit=limit)
        slopes = np.diff(result[32]) / np.diff(plane[32])
        assert slopes.min() >= 0
        assert slopes.max() <= limit + 1e-3
        assert slopes.max() == pytest.approx(limit, rel=0.2)
    np.testing.assert_allclose(FILTERS["clahe"](plane, UNIT, tile=64, limit=1), plane, atol=1e-5)


def test_clahe_has_no_steps(truth: np.ndarray) -> None:
    ramp = np.tile(np.linspace(0.2, 0.8, 4000, dtype=np.float32), (64, 1))
    result = FILTERS["clahe"](ramp, UNIT, tile=64, limit=3)
    assert len(np.unique(result[32])) > 3900


def test_what_lies_beyond_the_window_stays_beyond(truth: np.ndarray) -> None:
    plane = truth.copy()
    plane[50, 50], plane[60, 60] = -0.5, 1.5
    for name in ("gamma", "clahe"):
        result = FILTERS[name](plane, UNIT)
        assert result[50, 50] == pytest.approx(-0.5, abs=1e-5)
        assert result[60, 60] == pytest.approx(1.5, abs=1e-5)


def test_gamma_is_a_power_between_the_windows_ends() -> None:
    plane = np.array([[100, 125, 150, 200], [50, 250, 100, 200]], "float32")
    result = FILTERS["gamma"](plane, (100, 200), gamma=0.5)
    np.testing.assert_allclose(
        result, [[100, 150, 100 + 100 * 0.5**0.5, 200], [50, 250, 100, 200]], atol=1e-3
    )


@pytest.mark.parametrize("measured_on", ["all", "bright", "dark"])
def test_flattening_takes_cupping_off_and_keeps_the_mean(measured_on: str) -> None:
    rng = np.random.default_rng(0)
    phases = rng.choice([0.3, 0.7], (40, 40), p=[0.3, 0.7]).repeat(4, 0).repeat(4, 1)
    flat = phases + rng.normal(0, 0.03, phases.shape)
    y, x = np.mgrid[-1:1:160j, -1:1:160j]
    cupping = 0.15 * (y**2 + x**2)
    result = FILTERS["flatten_background"](flat + cupping, UNIT, measured_on=measured_on)
    left = result - flat
    assert left.std() < 0.25 * cupping.std()
    assert result.mean() == pytest.approx((flat + cupping).mean(), abs=0.01)
    untouched = FILTERS["flatten_background"](flat + cupping, UNIT, measured_on=measured_on, amount=0)
    np.testing.assert_allclose(untouched, flat + cupping, atol=1e-6)


def test_the_page_of_filters_is_up_to_date() -> None:
    folder = ROOT / "docs"
    writer = runpy.run_path(str(folder / "filter_table.py"))
    page = (folder / "filters.md").read_text("utf-8")
    assert writer["with_tables"](page) == page, "run python docs/filter_table.py"
