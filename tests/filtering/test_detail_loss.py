"""Detail loss: removed noise and rings cost nothing, blur costs what it takes from edges."""

import numpy as np
import pytest
import scipy.ndimage as ndi

from napari_tiqa.errors import FilterError, VolumeError
from napari_tiqa.filtering.catalogue import FILTERS
from napari_tiqa.filtering.detail_loss import detail_loss
from napari_tiqa.volumes.simulation.acquisition import Acquisition, acquire
from napari_tiqa.volumes.simulation.microstructures import microstructure

UNIT = (0.0, 1.0)


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return microstructure("powder", (320, 320), 3)


def noisy(plane: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    return (plane + np.random.default_rng(seed).normal(0, sigma, plane.shape)).astype("float32")


def test_the_same_slice_loses_nothing(truth: np.ndarray) -> None:
    assert detail_loss(truth, truth, UNIT) == 0


def test_an_edge_loses_what_theory_says() -> None:
    # A step seen through a Gaussian of a px is as steep as 1 / a; variances add, that of measuring too.
    y, x = np.mgrid[:256, :256]
    step = (np.sin(y / 19 + 2) * np.sin(x / 21) > 0).astype("float32")
    before, variance = ndi.gaussian_filter(step, 1.5), 1.5**2 + 0.7**2
    for sigma in (1.0, 1.5, 2.0):
        after = ndi.gaussian_filter(before, sigma)
        expected = 100 * (1 - np.sqrt(variance / (variance + sigma**2)))
        assert detail_loss(before, after, UNIT) == pytest.approx(expected, abs=2)


@pytest.mark.parametrize(("sigma", "most"), [(0.02, 1.5), (0.05, 4), (0.1, 10)])
def test_removing_noise_costs_little_even_where_edges_hardly_show(
    truth: np.ndarray, sigma: float, most: float
) -> None:
    assert abs(detail_loss(noisy(truth, sigma), truth, UNIT)) < most


@pytest.mark.parametrize("sigma", [0.02, 0.05, 0.1])
def test_noise_does_not_hide_blur(truth: np.ndarray, sigma: float) -> None:
    clean = detail_loss(truth, FILTERS["gaussian"](truth, UNIT, sigma=1), UNIT)
    before = noisy(truth, sigma)
    assert detail_loss(before, FILTERS["gaussian"](before, UNIT, sigma=1), UNIT) == pytest.approx(
        clean, abs=4
    )


def test_more_blur_costs_more_and_sharpening_gains(truth: np.ndarray) -> None:
    before = noisy(truth, 0.05)
    losses = [
        detail_loss(before, FILTERS["gaussian"](before, UNIT, sigma=sigma), UNIT) for sigma in (0.5, 1, 2, 4)
    ]
    assert losses == sorted(losses)
    assert 0 < losses[0] < 15
    assert losses[-1] > 75
    assert detail_loss(before, FILTERS["unsharp_mask"](before, UNIT), UNIT) < -20


def test_a_filter_that_keeps_edges_costs_less_than_one_that_does_not(truth: np.ndarray) -> None:
    before = noisy(truth, 0.05)
    bilateral = FILTERS["bilateral"](before, UNIT, contrast=15)
    gaussian = FILTERS["gaussian"](before, UNIT, sigma=0.8)
    inside = truth > 0
    assert np.std((bilateral - truth)[inside]) < np.std((gaussian - truth)[inside])
    assert detail_loss(before, bilateral, UNIT) < 0.5 * detail_loss(before, gaussian, UNIT)


def test_removing_rings_costs_nothing() -> None:
    specimen = microstructure("electrode", (256, 256), 3)
    clean = acquire(specimen, Acquisition(projections=400))
    ringed = acquire(specimen, Acquisition(projections=400, gain_error=0.03))
    assert np.std(ringed - clean) > 0.03
    assert abs(detail_loss(ringed, clean, UNIT)) < 2


@pytest.mark.parametrize("dtype", ["uint8", ">u2", "int32", "float64"])
def test_type_and_window_do_not_matter(truth: np.ndarray, dtype: str) -> None:
    before = noisy(truth, 0.05).clip(-0.2, 1.2)
    after = FILTERS["gaussian"](before, UNIT)
    expected = detail_loss(before, after, UNIT)

    def stored(plane: np.ndarray) -> np.ndarray:
        return (plane * 150 + 40).round(0 if np.dtype(dtype).kind != "f" else 9).astype(dtype)

    assert detail_loss(stored(before), stored(after), (40, 190)) == pytest.approx(expected, abs=1)


def test_the_outside_and_nan_are_not_looked_at(truth: np.ndarray) -> None:
    y, x = np.mgrid[:320, :320] - 159.5
    circle = np.hypot(y, x) < 158
    before = noisy(truth, 0.05)
    after = FILTERS["gaussian"](before, UNIT)
    losses = []
    for outside in (0.0, 5.0, np.nan):
        planes = [np.where(circle, plane, outside) for plane in (before, after)]
        for plane in planes:
            plane[100:110, 100:110] = np.nan
        losses.append(detail_loss(*planes, UNIT))
    assert losses[1:] == pytest.approx(losses[:1] * 2, abs=1e-6)
    assert losses[0] == pytest.approx(detail_loss(before, after, UNIT), abs=2)


@pytest.mark.parametrize(
    "plane",
    [
        np.zeros((300, 300)),
        np.full((300, 300), np.nan),
        np.random.default_rng(0).normal(0.5, 0.1, (300, 300)),
        np.eye(12),
        np.zeros((0, 40)),
    ],
    ids=["constant", "all NaN", "noise", "tiny", "empty"],
)
def test_no_edges_no_figure(plane: np.ndarray) -> None:
    assert np.isnan(detail_loss(plane, plane * 0.9, UNIT))


def test_two_slices_of_different_shape_are_refused() -> None:
    with pytest.raises(
        FilterError, match=r"^Detail loss compares two slices of one shape, not \(9, 9\) and "
    ):
        detail_loss(np.zeros((9, 9)), np.zeros((9, 8)), UNIT)
    with pytest.raises(VolumeError, match=r"^The intensity window 1 to 0 cannot be used: .*\.$"):
        detail_loss(np.eye(300), np.eye(300), (1, 0))
