"""The full-reference metrics against published targets (facts/full_reference_targets.csv)."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio

from napari_tiqa.learning.images.observers import LOWER_IS_BETTER, OBSERVERS, ms_ssim, mse, psnr

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
    # MDSI's fourth root lifts rounding errors to 1e-4
    assert OBSERVERS[name](ref, ref) == pytest.approx(0 if name in LOWER_IS_BETTER else 1, abs=1e-3)


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
