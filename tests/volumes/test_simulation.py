"""Simulated acquisition and microstructures: the physics of every fault, asserted."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.transform import iradon, radon, warp_polar

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.simulation.acquisition import (
    Acquisition,
    acquire,
    detect,
    filtered_back_projection,
    inscribed_circle,
    project,
)
from napari_tiqa.volumes.simulation.microstructures import KINDS, microstructure

N = 96
CLEAN = Acquisition(projections=180)


@pytest.fixture(scope="module")
def specimen():
    return microstructure("electrode", (N, N), seed=47)


def residual(specimen, **fault):
    settings = {"projections": CLEAN.projections} | fault
    return acquire(specimen, Acquisition(**settings), 5) - acquire(specimen, CLEAN)


def rms(image):
    return float(np.sqrt(np.mean(image[inscribed_circle(len(image))] ** 2)))


def in_polar(image):
    """Angle down, radius across, without the rim."""
    centre = (len(image) - 1) / 2
    return warp_polar(image, center=(centre, centre), radius=centre - 2, order=1)


def test_projection_and_reconstruction_agree_with_scikit_image():
    n = 95  # odd: both then turn about the same point
    plane = microstructure("rock", (n, n), seed=1) * inscribed_circle(n)
    half_turn = Acquisition(projections=60, arc=180)
    degrees = np.linspace(0, 180, 60, endpoint=False)
    sinogram = project(plane, half_turn)
    np.testing.assert_allclose(sinogram.T, radon(plane, degrees), atol=2e-3)
    ours = filtered_back_projection(sinogram, 180)
    theirs = iradon(sinogram.T, degrees, filter_name="ramp")
    inside = inscribed_circle(n)
    np.testing.assert_allclose(ours[inside], theirs[inside], atol=2e-3)


@pytest.mark.parametrize("arc", [180, 360])
@pytest.mark.parametrize("projections", [179, 180])
def test_a_scan_without_faults_gives_back_the_slice(specimen, arc, projections):
    plane = gaussian_filter(specimen, 1.0)
    reconstruction = acquire(plane, Acquisition(projections=projections, arc=arc))
    inside = inscribed_circle(N)
    assert reconstruction.dtype == np.float32
    assert reconstruction.shape == plane.shape
    assert rms(reconstruction - plane) < 0.025
    assert reconstruction[inside].mean() == pytest.approx(plane[inside].mean(), abs=0.003)
    assert not reconstruction[~inside].any()


def test_four_slices_at_once_are_the_same_as_one_by_one():
    slices = np.stack([microstructure("foam", (64, 64), seed) for seed in range(4)], axis=-1)
    together = filtered_back_projection(project(slices, CLEAN))
    for channel in range(4):
        alone = filtered_back_projection(project(slices[..., channel], CLEAN))
        np.testing.assert_allclose(together[..., channel], alone, atol=1e-4)


def test_gain_errors_make_full_rings_about_the_rotation_axis(specimen):
    rings = in_polar(residual(specimen, gain_error=0.01, projections=2 * CLEAN.projections))
    along_rings = np.broadcast_to(rings.mean(axis=0), rings.shape)
    # one that is not concentric keeps next to nothing: the same faults' photon noise
    noise = in_polar(residual(specimen, photons=3000))
    kept_of_noise = np.mean(noise.mean(axis=0) ** 2) / np.mean(noise**2)
    assert np.mean(along_rings**2) > 0.7 * np.mean(rings**2)
    assert kept_of_noise < 0.1


def test_a_half_turn_draws_half_rings(specimen):
    def likeness_to_itself_turned(**scan):
        settings = {"projections": 360} | scan
        clean = Acquisition(projections=360, arc=scan["arc"])
        error = acquire(specimen, Acquisition(gain_error=0.01, **settings), 5) - acquire(specimen, clean)
        return np.corrcoef(error.ravel(), error[::-1, ::-1].ravel())[0, 1]

    assert likeness_to_itself_turned(arc=360) > 0.9
    assert abs(likeness_to_itself_turned(arc=180)) < 0.3


def test_a_change_of_gain_half_way_makes_rings_in_one_half():
    """With one drifting element the error is an arc in half of the directions, not in the others."""
    n, angles, radius = 95, 360, 20
    sinogram = np.zeros((angles, n), np.float32)
    sinogram[angles // 2 :, n // 2 + radius] = 1  # what a drift of that element leaves after the logarithm
    rings = in_polar(filtered_back_projection(sinogram))
    on_ring = np.abs(rings[:, radius])
    halves = sorted([on_ring[:180].mean(), on_ring[180:].mean()])
    assert halves[1] > 5 * halves[0]


def test_gain_drift_spares_the_first_half_of_the_scan(specimen):
    line_integrals = project(specimen, CLEAN)
    drifted = detect(line_integrals, Acquisition(projections=180, gain_drift=0.02), 5)
    change = drifted - line_integrals
    np.testing.assert_allclose(change[:90], 0, atol=1e-3)
    assert np.abs(change[90:]).max() > 0.5
    np.testing.assert_allclose(change[90:], np.broadcast_to(change[90], change[90:].shape), atol=1e-3)


def test_photon_counts_follow_poisson():
    flat = np.full((400, 300), 50.0, np.float32)
    acquisition = Acquisition(projections=400, photons=60, optical_depth=6.0)  # exp(-1) transmitted
    rate = 60 * np.exp(-1)
    counts = 60 * np.exp(-detect(flat, acquisition, 1) * 6.0 / 300)
    np.testing.assert_allclose(counts, np.rint(counts), atol=0.01)
    assert counts.mean() == pytest.approx(rate, rel=0.01)
    assert counts.var() == pytest.approx(rate, rel=0.03)
    skewness = np.mean((counts - counts.mean()) ** 3) / counts.std() ** 3
    assert skewness == pytest.approx(1 / np.sqrt(rate), rel=0.1)


def test_noise_variance_goes_as_one_over_the_photons(specimen):
    weak, strong = (residual(specimen, photons=photons) for photons in (40_000, 10_000))
    assert (rms(strong) / rms(weak)) ** 2 == pytest.approx(4, rel=0.1)


def test_no_photons_behind_dense_material_is_survived(specimen):
    starved = acquire(specimen, Acquisition(projections=90, photons=1, optical_depth=20), 1)
    assert np.isfinite(starved).all()


def test_detector_blur_is_blur_of_the_slice(specimen):
    sigma = 1.5
    thin = Acquisition(projections=180, optical_depth=0.05)  # next to no absorption: blur is linear
    blurred = acquire(specimen, Acquisition(projections=180, optical_depth=0.05, blur=sigma))
    expected = gaussian_filter(acquire(specimen, thin), sigma)
    middle = np.s_[N // 4 : -N // 4, N // 4 : -N // 4]  # the rim's edge is blurred differently
    assert np.abs(blurred - expected)[middle].max() < 0.02
    assert np.abs(specimen - expected)[middle].max() > 0.2


def test_an_offset_axis_turns_a_point_into_a_ring():
    n, offset = 95, 6
    point = np.zeros((n, n), np.float32)
    point[n // 2, n // 2] = 1
    reconstruction = acquire(gaussian_filter(point, 1), Acquisition(projections=360, axis_offset=offset))
    profile = in_polar(reconstruction).mean(axis=0)
    assert abs(int(np.argmax(profile)) - offset) <= 1


@pytest.mark.parametrize(
    ("fault", "rising"),
    [
        ("gain_error", (0.001, 0.004, 0.016, 0.06)),
        ("gain_drift", (0.001, 0.004, 0.016, 0.06)),
        ("photons", (50_000, 5_000, 500, 50)),
        ("blur", (0.5, 1, 2, 4)),
        ("projections", (120, 60, 30, 15)),
        ("axis_offset", (0.5, 1, 2, 4)),
    ],
)
def test_quality_falls_with_every_fault(specimen, fault, rising):
    errors = [rms(residual(specimen, **{fault: value})) for value in rising]
    assert errors == sorted(errors)
    assert errors[-1] > 2 * errors[0]


@pytest.mark.parametrize("strengths", [("gain_error", 0.002, 0.004), ("photons", 4e4, 1e4)])
def test_one_seed_is_one_field_whose_strength_is_scaled(specimen, strengths):
    fault, weak, strong = strengths
    first, second = (residual(specimen, **{fault: value}) for value in (weak, strong))
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.99
    assert rms(second) / rms(first) == pytest.approx(2, rel=0.05)


def test_gain_errors_do_not_change_the_photon_noise(specimen):
    line_integrals = project(specimen, CLEAN)
    noisy = detect(line_integrals, Acquisition(photons=5000), 3)
    both = detect(line_integrals, Acquisition(photons=5000, gain_error=0.05), 3)
    difference = both - noisy  # nothing but one gain per detector element
    np.testing.assert_allclose(difference, np.broadcast_to(difference[0], difference.shape), atol=1e-2)


def test_a_seed_repeats_and_a_generator_moves_on(specimen):
    noisy = Acquisition(projections=60, photons=1000)
    rng = np.random.default_rng(3)
    first, moved_on = acquire(specimen, noisy, rng), acquire(specimen, noisy, rng)
    np.testing.assert_array_equal(acquire(specimen, noisy, 3), first)
    assert not np.array_equal(first, moved_on)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("projections", 1),
        ("projections", 10.5),
        ("arc", 90),
        ("photons", 0),
        ("photons", np.nan),
        ("gain_error", -0.1),
        ("gain_error", 2.0),
        ("gain_drift", np.nan),
        ("blur", -1),
        ("axis_offset", np.inf),
        ("optical_depth", 0),
    ],
)
def test_impossible_settings_are_refused_by_name(setting, value):
    with pytest.raises(VolumeError, match=setting):
        Acquisition(**{setting: value})


@pytest.mark.parametrize("shape", [(32, 40), (4, 4), (32,), (32, 32, 5)])
def test_only_square_slices_are_scanned(shape):
    with pytest.raises(VolumeError, match="slice"):
        acquire(np.zeros(shape, np.float32), Acquisition())


@pytest.mark.parametrize("kind", KINDS)
def test_microstructures_are_seeded_attenuation_with_texture(kind):
    plane = microstructure(kind, (80, 96), seed=1)
    assert plane.shape == (80, 96)
    assert plane.dtype == np.float32
    assert plane.min() >= 0
    assert plane.max() <= 1
    np.testing.assert_array_equal(plane, microstructure(kind, (80, 96), seed=1))
    assert np.abs(plane - microstructure(kind, (80, 96), seed=2)).mean() > 0.01
    matter = plane[plane > 0.15]
    assert len(matter) > 0.03 * plane.size
    assert len(np.unique(matter)) > 0.5 * len(matter)  # no phase is one flat grey


@pytest.mark.parametrize("kind", KINDS)
def test_neighbouring_slices_show_the_same_material(kind):
    volume = microstructure(kind, (24, 64, 64), seed=3)
    assert volume.shape == (24, 64, 64)

    def likeness(first, second):
        return np.corrcoef(volume[first].ravel(), volume[second].ravel())[0, 1]

    assert likeness(10, 11) > 0.5
    assert likeness(10, 11) > likeness(2, 22)


@pytest.mark.parametrize("kind", ["wound cell", "tubes", "growth rings"])
def test_concentric_microstructures_go_round_the_middle(kind):
    def shared_all_round(kind, seed):
        polar = warp_polar(microstructure(kind, (160, 160), seed), radius=60)
        steps = np.diff(polar, axis=1)[:, 20:]
        return steps.mean(0).var() / steps.var()

    seeds = range(8)  # half of them are off the middle by some pixels
    centred = np.median(np.sort([shared_all_round(kind, seed) for seed in seeds])[4:])
    assert centred > 4 * np.median([shared_all_round("fibres", seed) for seed in seeds])


def test_wide_volumes_have_no_seams():
    """Cells repeat periodically beyond 128 voxels; where the tiles meet nothing may show."""
    volume = microstructure("foam", (2, 160, 160), seed=4)[0]
    steps = np.abs(np.diff(volume, axis=1)).mean(axis=0)
    assert steps[127] < steps.mean() + 4 * steps.std()


@pytest.mark.parametrize(("kind", "shape"), [("cheese", (64, 64)), ("foam", (64,)), ("foam", (8, 8))])
def test_unknown_microstructures_are_refused(kind, shape):
    with pytest.raises(VolumeError, match="microstructure"):
        microstructure(kind, shape, seed=0)
