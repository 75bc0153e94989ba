"""Ring removal: what goes, what stays, where the centre is found, and what is refused."""

import numpy as np
import pytest
import tifffile

from napari_tiqa.errors import FilterError
from napari_tiqa.filtering.catalogue import FILTERS
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.filtering.polar import polar_grid
from napari_tiqa.filtering.ring_centre import find_ring_centre
from napari_tiqa.filtering.ring_profile import Slopes
from napari_tiqa.filtering.ring_removal import are_whole, half_turn, ring_removal
from napari_tiqa.filtering.settled import settled
from napari_tiqa.filtering.wavelet_fourier import wavelet_fourier
from napari_tiqa.learning.images.observers import ssim
from napari_tiqa.scoring.native_tiles import content
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.simulation.acquisition import Acquisition, acquire, inscribed_circle
from napari_tiqa.volumes.simulation.microstructures import microstructure
from napari_tiqa.volumes.window import IntensityWindow
from tests.places import DATA

N = 192
WINDOW = IntensityWindow(0.0, 1.0, rule="given")


def scan(kind, arc, gain_error):
    settings = {"projections": 300, "arc": arc, "blur": 0.4, "photons": 50_000}
    return acquire(microstructure(kind, (N, N), 5), Acquisition(**settings, gain_error=gain_error), 3)


@pytest.fixture(scope="module", params=[("powder", 360), ("powder", 180), ("electrode", 360)])
def pair(request):
    return scan(*request.param, 0), scan(*request.param, 0.01)


@pytest.fixture(scope="module")
def clean():
    return scan("powder", 360, 0)


def with_rings(plane, centre, half=None):
    """Fine rings of random radii and strengths about a centre (y, x); on one side of an angle where given."""
    y, x = (
        side - middle for side, middle in zip(np.ogrid[: len(plane), : plane.shape[1]], centre, strict=True)
    )
    radius, rng = np.hypot(y, x), np.random.default_rng(1)
    rings = sum(
        0.15 * rng.standard_normal() * np.exp(-0.5 * ((radius - r) / 0.7) ** 2)
        for r in np.cumsum(rng.uniform(6, 14, 25))
    )
    if half is not None:
        rings = rings * (y * np.cos(half) >= x * np.sin(half))
    return (plane + rings).astype(np.float32)


def removed(clean, ringed, filtered):
    return 1 - np.square(filtered - clean).sum() / np.square(ringed - clean).sum()


def test_most_of_what_gain_errors_add_is_removed_with_default_parameters(pair):
    clean, ringed = pair
    assert removed(clean, ringed, ring_removal(ringed, WINDOW)) >= 0.6


def test_a_clean_slice_stays_as_it_is(pair):
    clean, _ = pair
    before, after = (np.clip(plane, 0, 1) * 255 for plane in (clean, ring_removal(clean, WINDOW)))
    assert ssim(before, after) >= 0.99


def test_only_the_share_that_is_asked_for_is_subtracted(pair):
    _, ringed = pair
    whole, half, none = (ring_removal(ringed, WINDOW, strength=strength) for strength in (100, 50, 0))
    np.testing.assert_array_equal(none, ringed)
    np.testing.assert_allclose(ringed - half, (ringed - whole) / 2, atol=1e-5)


@pytest.mark.parametrize("angle", [0.0, 0.6, 2.2])
def test_half_rings_are_told_from_whole_ones_and_their_axis_is_found(clean, angle):
    middle = (N - 1) / 2, (N - 1) / 2
    grid, inside = polar_grid(clean.shape, 0, 0), inscribed_circle(N)
    whole = half_turn(Slopes.of(with_rings(clean, middle), inside, grid))
    slopes = Slopes.of(with_rings(clean, middle, half=angle), inside, grid)
    first, agreement = half_turn(slopes)
    assert are_whole(whole[1])
    assert not are_whole(agreement)
    found = first / slopes.values.shape[1] * 2 * np.pi
    assert abs(np.angle(np.exp(2j * (found - angle)))) / 2 < np.radians(6)


def test_half_rings_are_not_spread_to_the_other_half(clean):
    middle = (N - 1) / 2, (N - 1) / 2
    ringed = with_rings(clean, middle, half=0.6)
    assert removed(clean, ringed, ring_removal(ringed, WINDOW)) >= 0.6
    as_full = removed(clean, ringed, ring_removal(ringed, WINDOW, arc="full"))
    assert as_full < 0.5


def test_a_tube_about_the_axis_is_kept():
    y, x = np.mgrid[:N, :N] - (N - 1) / 2
    rng = np.random.default_rng(0)
    tube = np.where(np.abs(np.hypot(y, x) - 60) < 8, 0.8, 0.2) + rng.normal(0, 0.02, (N, N))
    changed = np.abs(ring_removal(tube, WINDOW, centre_y=0, centre_x=0) - tube)
    assert changed.max() < 0.1 * 0.6


def test_a_thin_wall_about_the_axis_is_kept_beside_rings():
    y, x = np.mgrid[:N, :N] - (N - 1) / 2
    radius, rng = np.hypot(y, x), np.random.default_rng(2)
    wall = np.clip(2.5 - np.abs(radius - 75), 0, 1)
    plane = (0.2 + 0.6 * wall + rng.normal(0, 0.01, (N, N))).astype(np.float32)
    rings = sum(0.04 * np.exp(-0.5 * ((radius - at) / 0.7) ** 2) for at in range(12, 66, 6))
    kept, cleaned = (ring_removal(image, WINDOW, centre_y=0, centre_x=0) for image in (plane, plane + rings))
    assert np.abs(kept - plane)[wall > 0].max() < 0.1 * 0.6
    within = radius < 68
    assert removed(plane[within], (plane + rings)[within], cleaned[within]) > 0.6


@pytest.mark.parametrize("kind", ["wound cell", "tubes", "growth rings"])
def test_specimens_that_go_round_the_axis_stay_as_they_are(kind):
    likeness = []
    for seed in range(4):
        plane = microstructure(kind, (320, 320), seed)
        plane += np.random.default_rng(seed).normal(0, 0.01, plane.shape).astype(np.float32)
        filtered = ring_removal(plane, WINDOW)
        likeness.append(ssim(*(np.clip(image, 0, 1) * 255 for image in (plane, filtered))))
    assert np.mean(likeness) >= 0.99


@pytest.mark.skipif(not DATA.exists(), reason="needs the real slices in ../shared/data")
@pytest.mark.parametrize("name", ["jellyroll_z060-099.tif", "winding_im_1.tif"])
def test_a_real_wound_cell_stays_as_it_is(name):
    stored = tifffile.imread(DATA / "li_ion_cylindrical_cell" / name)
    plane = (stored if stored.ndim == 2 else stored[20]).astype(np.float32)
    low, high = np.percentile(plane, (0.5, 99.5))
    plane = np.clip((plane - low) / (high - low), 0, 1)
    assert ssim(plane * 255, np.clip(ring_removal(plane, WINDOW), 0, 1) * 255) >= 0.99


def test_an_arc_that_does_not_go_round_is_kept():
    y, x = np.mgrid[:N, :N] - (N - 1) / 2
    arc = (np.abs(np.hypot(y, x) - 60) < 1.5) & (np.abs(np.arctan2(y, x)) < 0.5)
    plane = 0.3 + 0.4 * arc + np.random.default_rng(0).normal(0, 0.02, (N, N))
    changed = np.abs(ring_removal(plane, WINDOW, centre_y=0, centre_x=0) - plane)
    assert changed[arc].mean() < 0.02 * 0.4


def test_wider_rings_need_a_wider_ring_width():
    y, x = np.mgrid[:N, :N] - (N - 1) / 2
    plane = 0.3 + np.random.default_rng(0).normal(0, 0.02, (N, N))
    ringed = plane + 0.1 * (np.abs(np.hypot(y, x) - 50) < 4.5)
    narrow, wide = (
        ring_removal(ringed, WINDOW, ring_width=width, centre_y=0, centre_x=0) for width in (3, 12)
    )
    assert removed(plane, ringed, narrow) < 0.1
    assert removed(plane, ringed, wide) > 0.9


@pytest.mark.parametrize(("shape", "centre"), [((160, 200), (70.3, 120.0)), ((200, 140), (30.0, 35.6))])
def test_rings_about_another_centre_are_found_and_removed(shape, centre):
    plane = microstructure("rock", (200, 200), 4)[: shape[0], : shape[1]]
    ringed = with_rings(plane, centre)
    y, x = find_ring_centre(ringed)
    middle = (shape[0] - 1) / 2, (shape[1] - 1) / 2
    assert (middle[0] + y, middle[1] + x) == pytest.approx(centre, abs=0.4)
    assert removed(plane, ringed, ring_removal(ringed, WINDOW)) > 0.6


def test_whole_rings_stay_whole_where_the_centre_is_near_the_border():
    plane = microstructure("rock", (N, N), 4)
    y, x = 12.0, 20.0
    ringed = with_rings(plane, (y, x))
    grid, inside = polar_grid(plane.shape, y - (N - 1) / 2, x - (N - 1) / 2), np.ones(plane.shape, bool)
    assert are_whole(half_turn(Slopes.of(ringed, inside, grid))[1])
    filtered = ring_removal(ringed, WINDOW, centre_y=y - (N - 1) / 2, centre_x=x - (N - 1) / 2)
    assert removed(plane, ringed, filtered) > 0.45


def test_without_rings_the_centre_is_the_middle(clean):
    assert find_ring_centre(clean, inscribed_circle(N)) == (0, 0)
    assert find_ring_centre(np.zeros((64, 80), np.float32)) == (0, 0)
    assert find_ring_centre(np.random.default_rng(0).random((20, 20), np.float32)) == (0, 0)


def test_a_margin_of_nan_stays_and_does_not_matter(pair):
    clean, ringed = pair
    margin = np.where(inscribed_circle(N), ringed, np.nan)
    filtered = ring_removal(margin, WINDOW)
    np.testing.assert_array_equal(np.isnan(filtered), np.isnan(margin))
    inside = inscribed_circle(N)
    assert removed(clean[inside], ringed[inside], filtered[inside]) >= 0.6


@pytest.mark.parametrize("name", ["ring_removal", "wavelet_fourier"])
def test_integers_are_filtered_as_floats_are(pair, name):
    _, ringed = pair
    stored = np.rint((ringed + 1) * 20_000).astype(np.uint16)
    window = IntensityWindow(20_000.0, 40_000.0, rule="given")
    filtered = FILTERS[name](stored, window, centre_y=0, centre_x=0)
    assert filtered.dtype == np.uint16
    expected = FILTERS[name](ringed, WINDOW, centre_y=0, centre_x=0)
    np.testing.assert_allclose(filtered / 20_000 - 1, expected, atol=2e-3)


def test_the_wavelet_fourier_filter_removes_rings_and_keeps_what_varies_along_them(clean):
    middle = (N - 1) / 2, (N - 1) / 2
    ringed = with_rings(clean, middle)
    filtered = wavelet_fourier(ringed, WINDOW, centre_y=0, centre_x=0)
    assert removed(clean, ringed, filtered) > 0.3
    y, x = np.mgrid[:N, :N] - (N - 1) / 2
    spokes = (0.5 + 0.3 * np.sin(12 * np.arctan2(y, x)) * np.sin(np.hypot(y, x))).astype(np.float32)
    changed = wavelet_fourier(spokes, WINDOW, centre_y=0, centre_x=0) - spokes
    # Close to the centre a wave of 12 along the circle is finer than a pixel.
    assert np.abs(changed[(np.hypot(y, x) > 20) & inscribed_circle(N)]).max() < 0.05


def test_the_polar_grid_brings_a_polar_image_to_where_it_came_from():
    grid = polar_grid((60, 80), 5.0, -7.0)
    y, x = np.ogrid[:60, :80]
    turn = np.arctan2(y - 34.5, x - 32.5)
    plane = (np.hypot(y - 34.5, x - 32.5) / 50 + np.cos(turn)).astype(np.float32)
    drawn = grid.draw(grid.sample(plane))
    away = np.hypot(y - 34.5, x - 32.5) > 3  # the angle jumps at the centre
    np.testing.assert_allclose(drawn[away], plane[away], atol=0.02)


@pytest.mark.parametrize("name", ["ring_removal", "wavelet_fourier"])
def test_a_centre_outside_the_slice_is_refused(name):
    with pytest.raises(FilterError, match=r"centre \(offset 0, 100 px\) lies outside the slice of 64 x 64"):
        FILTERS[name](np.random.default_rng(0).random((64, 64)), WINDOW, centre_y=0, centre_x=100)


@pytest.mark.parametrize(("name", "side"), [("ring_removal", 16), ("wavelet_fourier", 24)])
def test_a_slice_too_small_is_refused_and_the_smallest_is_not(name, side):
    rng = np.random.default_rng(0)
    with pytest.raises(FilterError, match=f"{side} x {side} px is too small"):
        FILTERS[name](rng.random((side, side)), WINDOW)
    assert np.isfinite(FILTERS[name](rng.random((48, 48)), WINDOW)).all()


def test_settling_finds_one_centre_for_all_steps_that_lack_it():
    centre = 90.0, 80.0
    plane = with_rings(microstructure("rock", (N, N), 4), centre)
    volume = as_volume(np.stack([np.zeros_like(plane), plane], axis=1)).tomogram()
    pipeline = Pipeline([Step("ring_removal", {"centre_y": 1.0}), Step("gaussian"), Step("wavelet_fourier")])
    ready = settled(pipeline, volume, WINDOW, 1, axis=1)
    first, gaussian, last = (step.parameters for step in ready.steps)
    assert first["centre_y"] == 1.0
    assert first["centre_x"] == last["centre_x"] == pytest.approx(80 - 95.5, abs=0.4)
    assert last["centre_y"] == pytest.approx(90 - 95.5, abs=0.4)
    assert gaussian == pipeline.steps[1].parameters
    assert settled(ready, volume, WINDOW, 99) is ready  # nothing left to find: no slice is read


@pytest.mark.skipif(not DATA.exists(), reason="needs the real slices in ../shared/data")
def test_the_rings_of_a_real_scan_over_180_degrees_become_fainter():
    plane = tifffile.imread(DATA / "rings_aps2bm" / "tomo_00076_soft_tissue_whitebeam.tif")
    filtered = ring_removal(plane, ring_width=12)
    assert filtered.dtype == plane.dtype
    grid, inside = polar_grid(plane.shape, 0, 0), content(plane)
    slopes = Slopes.of(plane.astype(np.float32), inside, grid)
    first, agreement = half_turn(slopes)
    assert not are_whole(agreement)
    after = Slopes.of(filtered.astype(np.float32), inside, grid)
    for half, half_after in zip(slopes.halves(first), after.halves(first), strict=True):
        assert np.square(half_after.medians(1)[0]).sum() < 0.75 * np.square(half.medians(1)[0]).sum()
