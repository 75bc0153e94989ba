"""``napari-tiqa export`` as the shell sees it: files, sentences, exit codes, Ctrl-C."""

import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_tiqa.cli import main
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.jobs.filtering.unfinished_export import done_slices
from napari_tiqa.volumes.open import open_volume

SMOOTH = Pipeline([Step("gaussian", {"sigma": 1.5})])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder to work in, with a scan, a series of two scans and a pipeline."""
    pixels = (np.random.default_rng(0).random((2, 8, 40, 50)) * 200).astype(np.uint16)
    np.save(tmp_path / "series.npy", pixels)
    tifffile.imwrite(tmp_path / "scan.tif", pixels[0], photometric="minisblack")
    SMOOTH.save(tmp_path / "best.json")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> int:
    return main(["export", *arguments])


def test_filter_a_scan(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("scan.tif", "better.zarr", "--pipeline", "best.json", "--window", "0", "200") == 0
    pixels = open_volume("scan.tif").data.compute()
    better = open_volume("better.zarr")
    assert np.array_equal(better.data.compute(), [SMOOTH(plane, (0.0, 200.0)) for plane in pixels])
    assert better.data.dtype == np.uint16
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Wrote better.zarr: Gaussian (sigma 1.5 px)." in shown.err


def test_one_time_of_a_series_along_another_axis(folder: Path) -> None:
    options = ("--pipeline", "best.json", "--at", "t=1", "--axis", "2", "--window", "0", "200")
    Pipeline([Step("gaussian", {"sigma": 0.5})]).save("best.json")
    assert run("series.npy", "better.zarr", *options) == 0
    pixels = np.load("series.npy")[1]
    wanted = Pipeline.load("best.json")(pixels[:, :, 7], (0.0, 200.0))
    assert np.array_equal(open_volume("better.zarr").slice(2, 7), wanted)


def test_a_folder_of_slices_whatever_its_name(folder: Path) -> None:
    assert run("scan.tif", "better.v2", "--pipeline", "best.json", "--format", "tiff-slices") == 0
    assert len(list((folder / "better.v2").glob("slice_*.tif"))) == 8


def test_twice_only_with_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("scan.tif", "once.tif", "--pipeline", "best.json") == 0
    capsys.readouterr()
    assert run("once.tif", "twice.tif", "--pipeline", "best.json") == 2
    said = capsys.readouterr().err
    assert "Note: once has been filtered already: Gaussian (sigma 1.5 px)." in said
    assert "'once' has been filtered with Gaussian (sigma 1.5 px) already" in said
    assert "use --again" in said
    assert run("once.tif", "twice.tif", "--pipeline", "best.json", "--again") == 0
    assert len(open_volume("twice.tif").applied) == 2


def test_an_earlier_export_is_replaced_only_with_overwrite(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("scan.tif", "better.tif", "--pipeline", "best.json") == 0
    assert run("scan.tif", "better.tif", "--pipeline", "best.json") == 2
    assert "add --overwrite" in capsys.readouterr().err
    assert run("scan.tif", "better.tif", "--pipeline", "best.json", "--overwrite") == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("scan.tif", "scan.tif", "--pipeline", "best.json"), "is the volume to be filtered"),
        (("scan.tif", "scan.tif", "--pipeline", "best.json", "--overwrite"), "is the volume to be filtered"),
        (("scan.tif", "better.png", "--pipeline", "best.json"), "does not tell a format"),
        (("scan.tif", "nowhere/better.tif", "--pipeline", "best.json"), "There is no folder nowhere"),
        (("gone.tif", "better.tif", "--pipeline", "best.json"), "There is no file or folder 'gone.tif'"),
        (("scan.tif", "better.tif", "--pipeline", "gone.json"), "The pipeline gone.json cannot be read"),
        (("series.npy", "better.tif", "--pipeline", "best.json"), "choose one of them with --at t=0"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    folder: Path, arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("napari-tiqa: ")
    assert sentence in said
    assert not list(folder.glob("*better*"))


def test_interrupted_and_started_again(
    folder: Path, capsys: pytest.CaptureFixture[str], interrupt_at: Callable[..., None]
) -> None:
    pixels = np.random.default_rng(0).random((60, 200, 200), np.float32) * 200
    np.save("large.npy", pixels)
    command = ("large.npy", "better", "--pipeline", "best.json", "--window", "0", "200")
    interrupt_at(1, signal.SIGHUP)
    assert run(*command) == 130
    assert (
        "of 60 slices are written to better.unfinished; run the same export again to resume"
        in capsys.readouterr().err
    )
    assert 0 < done_slices(Path("better")) < 60
    assert run(*command) == 0
    better = open_volume("better")
    for index in (0, 30, 59):
        assert np.array_equal(better.slice(0, index), SMOOTH(pixels[index], (0.0, 200.0)))
