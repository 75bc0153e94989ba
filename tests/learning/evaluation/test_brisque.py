"""BRISQUE: worse for worse photographs, as its authors' regressor on photographs should be."""

import numpy as np
import pytest
import skimage.data
from scipy.ndimage import gaussian_filter

from napari_tiqa.learning.evaluation.brisque import brisque, brisque_features, half_size


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    return skimage.data.camera().astype(float)


def test_a_photograph_is_good_and_gets_worse(photograph: np.ndarray) -> None:
    blurred = [brisque(gaussian_filter(photograph, sigma)) for sigma in (0, 0.7, 1.5, 4)]
    assert blurred == sorted(blurred)
    noise = np.random.default_rng(0).normal(0, 1, photograph.shape)
    noisy = [brisque(np.clip(photograph + sd * noise, 0, 255)) for sd in (0, 5, 15, 50)]
    assert noisy == sorted(noisy)
    assert noisy[0] < 15
    assert max(blurred[-1], noisy[-1]) > 80


def test_values_are_those_of_the_brisque_package(photograph: np.ndarray) -> None:
    # By `tools/convert_brisque.py WHEEL --check`: features of brisque 0.2.0, predicted by libsvm. It fits the
    # luminance by another generalised Gaussian and crops where the authors roll, hence the tolerance.
    packages = {0.7: 16.0, 1.5: 59.2}
    ours = {sigma: brisque(gaussian_filter(photograph, sigma)) for sigma in packages}
    assert ours == pytest.approx(packages, abs=1)


def test_features_tell_noise_from_a_photograph(photograph: np.ndarray) -> None:
    noise = np.random.default_rng(0).normal(128, 30, (256, 256))
    features, natural = brisque_features(noise), brisque_features(photograph)
    assert features.shape == natural.shape == (36,)
    assert natural[0] < 2 < features[0]  # edges give heavier tails than a Gaussian's, whose shape is 2
    # Neighbours have more in common in a photograph than in white noise.
    assert (natural[[3, 7, 11, 15]] > features[[3, 7, 11, 15]]).all()


def test_half_size_keeps_places_and_grey_values() -> None:
    ramp = np.tile(np.arange(40.0), (40, 1))
    assert half_size(ramp)[10, 4:16] == pytest.approx(np.arange(8.5, 32, 2))
    checkers = np.indices((40, 40)).sum(0) % 2 * 200.0
    assert half_size(checkers)[4:-4, 4:-4] == pytest.approx(100)  # not aliased to black or white


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_an_image_without_texture_is_rated_bad(grey: int) -> None:
    assert 60 < brisque(np.full((224, 224), grey)) < 150
