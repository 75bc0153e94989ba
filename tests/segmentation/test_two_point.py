"""Two-point correlation: against a direct count, its limits, and slices that are known in part."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from napari_tiqa.segmentation.two_point import two_point_correlation


def direct_count(phase, axis, where=None):
    """Count pair by pair; shape (side // 2 + 1,)."""
    lines = np.moveaxis(phase, axis, -1).astype(float)
    known = np.ones(lines.shape) if where is None else np.moveaxis(where, axis, -1).astype(float)
    side = lines.shape[1]
    shares = []
    for distance in range(side // 2 + 1):
        near, far = lines[:, : side - distance], lines[:, distance:]
        both = known[:, : side - distance] * known[:, distance:]
        shares.append((near * far * both).sum() / both.sum())
    return np.array(shares)


@pytest.mark.parametrize("shape", [(40, 61), (61, 40), (5, 128)])
@pytest.mark.parametrize("axis", [0, 1])
def test_it_agrees_with_a_direct_count(shape, axis):
    phase = np.random.default_rng(0).random(shape) < 0.3
    expected = direct_count(phase, axis)
    assert_allclose(two_point_correlation(phase, axis, normalised=False), expected, atol=1e-6)
    assert_allclose(two_point_correlation(phase, axis), expected / expected[0], atol=1e-6)


def test_it_begins_at_the_share_of_the_phase_or_normalised_at_1():
    phase = np.zeros((20, 30), bool)
    phase[:5] = True
    assert two_point_correlation(phase, 1, normalised=False)[0] == pytest.approx(0.25)
    assert_allclose(two_point_correlation(phase, 1), 1)  # each row is all of it or none
    along_y = two_point_correlation(phase, 0)
    assert len(along_y) == 11
    assert_allclose(along_y[5:], 0)


def test_pairs_do_not_reach_around_the_border():
    phase = np.zeros((4, 10), bool)
    phase[:, [0, 9]] = True  # neighbours, if the slice went on at its other side
    assert two_point_correlation(phase, 1)[1] == 0


def test_stripes_come_back_at_their_period():
    phase = np.broadcast_to(np.arange(64) // 4 % 2 == 0, (64, 64))
    curve = two_point_correlation(phase, 1)
    assert curve[4] == pytest.approx(0)
    assert curve[8] > 0.9


@pytest.mark.parametrize("axis", [0, 1])
def test_only_pairs_of_known_pixels_count(axis):
    rng = np.random.default_rng(1)
    phase, where = rng.random((2, 40, 50)) < 0.6
    expected = direct_count(phase, axis, where)
    assert_allclose(two_point_correlation(phase, axis, False, where), expected, atol=1e-6)


def test_a_slice_without_the_phase_has_no_normalised_curve():
    nothing = np.zeros((16, 16), bool)
    assert np.isnan(two_point_correlation(nothing, 0)).all()
    assert_allclose(two_point_correlation(nothing, 0, normalised=False), 0)
