"""The full-reference metrics against published targets (facts/full_reference_targets.csv)."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, prewitt
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from napari_tiqa.learning.images.observers import (
    LOWER_IS_BETTER,
    OBSERVERS,
    compare,
    gmsd,
    mdsi,
    ms_ssim,
    mse,
    psnr,
    ssim,
)

# Computed with piq 0.8.0 in float64 on the images below.
TARGETS = {
    "ring": {"ssim": 0.952851, "ms_ssim": 0.983477, "fsim": 0.975774, "gmsd": 0.056758, "mdsi": 0.266140},
    "blur": {"ssim": 0.910891, "ms_ssim": 0.980356, "fsim": 0.941624, "gmsd": 0.047358, "mdsi": 0.327837},
    "noise": {"ssim": 0.519449, "ms_ssim": 0.943560, "fsim": 0.782528, "gmsd": 0.058538, "mdsi": 0.379537},
}
TOLERANCE = {"ssim": 1e-5, "gmsd": 1e-5, "mdsi": 1e-5, "ms_ssim": 1e-4, "fsim": 1e-4}


def _images():
    yy, xx = np.mgrid[0:224, 0:224]
    ref = 127.5 + 60 * np.sin(xx / 7) * np.cos(yy / 11) + 40 * np.sign(np.sin((xx + 2 * yy) / 23))
    ref = np.clip(np.rint(ref), 0, 255)
    radius = np.hypot(yy - 111.5, xx - 111.5)
    rings = sum(
        a * np.exp(-0.5 * ((radius - r) / 1.5) ** 2) for r, a in [(20, 20), (45, -25), (80, 15), (100, -20)]
    )
    noise = np.random.default_rng(0).normal(0, 15, ref.shape)
    distorted = {"ring": ref + rings, "blur": gaussian_filter(ref, 2.0, mode="nearest"), "noise": ref + noise}
    return ref, {kind: np.clip(np.rint(image), 0, 255) for kind, image in distorted.items()}


def test_the_images_are_those_of_the_targets():
    ref, distorted = _images()
    sums = [int(ref.sum()), *(int(distorted[kind].sum()) for kind in ("ring", "blur", "noise"))]
    assert sums == [6406665, 6370665, 6406706, 6407170]


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("name", TOLERANCE)
def test_metric_matches_its_published_value(kind, name):
    ref, distorted = _images()
    assert OBSERVERS[name](ref, distorted[kind]) == pytest.approx(TARGETS[kind][name], abs=TOLERANCE[name])


@pytest.mark.parametrize("name", TOLERANCE)
def test_an_image_is_perfect_against_itself(name):
    ref, _ = _images()
    assert OBSERVERS[name](ref, ref) == pytest.approx(0 if name in LOWER_IS_BETTER else 1, abs=1e-6)


@pytest.mark.parametrize("kind", TARGETS)
def test_error_and_peak_ratio_are_scikit_images(kind):
    ref, distorted = _images()
    assert mse(ref, distorted[kind]) == pytest.approx(mean_squared_error(ref, distorted[kind]))
    expected = peak_signal_noise_ratio(ref, distorted[kind], data_range=255)
    assert psnr(ref, distorted[kind]) == pytest.approx(expected)


def test_peak_ratio_ends_at_what_rounding_leaves():
    ref, _ = _images()
    assert mse(ref, ref) == 0
    assert psnr(ref, ref) == pytest.approx(58.92, abs=0.01)
    assert psnr(ref, ref + 0.1) == psnr(ref, ref)


def test_ms_ssim_refuses_images_smaller_than_its_fifth_scale():
    with pytest.raises(ValueError, match="176"):
        ms_ssim(np.zeros((100, 224)), np.zeros((100, 224)))


def test_a_batch_has_the_values_of_single_pairs():
    ref, distorted = _images()
    images = np.array([ref, *distorted.values()], np.uint8)
    single = [[metric(ref, image) for metric in OBSERVERS.values()] for image in images]
    np.testing.assert_array_equal(compare(ref.astype(np.uint8), images, list(OBSERVERS)), single)
    assert compare(ref, [], ["ssim", "mse"]).shape == (0, 2)


def _large():
    ref = np.clip(gaussian_filter(np.random.default_rng(1).normal(size=(501, 400)), 3) * 200 + 120, 0, 255)
    return ref, [gaussian_filter(ref, sigma) for sigma in (1, 2, 4)]


@pytest.mark.parametrize("name", OBSERVERS)
def test_a_large_image_loses_with_each_level_of_blur(name):
    ref, levels = _large()
    values = compare(ref, [ref, *levels], [name])[:, 0]
    assert np.all(np.diff(values if name in LOWER_IS_BETTER else -values) > 0)


def test_structural_similarity_is_scikit_images_at_any_size_and_brightness():
    ref, levels = _large()
    for brightness in (0, 100):
        x, y = ref / 2 + brightness, levels[1] / 2 + brightness
        settings = {"gaussian_weights": True, "use_sample_covariance": False, "data_range": 255}
        assert ssim(x, y) == pytest.approx(structural_similarity(x, y, **settings), abs=1e-5)


@pytest.mark.parametrize("name", ["fsim", "mdsi"])
def test_large_images_are_seen_at_half_their_size(name):
    ref, levels = _large()
    halves = [image[:500].reshape(250, 2, 200, 2).mean((1, 3)) for image in (ref, levels[1])]
    assert OBSERVERS[name](ref, levels[1]) == pytest.approx(OBSERVERS[name](*halves), abs=1e-5)


def test_gradients_are_those_of_the_definition_at_odd_sizes():
    ref, levels = _large()
    lengths = []
    for image in (ref[:, :399], levels[0][:, :399]):
        half = image[:500, :398].reshape(250, 2, 199, 2).mean((1, 3))
        lengths.append(np.hypot(*(prewitt(half, axis, mode="constant") / 3 for axis in (0, 1))))
    first, second = lengths
    similarity = (2 * first * second + 170) / (first**2 + second**2 + 170)
    assert gmsd(ref[:, :399], levels[0][:, :399]) == pytest.approx(similarity.std(), abs=1e-5)


def test_a_lost_edge_has_a_complex_fourth_root():
    # All that is left of a hard edge is nothing: MDSI's combined similarity is negative there.
    edge = np.where(np.arange(224) // 16 % 2, 255.0, 0) * np.ones((224, 1))
    # The value that complex arithmetic in float64 gives.
    assert mdsi(edge, np.zeros_like(edge)) == pytest.approx(0.625522, abs=1e-5)
