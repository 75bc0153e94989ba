"""Evaluating a model from Python and the shell: real model process, real dataset, clear sentences."""

import contextlib
import io
import json
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_tiqa.cli import main
from napari_tiqa.errors import Cancelled
from napari_tiqa.jobs.learning.evaluate import EvaluationProgress, evaluate
from napari_tiqa.learning.images.dataset import Dataset, write_dataset
from napari_tiqa.learning.images.groups import Group, distortion_group
from napari_tiqa.learning.ratings.table import Rating, rating_table
from napari_tiqa.scoring.scale import ARTEFACTS
from napari_tiqa.volumes.simulation.microstructures import KINDS, microstructure

KEPT = np.array([0, 1, 2, 3, 6, 7, 8, 11, 13, 15])  # the original and some levels of each distortion


@pytest.fixture(scope="module")
def groups() -> list[Group]:
    """Four originals of ten versions, labelled by level."""
    made = []
    for seed, kind in enumerate(KINDS[:4]):
        group = distortion_group(kind, microstructure(kind, (224, 224), seed).astype(np.float32), seed)
        group = group.subset(KEPT)
        made.append(group.with_labels(5 - 0.75 * group.levels))
    return made


@pytest.fixture(scope="module")
def dataset(groups: list[Group], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of a dataset folder; three raters have rated the undistorted images and their worst rings."""
    files = [[f"{group.specimen}_{n}.tif" for n in range(len(KEPT))] for group in groups]
    ratings = [
        Rating(file[n], rater, score, f"2026-11-23T08:00:0{n}Z")
        for file in files
        for n, scores in ((0, (5, 5, 4)), (len(KEPT) - 1, (1, 2, 1)))
        for rater, score in zip("ABC", scores, strict=True)
    ]
    folder = tmp_path_factory.mktemp("data") / "dataset"
    names = [group.specimen for group in groups]
    write_dataset(folder, Dataset(groups, names, files, rating_table(ratings)), {})
    return folder


@pytest.fixture(scope="module")
def printed(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What the command printed, and the folder that it wrote."""
    folder = tmp_path_factory.mktemp("out") / "evaluation"
    command = ["evaluate", str(dataset), "-o", str(folder), "--resamples", "20", "--json"]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(command) == 0
    return out.getvalue(), folder


def test_json_has_the_table_of_the_model_and_each_baseline(printed: tuple[str, Path]) -> None:
    document = json.loads(printed[0])
    table = pd.DataFrame(document["table"])
    assert table.groupby("judged", sort=False)["family"].agg(list).to_dict() == {
        title: ["blur", "noise", "ring", "all distortions"]
        for title in (
            "napari-tiqa default",
            "BRISQUE (stock)",
            "frozen ImageNet features + ridge",
            "look-up of distortion and level",
        )
    }
    assert (table["images"] == [16, 16, 16, 40] * 4).all()
    ours = table[table["judged"] == "napari-tiqa default"].set_index("family")
    assert ours["within"].drop("all distortions").min() > 0.5
    assert ours["srocc_low"].le(ours["srocc"]).all()
    assert ours.loc["ring", "cc_0"] > 0.8  # the raters tell the worst rings from no rings
    assert len(document["notes"]) == 2
    assert document["notes"][0].startswith("8 of 40 labels are means of people's ratings")


def test_the_look_up_has_not_seen_the_labels_it_is_judged_by(printed: tuple[str, Path]) -> None:
    images = pd.read_csv(printed[1] / "images.csv", keep_default_na=False)
    rated = images[(images["family"] == "ring") & (images["level"] == 5)]
    assert (rated["raters"] == 3).all()
    # All four were rated alike, so the other specimens' mean is the label itself.
    assert rated["look-up of distortion and level"].to_numpy() == pytest.approx(rated["label"])


def test_folder_has_tables_record_and_figures(printed: tuple[str, Path], dataset: Path) -> None:
    folder = printed[1]
    assert sorted(path.name for path in folder.iterdir()) == [
        "boxes.png",
        "images.csv",
        "record.json",
        "residuals.csv",
        "scatter.png",
        "table.csv",
    ]
    assert all((folder / name).read_bytes().startswith(b"\x89PNG") for name in ("boxes.png", "scatter.png"))
    record = json.loads((folder / "record.json").read_text())
    assert record["dataset"] == str(dataset)
    assert len(record["models"][0]["sha256"]) == 64
    images = pd.read_csv(folder / "images.csv")
    assert len(images) == 40
    assert images[[*ARTEFACTS]].sum(axis=1).to_numpy() == pytest.approx(
        5 - images["score"].to_numpy(), abs=1e-3
    )


def test_an_evaluation_is_not_replaced_unasked(
    printed: tuple[str, Path], dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (printed[1] / "table.csv").read_bytes()
    assert main(["evaluate", str(dataset), "-o", str(printed[1])]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert (printed[1] / "table.csv").read_bytes() == before


def test_cancel_ends_an_evaluation_under_way(dataset: Path) -> None:
    before = set(threading.enumerate())  # the model process that tests share may run
    cancel = threading.Event()
    seen: list[EvaluationProgress] = []

    def progress(news: EvaluationProgress) -> None:
        seen.append(news)
        cancel.set()

    with pytest.raises(Cancelled, match="The evaluation was cancelled"):
        evaluate(model=None, dataset=dataset, progress=progress, cancel=cancel)
    assert len(seen) == 1
    begun = set(threading.enumerate()) - before
    assert not any(thread.name == "model process" for thread in begun)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{dataset}", "--model", "gone.tiqa"], "There is no model bundle at"),
        (["{dataset}/images"], "is not a dataset"),
    ],
)
def test_what_cannot_be_evaluated_is_said_in_one_sentence(
    dataset: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert main(["evaluate", *(argument.format(dataset=dataset) for argument in arguments)]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("napari-tiqa: ")
    assert sentence in error


def test_an_unknown_baseline_is_refused_before_any_work(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["evaluate", str(dataset), "--baselines", "brisque,niqe"])
    assert "'niqe' is not one of brisque, rankiqa, ridge, lookup" in capsys.readouterr().err
