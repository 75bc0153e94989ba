"""Files of ours that hold JSON, damaged or made up: one sentence at most, whatever their depth and length."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_tiqa.errors import TiqaError
from napari_tiqa.filtering.pipeline import Pipeline, Step, holds_pipeline
from napari_tiqa.jobs.filtering.unfinished_export import read_plan, unfinished_folder
from napari_tiqa.jobs.segmentation.store import SegmentationStore
from napari_tiqa.learning.images.dataset import DATASET_FILE, dataset_record, read_dataset
from napari_tiqa.learning.ratings.session_files import SESSION_FILE, read_record
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.scoring import recent_models
from napari_tiqa.scoring.table import read_scores
from napari_tiqa.segmentation.recipe import SegmentationRecipe
from napari_tiqa.volumes.applied import KEY, applied_in, note_in, window_in

DEEP = "[" * 100_000 + "]" * 100_000
DEEP_INSIDE = '{"format": ' * 10_000 + "1" + "}" * 10_000
LONG = "n" * 100_000
TEXTS = {
    "nested lists": DEEP,
    "nested objects": DEEP_INSIDE,
    "empty": "",
    "a number": "3",
    "a text": json.dumps(LONG),
    "an empty list": "[]",
    "an empty object": "{}",
    "a number of 400 digits": '{"format_version": 1' + "0" * 400 + "}",
    "a number of 5000 digits": '{"format_version": 1' + "0" * 5000 + "}",
    "not a number": '{"format": NaN}',
    "another type": '{"format": [], "format_version": {}, "runs": 3, "record": null}',
    "not text": "\udcff",
}

READERS: dict[str, Callable[[Path], object]] = {}


def reader(read: Callable[[Path], object]) -> Callable[[Path], object]:
    READERS[read.__name__] = read
    return read


@reader
def pipeline(path: Path) -> object:
    holds_pipeline(path)
    return Pipeline.load(path)


@reader
def scores_record(path: Path) -> object:
    table = path.with_suffix("")
    table.write_text("slice,position,score,uncertainty,ring,blur,noise,reason\n0,0,3,,0,1,1,\n")
    return read_scores(table)


@reader
def dataset(path: Path) -> object:
    path.rename(path.with_name(DATASET_FILE))
    dataset_record(path.parent)
    return read_dataset(path.parent)


@reader
def rating_session(path: Path) -> object:
    path.rename(path.with_name(SESSION_FILE))
    return read_record(path.parent)


@reader
def recipe(path: Path) -> object:
    return TrainingRecipe.from_json(path.read_text(errors="replace"))


@reader
def segmentation_recipe(path: Path) -> object:
    return SegmentationRecipe.from_json(path.read_text(errors="replace"))


@reader
def plan_of_an_export(path: Path) -> object:
    output = path.with_name("out.zarr")
    unfinished_folder(output).mkdir()
    path.rename(unfinished_folder(output) / "export.json")
    return read_plan(output)


@reader
def segmentation(path: Path) -> object:
    path.rename(path.with_name(".zattrs"))
    return SegmentationStore.open(path.parent)


@reader
def note_in_a_volume(path: Path) -> object:
    note = note_in(path.read_text(errors="replace"))
    return window_in(applied_in(note))


@reader
def models_used_before(path: Path) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recent_models, "_file", lambda: path)
        return recent_models.recent_models()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_it_is_refused_in_a_sentence_or_passed_over(
    read: Callable[[Path], object], text: str, tmp_path: Path
) -> None:
    path = tmp_path / "table.csv.json"
    path.write_text(text, errors="surrogateescape")
    said = "."
    try:
        read(path)
    except TiqaError as error:
        said = str(error)
    assert said.endswith(".")
    assert len(said) < 1000


@pytest.mark.parametrize("value", [10**400, -(10**400), 1e400, LONG, [], {}, None, True, DEEP[:50_000]])
def test_a_parameter_of_any_kind_is_refused_in_a_sentence(value: object) -> None:
    values = Pipeline([Step("gaussian")]).to_dict()
    values["steps"][0]["parameters"]["sigma"] = value
    with pytest.raises(TiqaError) as error:
        Pipeline.from_dict(values)
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize("step", [3, None, [], LONG, {"filter": LONG, "parameters": {}}, {"filter": []}])
def test_a_step_of_any_kind_is_refused_in_a_sentence(step: object) -> None:
    values = Pipeline([Step("gaussian")]).to_dict() | {"steps": [step]}
    with pytest.raises(TiqaError) as error:
        Pipeline.from_dict(values)
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize(
    "applied", [3, [3], [{"window": 3}], [{"window": {"low": LONG, "high": []}}], {"window": None}]
)
def test_a_record_of_any_kind_gives_no_window(applied: object) -> None:
    assert window_in(applied_in(note_in(json.dumps({KEY: {"applied": applied}})))) is None


@pytest.mark.parametrize(
    "row",
    [
        f"{LONG},a,a,,0,5",
        "../x,a,a,,0,5",
        "x,a,a,noise,1e400,3",
        "x,a,a,,9" + "9" * 400 + ",3",
        "x,a,a,,0,nan",
    ],
)
def test_a_table_of_images_is_refused_in_a_sentence(row: str, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    record = {"format": "napari-tiqa dataset", "format_version": 1}
    (tmp_path / DATASET_FILE).write_text(json.dumps(record))
    (tmp_path / "images.csv").write_text(f"file,original,specimen,distortion,level,label\n{row}\n")
    with pytest.raises(TiqaError) as error:
        read_dataset(tmp_path)
    assert len(str(error.value)) < 1000
    assert "images.csv" in str(error.value) or "image" in str(error.value)
