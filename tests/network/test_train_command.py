"""``napari-tiqa train``: real files in, a usable bundle out; clear sentences otherwise."""

from dataclasses import replace

import numpy as np
import pytest
import tifffile

from napari_tiqa.cli import main
from napari_tiqa.learning.default_recipe import SCANS, simulated_originals, teachable
from napari_tiqa.learning.groups import distortion_group
from napari_tiqa.scoring.bundle import load_card, load_model
from napari_tiqa.volumes.simulation.microstructures import KINDS, microstructure


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    for seed, kind in enumerate(KINDS[:5]):
        image = microstructure(kind, (224, 224), seed)
        tifffile.imwrite(folder / f"{kind}.tif", (image * 60000).astype(np.uint16))
    return sorted(str(path) for path in folder.glob("*.tif"))


def test_a_model_is_trained_and_scores(images, tmp_path, capsys):
    output = tmp_path / "mine.tiqa"
    stages = ["--ranking-epochs", "1", "--regression-epochs", "1"]
    assert main(["train", *images, "-o", str(output), *stages]) == 0
    assert "5 originals" in capsys.readouterr().err
    card = load_card(output)
    assert card["name"] == "mine"
    assert card["training"]["scans"] == images
    assert card["settings"]["ranking"] == {"epochs": 1}
    score = load_model(output).network.predict_on_batch(np.full((1, 224, 224, 1), 0.5, np.float32))
    assert np.isfinite(score).all()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Give images to train on"),
        (["{images[0]}"], "1 originals are too few"),
        (["{images[0]}", "--default-model", "."], "Give images to train on, or --default-model"),
        (["--default-model", "{folder}"], "give the folder with the training scans"),
        (["gone.tif"] * 5, "gone.tif"),
    ],
)
def test_what_cannot_be_trained_on_is_said_in_one_sentence(images, tmp_path, capsys, arguments, sentence):
    arguments = [argument.format(images=images, folder=tmp_path) for argument in arguments]
    assert main(["train", *arguments, "-o", str(tmp_path / "m.tiqa")]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("napari-tiqa: ")
    assert sentence in error
    assert not (tmp_path / "m.tiqa").exists()


def test_an_existing_bundle_is_kept(images, tmp_path, capsys):
    output = tmp_path / "precious.tiqa"
    output.write_text("a day's work")
    assert main(["train", *images, "-o", str(output)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert output.read_text() == "a day's work"


def test_simulated_originals_cover_every_kind():
    originals = simulated_originals()
    assert {original.specimen for original in originals} == {f"simulated {kind}" for kind in KINDS}
    assert all(original.image.shape == (224, 224) for original in originals)
    assert all(0 <= original.image.min() < original.image.max() <= 1 for original in originals)


def test_scans_with_faults_of_their_own_teach_no_scale():
    image = np.full((224, 224), 0.5, np.float32)
    group = distortion_group("x", image, 0).with_labels(np.arange(16.0))
    assert np.isfinite(teachable([group])[0].labels).all()
    assert np.isnan(teachable([replace(group, clean=False)])[0].labels).all()
    assert any(not scan.clean for scan in SCANS)
