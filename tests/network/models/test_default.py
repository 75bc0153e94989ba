"""``python -m models.default``, and what slices with faults of their own are taught as."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from models.cross_fitting import MOST, cross_fitted
from models.default import main
from models.default_stages import START, outputs, ranked
from models.score_training import network_from, train
from napari_tiqa.learning.images.groups import distortion_group
from napari_tiqa.scoring.backbone import build_network
from napari_tiqa.scoring.predict import load_model, predict_scores
from napari_tiqa.volumes.simulation.microstructures import microstructure


@pytest.fixture(scope="module")
def groups():
    made = []
    for seed in range(5):
        image = microstructure("foam", (224, 224), seed)
        group = distortion_group("foam", image, seed)
        made.append(group.subset(np.array([0, 2, 4, 7, 9])).with_labels(np.array([5, 3, 1, 4, 2.0])))
    return made


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return build_network(dropout=0.0, head_units=16)


def test_a_folder_without_the_scans_is_said_in_one_sentence(tmp_path, capsys):
    options = [str(tmp_path), "-o", str(tmp_path / "m.tiqa"), "--work", str(tmp_path / "work")]
    assert main(options) == 2
    assert "give the folder with the training scans" in capsys.readouterr().err
    assert not (tmp_path / "m.tiqa").exists()


def test_a_slice_with_faults_of_its_own_teaches_order_alone(groups):
    clean, own = ranked([groups[0], replace(groups[1], clean=False)])
    np.testing.assert_array_equal(clean.labels, groups[0].labels)
    assert np.isnan(own.labels).all()
    assert own.better().any()


def test_a_slice_with_faults_of_its_own_is_worth_what_the_network_says(groups, network):
    known = [replace(group, specimen="known") for group in groups]
    own = replace(groups[0], specimen="own", clean=False)
    *others, own = cross_fitted(network, [*known, own], ["own"])
    assert all(after is before for after, before in zip(others, known, strict=True))
    best = np.mean([outputs(network, oriented(group.tiles()[0]))[:, 0].mean() for group in known])
    said = outputs(network, oriented(groups[0].tiles()[0]))[:, 0].mean()
    assert own.labels[0] == pytest.approx(np.clip(1 + 4 * (said - 1) / (best - 1), 1, MOST), abs=1e-3)
    kept = (own.labels[0] - 1) / 4
    np.testing.assert_allclose(own.labels, 1 + kept * (groups[0].labels - 1))
    np.testing.assert_allclose(own.parts().sum(1), 5 - own.labels)
    spoilt = replace(own.with_labels(np.full(5, 2.0)))
    assert np.isnan(cross_fitted(network, [*known, spoilt], [])[-1].labels).all()


def oriented(tile):
    return np.stack([np.rot90(tile, turns) for turns in range(4)])


def test_training_goes_on_from_the_model_of_before(groups):
    tiles = groups[0].tiles()
    before = predict_scores(load_model(START).network, tiles)
    np.testing.assert_allclose(predict_scores(network_from(START), tiles), before, atol=1e-3)


def test_a_training_goes_on_where_it_was_cut_off_changes_the_network_and_reports_the_loss(network, groups):
    before = network.get_layer("score").get_weights()[0].copy()
    done, losses = [], []

    def after(step, loss):
        done.append(step)
        losses.append(loss)

    train(network, groups, 3, learning_rate=1e-3, start=1, every=1, after=after)
    assert done == [2, 3]
    assert np.isfinite(losses).all()
    assert not np.array_equal(before, network.get_layer("score").get_weights()[0])
