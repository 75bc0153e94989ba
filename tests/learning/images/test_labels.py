"""Label projection: each observer votes on a scale of 1 to 5, per distortion, never rising with the level."""

import numpy as np
import pytest

from models.acquisitions import acquisition_group
from napari_tiqa.learning.images.groups import distortion_group
from napari_tiqa.learning.images.labels import PUBLISHED_QUALITY_KEPT, LabelProjection, observe
from napari_tiqa.learning.images.observers import OBSERVER_SETS
from napari_tiqa.volumes.simulation.microstructures import microstructure

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def labelled():
    groups = [
        distortion_group(kind, 0.1 + 0.8 * microstructure(kind, (224, 224), seed=1), seed)
        for seed, kind in enumerate(["grains", "foam", "fibres"])
    ]
    return groups, [observe(group) for group in groups]


def test_damage_is_zero_for_the_reference_and_grows(labelled):
    _, damages = labelled
    for damage in damages:
        assert damage.shape == (16, len(OBSERVER_SETS["paper"]))
        np.testing.assert_array_equal(damage[0], 0)
        assert (damage[1:] > 0).all()


@pytest.mark.parametrize("make", [LabelProjection.from_levels, LabelProjection.from_range])
def test_labels_are_on_the_scale_and_never_rise(labelled, make):
    groups, damages = labelled
    projection = make(groups, damages)
    for group, damage in zip(groups, damages, strict=True):
        labels = projection.labels(group, damage)
        assert labels[0] == 5
        assert labels.min() >= 1
        for start in (1, 6, 11):
            assert np.all(np.diff(labels[[0, *range(start, start + 5)]]) <= 0)


def test_the_published_scale_is_met_level_by_level(labelled):
    groups, damages = labelled
    projection = LabelProjection.from_levels(groups, damages)
    labels = np.array([projection.labels(g, d) for g, d in zip(groups, damages, strict=True)])
    for start, kind in ((1, "blur"), (6, "noise"), (11, "ring")):
        published = 1 + 4 * np.array(PUBLISHED_QUALITY_KEPT[kind])
        np.testing.assert_allclose(labels[:, start : start + 5].mean(0), published, atol=0.6)


def test_the_papers_range_reaches_from_5_to_1_within_each_distortion(labelled):
    groups, damages = labelled
    projection = LabelProjection.from_range(groups, damages)
    labels = np.array([projection.labels(g, d) for g, d in zip(groups, damages, strict=True)])
    for start in (1, 6, 11):
        assert labels[:, start + 4].min() < 1.6


def test_acquisition_faults_are_labelled_on_their_counterparts_scale(labelled):
    groups, damages = labelled
    projection = LabelProjection.from_levels(groups, damages)
    scan = acquisition_group("foam", 0.1 + 0.8 * microstructure("foam", (224, 224), seed=1), seed=0)
    labels = projection.labels(scan, observe(scan))
    noise = labels[np.array(scan.families) == "photon noise"]
    assert noise[0] > 4
    assert noise[-1] < 3
