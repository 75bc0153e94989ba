"""Bundles: what is written is read back; what is corrupt, foreign or newer is refused with a sentence."""

import json
import shutil
import zipfile

import keras
import numpy as np
import pytest

from napari_tiqa.errors import BundleError
from napari_tiqa.scoring.backbone import build_network, load_imagenet
from napari_tiqa.scoring.bundle import DEFAULT_MODEL, load_card, save_bundle
from napari_tiqa.scoring.predict import load_model


@pytest.fixture
def bundle(untrained_model, tmp_path):
    return shutil.copy(untrained_model, tmp_path / "copy.tiqa")


def _rewrite(path, **changes):
    with zipfile.ZipFile(path) as archive:
        card, weights = json.loads(archive.read("card.json")), archive.read("weights.npz")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("card.json", json.dumps(card | changes))
        archive.writestr("weights.npz", changes.get("weights", weights))


def test_a_saved_network_scores_as_before(bundle, tmp_path):
    network = load_model(bundle).network
    save_bundle(tmp_path / "again.tiqa", network, {"name": "again"})
    tiles = np.random.default_rng(0).random((2, 224, 224, 1), np.float32)
    again = load_model(tmp_path / "again.tiqa").network
    np.testing.assert_allclose(again.predict_on_batch(tiles), network.predict_on_batch(tiles), atol=1e-5)
    assert load_card(tmp_path / "again.tiqa")["name"] == "again"


def test_weights_that_diverged_are_not_saved(bundle, tmp_path):
    network = load_model(bundle).network
    kernel, bias = network.get_layer("score").get_weights()
    network.get_layer("score").set_weights([kernel * np.nan, bias])
    with pytest.raises(BundleError, match="diverged"):
        save_bundle(tmp_path / "nan.tiqa", network, {})
    assert not list(tmp_path.glob("*nan*"))


def test_a_missing_bundle_is_named(tmp_path):
    with pytest.raises(BundleError, match=r"no model bundle at .*gone\.tiqa"):
        load_card(tmp_path / "gone.tiqa")


def test_a_folder_is_no_bundle(tmp_path):
    with pytest.raises(BundleError, match="is a folder"):
        load_card(tmp_path)


@pytest.mark.parametrize("keep", [0, 100, 1_000_000])
def test_a_truncated_bundle_is_refused(bundle, keep):
    content = bundle.read_bytes()[:keep]
    bundle.write_bytes(content)
    with pytest.raises(BundleError, match="damaged"):
        load_card(bundle)


def test_changed_weights_are_noticed(bundle):
    _rewrite(bundle, weights_sha256="0" * 64)
    with pytest.raises(BundleError, match="damaged"):
        load_model(bundle)


def test_a_foreign_zip_is_refused(bundle):
    _rewrite(bundle, format="other")
    with pytest.raises(BundleError, match="not made by napari-tiqa"):
        load_card(bundle)


@pytest.mark.parametrize(("version", "sentence"), [(99, "newer napari-tiqa"), (1, "train the model again")])
def test_a_bundle_of_another_version_says_so(bundle, version, sentence):
    _rewrite(bundle, format_version=version)
    with pytest.raises(BundleError, match=sentence):
        load_card(bundle)


def test_weights_of_another_shape_are_refused(bundle):
    _rewrite(bundle, head_units=64)
    with pytest.raises(BundleError, match="do not fit"):
        load_model(bundle)


def test_the_default_model_is_small_and_has_a_full_card():
    assert DEFAULT_MODEL.stat().st_size < 25e6
    card = load_card()
    assert {"name", "training", "settings", "evaluation", "score_scale", "versions"} <= set(card)


def test_another_backbone_is_kept_and_takes_weights_by_order(tmp_path, monkeypatch):
    def not_downloaded(*, include_top, weights, **more):
        return applications(include_top=include_top, weights=None, **more)

    applications = keras.applications.EfficientNetB0
    monkeypatch.setattr(keras.applications, "EfficientNetB0", not_downloaded)
    network = build_network(head_units=16, backbone="EfficientNetB0")
    load_imagenet(network, "EfficientNetB0")  # of random weights: all of them must find their layer
    save_bundle(tmp_path / "b0.tiqa", network, {"name": "b0"}, backbone="EfficientNetB0")
    tiles = np.random.default_rng(0).random((2, 224, 224, 1), np.float32)
    again = load_model(tmp_path / "b0.tiqa").network
    np.testing.assert_allclose(again.predict_on_batch(tiles), network.predict_on_batch(tiles), atol=1e-3)
