"""The fidelity estimate: what it learns from, its loss, and what the bundled network says."""

import cv2
import keras
import numpy as np
import pytest

from models import fidelity_training as training
from models.fidelity_training import SimilarityLoss, train_fidelity
from models.filtered_scans import SIDE, filtered_scan
from napari_tiqa.scoring.fidelity import bundled_model, estimate_similarities, fidelity
from napari_tiqa.scoring.network_input import TILE_SIZE
from napari_tiqa.volumes.simulation.microstructures import microstructure

KIND, SEED = "foam", 4321  # a seed that the bundled network has not seen


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return microstructure(KIND, (SIDE, SIDE), SEED)


def test_a_filtered_scan_knows_how_like_its_truth_each_version_is(truth: np.ndarray) -> None:
    scan = filtered_scan("foam", truth, 3)
    again = filtered_scan("foam", truth, 3)
    np.testing.assert_array_equal(scan.images, again.images)
    assert scan.images.shape == (10, TILE_SIZE, TILE_SIZE)
    assert scan.similarity.shape == (10, 2)
    np.testing.assert_allclose(scan.similarity[0], 1)
    assert (scan.similarity[1:] < 1).all()


def test_the_loss_is_nought_for_the_truth_and_sees_a_wrong_order() -> None:
    true = np.array([[0.9, 0.95], [0.6, 0.8], [0.3, 0.5]], np.float32)
    loss = SimilarityLoss(images=3)
    assert float(loss(true, true)) == pytest.approx(0, abs=1e-6)
    shifted, reversed_order = (float(loss(true, said)) for said in (true + 0.05, true[::-1].copy()))
    assert shifted < reversed_order / 10


def test_training_lowers_the_loss(truth: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"epochs": 3, "side": 64, "head_units": 16, "scans": 1}
    monkeypatch.setattr(training, "SETTINGS", training.SETTINGS | small)
    losses: list[float] = []
    scans = [filtered_scan("foam", truth, seed) for seed in range(4)]
    network = train_fidelity(scans, lambda done, epochs, loss: losses.append(loss))
    assert len(losses) == 3
    assert losses[-1] < losses[0]
    assert isinstance(network, keras.Model)
    assert network.input_shape[0] == (None, TILE_SIZE, TILE_SIZE, 1)


def test_the_bundled_network_finds_a_useful_strength(truth: np.ndarray) -> None:
    tile = truth[:TILE_SIZE, :TILE_SIZE]
    noisy = tile + 0.12 * np.random.default_rng(0).standard_normal(tile.shape, np.float32)
    versions = [noisy, *(cv2.GaussianBlur(noisy, (0, 0), sigma) for sigma in (0.4, 0.9, 8))]
    tiles = np.clip(np.stack(versions), 0, 1)
    said = fidelity(estimate_similarities(tiles, tiles[:1], np.zeros(4, int)))
    assert said.argmax() == 2
    assert said[3] < said[2] - 0.05


def test_unfiltered_tiles_that_were_seen_before_change_nothing(truth: np.ndarray) -> None:
    tiles = np.stack([truth[:TILE_SIZE, :TILE_SIZE], truth[-TILE_SIZE:, -TILE_SIZE:]])
    blurred = np.stack([cv2.GaussianBlur(tile, (0, 0), 2) for tile in tiles])
    model = bundled_model()
    first = model.similarities(blurred, tiles, np.arange(2))
    np.testing.assert_array_equal(model.similarities(blurred, tiles, np.arange(2)), first)
    swapped = model.similarities(blurred, tiles[::-1].copy(), np.arange(2)[::-1].copy())
    np.testing.assert_allclose(swapped, first, atol=1e-5)
