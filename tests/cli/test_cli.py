"""The shell's door: the same table as Python's, sentences instead of tracebacks, nothing lost."""

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.ndimage
import tifffile

from napari_tiqa import __version__, open_volume, score_map, score_volume
from napari_tiqa.cli import main
from napari_tiqa.scoring.table import read_scores
from tests.places import CELL


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of a TIFF stack, shape (12, 30, 40), with a constant slice."""
    volume = scipy.ndimage.gaussian_filter(np.random.default_rng(0).random((12, 30, 40)), 1)
    volume[3] = 0.5
    path = tmp_path_factory.mktemp("stack") / "stack.tif"
    tifffile.imwrite(path, volume.astype(np.float32))
    return path


def test_table_on_standard_output_is_that_of_python(
    stack: Path, untrained_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", str(stack), "--model", str(untrained_model)]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0].startswith("slice,position,score")
    there = pd.read_csv(io.StringIO(out)).fillna({"reason": ""})
    here = score_volume(stack, model=untrained_model)
    pd.testing.assert_frame_equal(there, here, check_dtype=False)
    assert "Scored 11 of 12 slices" in err
    worst = here.loc[here["score"].idxmin()]
    assert f"worst slice {worst['slice']}: {worst['score']:.1f}, " in err


def test_options_reach_the_run_and_its_record(stack: Path, untrained_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    options = ["--axis", "1", "--slices", "-10:-2:3", "--window", "-1e-1", "1.5"]
    assert main(["score", str(stack), "-o", str(path), "--model", str(untrained_model), *options]) == 0
    table = read_scores(path)
    assert table["slice"].tolist() == [20, 23, 26]
    assert table.attrs["axis"] == 1
    assert (table.attrs["window"]["low"], table.attrs["window"]["high"]) == (-0.1, 1.5)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["scores.csv", "scores.csv.json"]


def test_json_has_the_record_and_the_rows(
    stack: Path, untrained_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", str(stack), "--json", "--slices", "2:5", "--model", str(untrained_model)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["record"]["napari_tiqa"] == __version__
    assert [row["slice"] for row in document["slices"]] == [2, 3, 4]
    assert [row["score"] is None for row in document["slices"]] == [False, True, False]


def test_slices_unlike_the_training_images_are_counted(
    calibrated_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stripes = np.broadcast_to(np.arange(224) // 16 % 2, (2, 224, 224)).astype(np.float32)
    np.save(tmp_path / "stripes.npy", stripes)
    options = ["--model", str(calibrated_model), "--window", "0", "1", "--view", "native", "--json"]
    assert main(["score", str(tmp_path / "stripes.npy"), *options]) == 0
    out, err = capsys.readouterr()
    assert "2 of them are unlike anything the model was trained on" in err
    document = json.loads(out)
    assert document["record"]["view"] == "native"
    assert document["slices"][0]["uncertainty"] > 0


def test_a_map_has_the_size_and_voxels_of_the_slice(
    stack: Path, untrained_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "map.tif"
    tifffile.imwrite(
        tmp_path / "sized.tif",
        tifffile.imread(stack),
        imagej=True,
        resolution=(4, 2),
        metadata={"axes": "ZYX", "unit": "um", "spacing": 3},
    )
    command = ["map", str(tmp_path / "sized.tif"), "--slice", "-1", "-o", str(path)]
    assert main([*command, "--model", str(untrained_model)]) == 0
    assert "Mapped slice 11 from 1 tiles" in capsys.readouterr().err
    here = score_map(tmp_path / "sized.tif", 11, model=untrained_model)
    np.testing.assert_allclose(tifffile.imread(path), here.map, atol=1e-4)
    volume = open_volume(path)
    assert (volume.voxel_size, volume.unit) == ((0.5, 0.25), "µm")
    with tifffile.TiffFile(path) as file:
        assert json.loads(file.imagej_metadata["Info"])["slice"] == 11
    assert main([*command, "--model", str(untrained_model)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*command[:-1], "/no/such/folder/map.tif"]) == 2
    assert "/no/such/folder" in capsys.readouterr().err
    assert main([*command, "--overwrite", "--slice", "12"]) == 2
    assert "no slice 12" in capsys.readouterr().err


def test_existing_table_is_not_replaced_unasked(
    stack: Path, untrained_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("precious")
    command = ["score", str(stack), "-o", str(path), "--model", str(untrained_model)]
    assert main(command) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert path.read_text() == "precious"
    assert main([*command, "--overwrite"]) == 0
    assert len(read_scores(path)) == 12


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--axis", "3"], "axis 3"),
        (["--slices", "12"], "no slice 12"),
        (["--slices", "50:60"], "No slice was chosen"),
        (["--window", "2", "1"], "window 2 to 1"),
        (["--model", "gone.tiqa"], "gone.tiqa"),
        (["--at", "t=0"], "'t'"),
        (["-o", "/no/such/folder/scores.csv"], "/no/such/folder"),
    ],
)
def test_mistakes_are_one_sentence(
    options: list[str],
    sentence: str,
    stack: Path,
    untrained_model: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["score", str(stack), "--model", str(untrained_model), *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = [line for line in err.splitlines() if line.startswith("napari-tiqa: ")]
    assert sentence in line


def test_missing_file_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "gone.tif"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("napari-tiqa: ")
    assert "gone.tif" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("slices", ["a", "1:2:0", "1:2:3:4", "", "4-1-2"])
def test_slices_that_cannot_be_understood(slices: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["score", "x.tif", "--slices", slices])
    assert caught.value.code == 2
    assert "write 7, 40-60 (60 included), 40:60 (60 excluded)" in capsys.readouterr().err


def test_one_time_of_a_larger_file(
    untrained_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "times.npy"
    np.save(path, np.random.default_rng(0).random((2, 3, 20, 20), np.float32))
    command = ["score", str(path), "--model", str(untrained_model)]
    assert main(command) == 2
    assert "'t'" in capsys.readouterr().err
    assert main([*command, "--at", "t=1"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4


def shell(*arguments: object, cwd: Path | None = None) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "napari_tiqa.cli", *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=cwd, start_new_session=True)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_interrupted_run_keeps_what_was_scored(
    ending: signal.Signals, untrained_model: Path, tmp_path: Path
) -> None:
    volume = np.random.default_rng(0).random((3000, 16, 16), np.float32)
    np.save(tmp_path / "long.npy", volume)
    run = shell("score", "long.npy", "-o", "scores.csv", "--model", untrained_model, cwd=tmp_path)
    assert run.stderr is not None
    seen = ""
    while "scoring" not in seen:  # the bar's first line with slices in it
        seen += run.stderr.read(1)
    os.killpg(run.pid, ending)  # a terminal and a scheduler reach the model process too
    _, err = run.communicate(timeout=30)
    assert run.returncode == 130
    assert "of 3000 slices were scored; they are in scores.partial.csv" in err
    assert "Traceback" not in err
    assert not (tmp_path / "scores.csv").exists()
    table = read_scores(tmp_path / "scores.partial.csv")
    assert 0 < len(table) < 3000
    assert table.attrs["complete"] is False


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, text in [
        (["--version"], __version__),
        (["--help"], "score the slices of a tomogram"),
        (["--help"], "export (filter)"),
        (["segment", "--help"], "see what image quality does to a segmentation"),
        (["filter", "--help"], "napari-tiqa export scan.tif better.zarr --pipeline best.json"),
    ]:
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 0
        assert text in capsys.readouterr().out


def test_real_cell_from_the_shell_as_from_python(untrained_model: Path, tmp_path: Path) -> None:
    if not CELL.exists():
        pytest.skip("the real tomograms of shared/data are not here")
    path = tmp_path / "cell.csv"
    command = ["score", str(CELL), "--slices", "::20", "-o", str(path), "--model", str(untrained_model)]
    assert main(command) == 0
    here = score_volume(CELL, model=untrained_model, slices=slice(None, None, 20))
    pd.testing.assert_frame_equal(read_scores(path), here)


def test_what_a_reader_guessed_is_one_note(
    stack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "stack.tif"
    metadata = {"unit": "parsec", "axes": "ZYX"}
    tifffile.imwrite(path, tifffile.imread(stack), imagej=True, metadata=metadata)
    for _ in range(2):  # each run says it
        assert main(["measure", str(path), "--axis", "x", "--slices", "5"]) == 0
        _, err = capsys.readouterr()
        (note,) = [line for line in err.splitlines() if "parsec" in line]
        assert note.startswith("Note: The voxel size of 'stack.tif' cannot be used")
