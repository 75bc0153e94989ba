"""``napari-tiqa train``: real files in, a usable bundle out; Ctrl-C keeps it; clear sentences otherwise."""

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter

from napari_tiqa.cli import main
from napari_tiqa.errors import TrainingError
from napari_tiqa.learning.training.run_folder import run_lock
from napari_tiqa.scoring.bundle import load_card


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("good")
    for seed in range(5):
        texture = gaussian_filter(np.random.default_rng(seed).random((224, 224)), 2 + seed / 3)
        tifffile.imwrite(folder / f"image{seed}.tif", (texture / texture.max() * 255).astype(np.uint8))
    return sorted(map(str, folder.glob("*.tif")))


def test_a_rated_model_is_trained_in_the_shell(images, tmp_path, capsys):
    output, ratings = tmp_path / "mine.tiqa", tmp_path / "ratings.csv"
    rows = [f"{Path(image).name},Anna,{score}," for score, image in enumerate(images, start=1)]
    ratings.write_text("\n".join(["image,rater,score,time", *rows]) + "\n")
    settings = ["--ranking-epochs", "1", "--regression-epochs", "1", "--observers", "ssim"]
    command = ["train", *images, "-o", str(output), "--ratings", str(ratings), *settings]
    assert main(command) == 0
    said = capsys.readouterr().err
    assert "5 originals" in said
    assert "Note: All ratings are by Anna" in said
    card = load_card(output)
    assert card["name"] == "mine"
    assert card["training"]["scans"] == images
    assert card["training"]["raters"] == ["Anna"]
    assert any("by Anna" in warning for warning in card["training"]["warnings"])
    assert card["evaluation"] == "no specimen was left out"
    assert (tmp_path / "mine.training" / "recipe.json").exists()
    # The same command again has nothing to do, and is no reason to ask for --overwrite.
    assert main(command) == 0
    assert load_card(output) == card


def test_ctrl_c_ends_it_at_once(images, tmp_path, capsys, interrupt_at):
    interrupt_at(1)
    assert main(["train", *images, "-o", str(tmp_path / "m.tiqa")]) == 130
    assert "no model yet" in capsys.readouterr().err
    assert (tmp_path / "m.training" / "recipe.json").exists()


def test_killed_it_takes_the_model_process_along_and_the_lock(images, tmp_path):
    folder = tmp_path / "m.training"
    command = [sys.executable, "-m", "napari_tiqa.cli", "train", *images, "-o", str(tmp_path / "m.tiqa")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while not (folder / "recipe.json").exists():
            assert process.poll() is None
            time.sleep(0.05)
        with pytest.raises(TrainingError, match="already"), run_lock(folder):
            pass
        process.kill()
    # Held by the model process, which notices that nobody listens any more.
    for _ in range(400):
        with suppress(TrainingError), run_lock(folder):
            return
        time.sleep(0.05)
    pytest.fail("the lock of a dead training holds for ever")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Give images to train on"),
        (["gone.tif"] * 5, "gone.tif"),
        (["{image}", "--validation-share", "2"], "between 0 and 0.5"),
    ],
)
def test_what_cannot_be_trained_on_is_said_in_one_sentence(images, tmp_path, capsys, arguments, sentence):
    arguments = [argument.format(image=images[0]) for argument in arguments]
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
