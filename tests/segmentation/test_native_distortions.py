"""Distortions at a slice's own resolution: what the score sees of them has the published level."""

import numpy as np
import pytest

from napari_tiqa.learning.images.distortions import LEVELS, Fields, distort
from napari_tiqa.scoring.network_input import area_mean
from napari_tiqa.segmentation.native_distortions import (
    ORIGINAL,
    VERSIONS,
    native_fields,
    native_version,
)
from napari_tiqa.volumes.window import IntensityWindow

UNIT = IntensityWindow(0, 1, "given")


def seen(image):
    """What the score sees of a slice as a whole, before it is clipped."""
    return area_mean(image.astype(np.float32))


@pytest.mark.parametrize("side", [224, 256, 300, 448, 1000])
def test_noise_that_the_score_sees_has_the_published_variance_at_any_size(side):
    grey = np.full((side, side), 0.5, np.float32)
    fields = native_fields((side, side), seed=0)
    for level in (1, 5):
        noise = seen(native_version(grey, "noise", level, fields)) - 0.5
        assert noise.var() == pytest.approx(LEVELS["noise"][level - 1], rel=0.03)


def test_rings_that_the_score_sees_are_those_of_224_px():
    grey = np.full((672, 672), 0.5, np.float32)
    fields = native_fields((672, 672), seed=3)
    change = seen(native_version(grey, "ring", 5, fields)) / 0.5 - 1
    assert change.max() == pytest.approx(0.2, abs=0.001)
    assert change.min() == pytest.approx(-0.2, abs=0.001)
    outwards = change[112, 112:]
    # 2 px wide: one at least is whole, the two beside it may be cut; neighbours differ in sign
    signs = np.sign(outwards.round(2))
    rings = np.split(signs, np.flatnonzero(np.diff(signs)) + 1)[1:-1]
    widths = [len(ring) for ring in rings if ring[0] != 0]
    assert len(widths) >= 10
    assert set(widths) <= {2, 3}


def test_blur_that_the_score_sees_is_that_of_224_px():
    edge = np.zeros((896, 896), np.float32)
    edge[:, 448:] = 1
    small = np.zeros((224, 224), np.float32)
    small[:, 112:] = 1
    blurred = seen(native_version(edge, "blur", 3, native_fields(edge.shape, seed=0)))
    published = distort(small, "blur", LEVELS["blur"][2], Fields.draw(small.shape, 0))
    np.testing.assert_allclose(blurred, published, atol=0.01)


def test_a_slice_of_224_px_gets_what_the_training_images_get():
    image = np.random.default_rng(0).random((224, 224), np.float32)
    fields = Fields.draw(image.shape, 5)
    for kind, level in VERSIONS:
        version = native_version(image, kind, level, native_fields(image.shape, 5))
        if kind == ORIGINAL:
            np.testing.assert_array_equal(version, image)
        else:
            published = distort(image, kind, LEVELS[kind][level - 1], fields)
            np.testing.assert_array_equal(np.clip(version, 0, 1), published)


def test_a_slice_under_224_px_gets_the_levels_as_they_are():
    grey = np.full((100, 160), 0.5, np.float32)
    fields = native_fields(grey.shape, seed=0)
    assert fields.scale == 1
    assert native_version(grey, "noise", 2, fields).var() == pytest.approx(LEVELS["noise"][1], rel=0.05)


def test_sixteen_versions_in_order():
    assert VERSIONS[1:] == tuple((kind, level) for kind in LEVELS for level in range(1, 6))
    assert VERSIONS[0] == (ORIGINAL, 0)
    assert len(VERSIONS) == 16


def test_pixels_without_a_value_stay_so_and_spread_nowhere():
    image = np.random.default_rng(0).random((64, 80), np.float32)
    image[:10] = np.nan
    fields = native_fields(image.shape, 0)
    for kind, level in VERSIONS:
        version = native_version(image, kind, level, fields)
        np.testing.assert_array_equal(np.isnan(version), np.isnan(image))
