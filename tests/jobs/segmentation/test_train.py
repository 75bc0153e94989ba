"""Training a segmenter through the model process, from Python and the shell; clear sentences otherwise."""

import resource
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter

from napari_tiqa import train_segmenter
from napari_tiqa.cli import main
from napari_tiqa.errors import Cancelled, SegmentationError, TrainingError
from napari_tiqa.jobs.segmentation.train import resume_segmenter
from napari_tiqa.learning.training.run_folder import run_lock
from napari_tiqa.segmentation.progress import SegmentProgress, read_segment_epochs
from napari_tiqa.segmentation.recipe import SegmentationRecipe
from napari_tiqa.segmentation.segmenter import segmenter_card

TINY = SegmentationRecipe(encoder="ResNet34", width=0.125, crop=32, batch=2, patches=2, epochs=2)
LONGER = replace(TINY, epochs=8)  # a cancel after the first epoch comes before the last
_SETTINGS = "--encoder ResNet34 --width 0.125 --crop 32 --batch 2 --patches 2 --epochs 8 --names dark,bright"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Write an image of two slices and labels of one of them; return both paths."""
    rng = np.random.default_rng(0)
    texture = gaussian_filter(rng.random((2, 64, 64)), (0, 4, 4))
    bright = texture > np.median(texture)
    labels = np.zeros(bright.shape, np.uint8)
    labels[1, ::4] = bright[1, ::4] + 1
    tifffile.imwrite(tmp_path / "scan.tif", (bright + rng.normal(0, 0.2, bright.shape)).astype(np.float32))
    tifffile.imwrite(tmp_path / "labels.tif", labels)
    return [str(tmp_path / "scan.tif"), str(tmp_path / "labels.tif")]


def test_cancelled_in_python_and_finished_in_the_shell(files, tmp_path, capsys):
    output, seen, cancel = tmp_path / "phases.tiqa", [], threading.Event()

    def listen(progress: SegmentProgress) -> None:
        seen.append(progress)
        if progress.epoch:
            cancel.set()

    card = train_segmenter(
        *files, output, recipe=LONGER, names=["dark", "bright"], progress=listen, cancel=cancel
    )
    assert list(dict.fromkeys(one.stage for one in seen)) == ["prepare", "train"]
    assert not card["training"]["finished"]
    assert card["training"]["scans"] == [files[0]]
    assert card["training"]["slices"] == [1]
    assert segmenter_card(output) == card
    assert 1 <= len(read_segment_epochs(tmp_path / "phases.training")) < LONGER.epochs
    assert not {"keras", "tensorflow"} & set(sys.modules)

    command = ["segment", "train", *files, "-o", str(output), *_SETTINGS.split()]
    assert main(command) == 0
    said = capsys.readouterr()
    assert "Learned from 1 slice of scan" in said.err
    assert [line.split()[0] for line in said.out.splitlines()] == ["class", "dark", "bright", "mean"]
    card = segmenter_card(output)
    assert card["training"]["finished"]
    assert card["classes"]["names"] == ["dark", "bright"]

    compared = ["--model", str(output), "--truth", files[1]]
    assert main(["segment", "predict", files[0], "-o", str(tmp_path / "phases.zarr"), *compared]) == 0
    assert "Warning: The model was trained on 1 of these 2 slices (1):" in capsys.readouterr().err

    labels = tifffile.imread(files[1])
    labels[0] = 1
    with pytest.raises(SegmentationError, match="its labels have changed since"):
        train_segmenter(files[0], labels, output, recipe=LONGER, names=["dark", "bright"])


def test_cancelled_at_once_there_is_no_model(files, tmp_path):
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled, match="no model yet"):
        train_segmenter(*files, tmp_path / "m.tiqa", recipe=TINY, cancel=cancel)
    assert not (tmp_path / "m.tiqa").exists()


def test_what_the_listener_raises_ends_it(files, tmp_path):
    def listen(progress: SegmentProgress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train_segmenter(*files, tmp_path / "m.tiqa", recipe=TINY, progress=listen)


def test_a_run_folder_of_another_training_is_refused(files, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    with run_lock(run), pytest.raises(TrainingError, match=r"running in .* already"):
        train_segmenter(*files, tmp_path / "m.tiqa", run_folder=run, recipe=TINY)
    (run / "recipe.json").write_text(SegmentationRecipe().to_json())
    with pytest.raises(TrainingError, match=r"another recipe \(other encoder, width, crop"):
        train_segmenter(*files, tmp_path / "m.tiqa", run_folder=run, recipe=TINY)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SegmentationError, match=r"No training of a segmenter was begun in .*empty"):
        resume_segmenter(tmp_path / "empty", tmp_path / "m.tiqa")


def test_a_place_that_cannot_be_written_and_a_full_disk_are_said(files, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot write to"):
        train_segmenter(*files, tmp_path / "m.tiqa", run_folder=tmp_path / "file" / "run", recipe=TINY)
    run = tmp_path / "run"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        # No file may grow beyond a few bytes, so that writing more fails as on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
        with pytest.raises(TrainingError, match=r"cannot write to .*run .* free some space"):
            train_segmenter(*files, tmp_path / "m.tiqa", run_folder=run, recipe=TINY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert {path.name for path in run.iterdir()} == {"lock", "recipe.json"}  # and no half of the slices


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{scan}", "{scan}"], "these are of type float32"),
        (["{scan}", "{labels}", "--names", "one"], "1 names were given for 2 classes"),
        (["{scan}", "{labels}", "--crop", "50"], "a multiple of 32 px"),
        (["{scan}", "{labels}", "--encoder-weights", "r34.safetensors"], "ResNet34 encoder of width 1 only"),
        (["{scan}", "gone.tif"], "There is no file or folder 'gone.tif'"),
    ],
)
def test_the_shell_says_in_one_sentence_what_is_wrong(files, tmp_path, capsys, arguments, sentence):
    arguments = [one.format(scan=files[0], labels=files[1]) for one in arguments]
    assert main(["segment", "train", *arguments, "-o", str(tmp_path / "m.tiqa")]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("napari-tiqa: ")
    assert sentence in error
    assert not (tmp_path / "m.tiqa").exists()


def test_a_bundle_that_is_there_is_kept(files, tmp_path, capsys):
    output = tmp_path / "precious.tiqa"
    output.write_text("a day's work")
    assert main(["segment", "train", *files, "-o", str(output)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert output.read_text() == "a day's work"
