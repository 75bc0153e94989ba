"""``napari-tiqa tune`` and ``compare``: the same as Python's, files written whole, Ctrl-C keeps the best."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.ndimage
import skimage.io

from napari_tiqa.cli import main
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.jobs.filtering.tune import tune


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with noisy.npy, shape (3, 224, 224), float32, and some pipelines."""
    rng = np.random.default_rng(0)
    smooth = scipy.ndimage.gaussian_filter(rng.random((3, 224, 224)), (0, 6, 6))
    phases = scipy.ndimage.gaussian_filter((smooth > np.median(smooth)).astype(float), (0, 0.7, 0.7))
    made = tmp_path_factory.mktemp("scan")
    np.save(made / "noisy.npy", (phases + rng.normal(0, 0.25, phases.shape)).astype(np.float32))
    Pipeline([Step("gaussian")]).save(made / "gaussian.json")
    Pipeline([Step("median")]).save(made / "median.json")
    return made


def test_the_best_pipeline_is_that_of_python(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["tune", str(folder / "noisy.npy"), "--pipeline", str(folder / "gaussian.json")]
    command += ["--parameter", "gaussian.sigma=0.3:4", "--trials", "6", "--slices", "0,2"]
    assert main([*command, "-o", str(tmp_path / "best.json")]) == 0
    out, err = capsys.readouterr()
    here = tune(
        folder / "noisy.npy", Pipeline([Step("gaussian")]), "gaussian.sigma=0.3:4", slices=[0, 2], trials=6
    )
    assert out.strip() == here.sentence()
    assert Pipeline.load(tmp_path / "best.json") == here.best.pipeline
    assert "best.csv" in err
    table = pd.read_csv(tmp_path / "best.csv")
    assert len(table) == 7
    np.testing.assert_allclose(table["objective"], here.table()["objective"], atol=1e-6)
    record = json.loads((tmp_path / "best.csv.json").read_text())
    assert record["aim"] == "fidelity"
    assert record["slices"] == [0, 2]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["best.csv", "best.csv.json", "best.json"]
    # Nothing is replaced unasked.
    assert main([*command, "-o", str(tmp_path / "best.json")]) == 2
    assert "--overwrite" in capsys.readouterr().err


def test_a_sweep_by_the_score(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [
        "tune",
        str(folder / "noisy.npy"),
        "--pipeline",
        str(folder / "gaussian.json"),
        "--method",
        "sweep",
    ]
    command += ["--parameter", "gaussian.sigma=3:12", "--trials", "3", "--aim", "score", "--slices", "1"]
    assert main([*command, "-o", str(tmp_path / "best.json")]) == 0
    assert capsys.readouterr().out.startswith("Nothing beats leaving the slices unfiltered (score ")
    table = pd.read_csv(tmp_path / "best.csv")
    assert table["gaussian.sigma"][1:].tolist() == [3, 6, 12]
    assert [step.on for step in Pipeline.load(tmp_path / "best.json").steps] == [False]


def test_pipelines_are_compared_under_the_names_of_their_files(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["compare", str(folder / "noisy.npy"), "--slices", ":2"]
    command += ["--pipeline", str(folder / "gaussian.json"), "--pipeline", str(folder / "median.json")]
    files = ["-o", str(tmp_path / "compare.csv"), "--figure", str(tmp_path / "compare.png")]
    assert main([*command, *files]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in printed[1:4]] == ["unfiltered", "gaussian", "median"]
    assert "±" in printed[2]
    rows = pd.read_csv(tmp_path / "compare.csv")
    assert rows["pipeline"].tolist() == ["unfiltered"] * 2 + ["gaussian"] * 2 + ["median"] * 2
    record = json.loads((tmp_path / "compare.csv.json").read_text())
    assert list(record["pipelines"]) == ["unfiltered", "gaussian", "median"]
    assert skimage.io.imread(tmp_path / "compare.png").std() > 0
    assert main([*command, *files]) == 2
    assert "--overwrite" in capsys.readouterr().err


def test_two_files_of_one_name_are_told_apart_by_their_folders(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "gaussian.json"
    Pipeline([Step("gaussian", {"sigma": 2})]).save(other)
    command = ["compare", str(folder / "noisy.npy"), "--slices", "0", "--pipeline", str(other)]
    assert main([*command, "--pipeline", str(folder / "gaussian.json")]) == 0
    out = capsys.readouterr().out
    assert str(tmp_path / "gaussian") in out
    assert str(folder / "gaussian") in out
    assert main([*command, "--pipeline", str(other)]) == 2
    assert "given twice" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "options", "sentence"),
    [
        ("tune", ["--parameter", "gaussian.radius"], "no parameter 'radius'"),
        ("tune", ["--parameter", "gaussian.sigma=4:1"], "the lower end first"),
        ("tune", ["--slices", "3"], "no slice 3"),
        ("tune", ["--model", "gone.tiqa"], "gone.tiqa"),
        ("tune", ["--trials", "1"], "2 trials or more"),
        ("tune", ["-o", "/no/such/folder/best.json"], "/no/such/folder"),
        ("tune", ["-o", "best.csv"], "ends in .json"),
        ("tune", ["--pipeline", "gone.json"], "gone.json"),
        ("compare", ["--pipeline", "gone.json"], "gone.json"),
        ("compare", ["--figure", "/no/such/folder/a.png"], "/no/such/folder"),
        ("compare", ["--slices", "3"], "no slice 3"),
    ],
)
def test_mistakes_are_one_sentence(
    command: str,
    options: list[str],
    sentence: str,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [command, str(folder / "noisy.npy"), "--pipeline", str(folder / "gaussian.json")]
    output = ["-o", str(tmp_path / ("best.json" if command == "tune" else "compare.csv"))]
    assert main([*given, *output, *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = [line for line in err.splitlines() if line.startswith("napari-tiqa: ")]
    assert sentence in line
    assert not list(tmp_path.iterdir())


def test_ctrl_c_keeps_the_best_so_far(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], interrupt_at: Callable[[int], None]
) -> None:
    command = ["tune", str(folder / "noisy.npy"), "--pipeline", str(folder / "gaussian.json")]
    interrupt_at(2)  # the unfiltered slices, then the first setting
    output = ["-o", str(tmp_path / "best.json")]
    assert main([*command, "--slices", "0", "--trials", "3000", *output]) == 130
    assert capsys.readouterr().out.startswith("Stopped after ")
    table = pd.read_csv(tmp_path / "best.csv")
    assert 1 < len(table) < 3001
    best = Pipeline.load(tmp_path / "best.json")
    assert json.loads((tmp_path / "best.csv.json").read_text())["best"] == best.to_dict()
