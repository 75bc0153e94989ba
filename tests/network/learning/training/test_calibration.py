"""How far to trust a model: intervals that hold what they promise, images that are no slices."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from napari_tiqa.learning.images.groups import distortion_group
from napari_tiqa.learning.training.calibration import KNOTS, calibrate, score_scale
from napari_tiqa.learning.training.foreign import foreign_images
from napari_tiqa.learning.training.stages import scale_to_labels
from napari_tiqa.scoring.backbone import build_network, load_imagenet
from napari_tiqa.scoring.bundle import save_bundle
from napari_tiqa.scoring.predict import ScoreModel, load_model, predict
from napari_tiqa.scoring.scale import ARTEFACTS, PREDICTED
from napari_tiqa.volumes.simulation.microstructures import KINDS, microstructure


@pytest.fixture(scope="module")
def groups():
    return [
        distortion_group(kind, 0.1 + 0.8 * microstructure(kind, (224, 224), 60 + seed), seed).with_labels(
            np.linspace(5, 1, 16)
        )
        for kind in KINDS
        for seed in range(2)
    ]


@pytest.fixture(scope="module")
def model(groups):
    keras.utils.set_random_seed(0)
    network = build_network(head_units=16)
    load_imagenet(network)
    scale_to_labels(network, groups)
    return ScoreModel(network, calibrate(network, groups[::2], groups[1::2]))


def test_an_interval_holds_nine_of_ten_new_labels_and_is_wider_where_scores_are_worse():
    rng = np.random.default_rng(0)
    labels = rng.uniform(1, 5, 4000)
    scores = labels + rng.normal(0, np.where(labels > 3, 0.1, 0.5))
    expected, half = score_scale(scores[:2000], labels[:2000])
    missed = np.abs(labels - np.interp(scores, KNOTS, expected))[2000:]
    held = missed <= np.interp(scores[2000:], KNOTS, half)
    assert held.mean() == pytest.approx(0.9, abs=0.03)
    assert half[1] > 3 * half[-2]


def test_a_network_that_says_too_little_is_corrected_in_order():
    rng = np.random.default_rng(0)
    labels = rng.uniform(1, 5, 500)
    expected, _ = score_scale(1 + 0.7 * (labels - 1) + rng.normal(0, 0.1, 500), labels)
    assert np.all(np.diff(expected) >= 0)
    assert expected[-3] == pytest.approx(5, abs=0.2)  # says 4 of a 5
    assert expected[0] == pytest.approx(1, abs=0.2)


def test_too_few_labels_leave_the_scale_and_give_no_interval():
    for labels in (np.ones(29), np.full(99, np.nan)):
        expected, half = score_scale(np.linspace(1, 5, len(labels)), labels)
        np.testing.assert_array_equal(expected, KNOTS)
        assert np.isnan(half).all()


def test_a_prediction_adds_up(model, groups):
    predicted = dict(zip(PREDICTED, predict(model, groups[0].tiles()).T, strict=True))
    assert ((predicted["score"] >= 1) & (predicted["score"] <= 5)).all()
    np.testing.assert_allclose(
        sum(predicted[artefact] for artefact in ARTEFACTS), 5 - predicted["score"], atol=1e-4
    )
    assert (predicted["uncertainty"] > 0).all()


def test_what_is_not_a_slice_is_flagged_and_slices_are_not(model, groups):
    novelty = PREDICTED.index("novelty")
    own = np.concatenate([predict(model, group.tiles()[:1]) for group in groups[1::2]])[:, novelty]
    assert np.mean(own > 1) < 0.25
    others = foreign_images(per_sort=6, seed=9)
    for sort in ("label image", "sinogram", "MRI"):
        assert np.mean(predict(model, others[sort])[:, novelty] > 1) >= 0.5, sort


def test_a_model_without_tile_statistics_still_knows_what_is_unlike_its_training(model, groups):
    features = np.random.default_rng(0).normal(size=(3, 5))
    old = replace(model.calibration, direction=np.ones(5), offset=np.zeros(()), centre=None, spread=None)
    assert old.novelty(features, groups[0].tiles()[:3]) == pytest.approx(2 / (1 + np.exp(-features.sum(1))))


def test_a_bundle_keeps_what_is_known_of_the_model(model, groups, tmp_path):
    save_bundle(tmp_path / "one.tiqa", model.network, {"name": "one"}, model.calibration)
    again = predict(load_model(tmp_path / "one.tiqa"), groups[0].tiles())
    np.testing.assert_allclose(again, predict(model, groups[0].tiles()), atol=0.02)
