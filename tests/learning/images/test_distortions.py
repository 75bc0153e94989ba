"""The paper's distortions: published levels, drawn once and only scaled."""

import numpy as np
import pytest

from napari_tiqa.learning.images.distortions import DISTORTIONS, LEVELS, distorted_versions, version_names
from napari_tiqa.learning.images.groups import distortion_group
from napari_tiqa.volumes.simulation.microstructures import microstructure


@pytest.fixture(scope="module")
def original():
    return 0.1 + 0.8 * microstructure("grains", (224, 224), seed=3)


def test_sixteen_versions_start_with_the_original(original):
    versions = distorted_versions(original, seed=0)
    assert versions.shape == (16, 224, 224)
    assert versions.dtype == np.float32
    np.testing.assert_array_equal(versions[0], np.float32(original))
    assert version_names()[:2] == [(None, 0), ("blur", 1)]


@pytest.mark.parametrize("kind", DISTORTIONS)
def test_every_level_is_worse_than_the_one_before(original, kind):
    versions = distorted_versions(original, seed=0)
    start = 1 + 5 * DISTORTIONS.index(kind)
    error = [np.mean((version - original) ** 2) for version in versions[start : start + 5]]
    assert np.all(np.diff([0, *error]) > 0)


def test_noise_has_the_published_variance_and_one_field():
    grey = np.full((224, 224), 0.5, np.float32)
    versions = distorted_versions(grey, seed=1)
    first, second = versions[6] - grey, versions[7] - grey
    assert first.var() == pytest.approx(LEVELS["noise"][0], rel=0.02)
    np.testing.assert_allclose(second, first * np.sqrt(LEVELS["noise"][1] / LEVELS["noise"][0]), atol=1e-6)


def test_rings_are_multiplicative_alternating_and_concentric():
    grey = np.full((224, 224), 0.5, np.float32)
    change = (distorted_versions(grey, seed=2)[15].astype(float) / grey - 1).round(3)
    assert set(np.unique(change)) == {-0.2, 0.0, 0.2}
    # along any radius the same rings: right and left of the centre, above and below
    np.testing.assert_array_equal(change, change[::-1, ::-1])
    np.testing.assert_array_equal(change, change.T)
    outwards = change[112, 112:]
    starts = np.flatnonzero(np.diff(outwards) != 0) + 1
    runs = np.split(outwards, starts)[1:-1]
    rings = [run for run in runs if run[0] != 0]
    assert len(rings) >= 10
    assert {len(ring) for ring in rings} <= {1, 2, 3}  # 2 px wide, sampled on a grid
    assert np.all(np.diff([np.sign(ring[0]) for ring in rings]) != 0)


def test_rings_can_be_drawn_off_centre():
    grey = np.full((224, 224), 0.5, np.float32)
    change = distorted_versions(grey, seed=2, centre=(60.0, 150.0))[15] - grey
    np.testing.assert_allclose(change[60, 150 - 40 : 151], change[60, 150 : 150 + 41][::-1], atol=1e-6)
    assert not np.array_equal(change, change.T)


def test_a_group_knows_the_45_pairs_of_the_paper(original):
    group = distortion_group("grains", original, seed=0)
    better = group.better()
    assert better.sum() == 45
    assert not (better & better.T).any()
