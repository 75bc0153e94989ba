"""Pipelines: order, steps that are off, JSON both ways, and what a damaged file says."""

import json
from pathlib import Path

import numpy as np
import pytest

from napari_tiqa.errors import FilterError
from napari_tiqa.filtering.catalogue import FILTERS
from napari_tiqa.filtering.pipeline import Pipeline, Step


@pytest.fixture
def plane() -> np.ndarray:
    return np.random.default_rng(0).normal(100, 10, (64, 64)).astype("float32")


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline([Step("median", {"radius": 2}), Step("gaussian", {"sigma": 3}, on=False), Step("gamma")])


def test_nothing_changes_nothing(plane: np.ndarray) -> None:
    result = Pipeline()(plane)
    np.testing.assert_array_equal(result, plane)
    assert result is not plane


def test_steps_are_applied_in_their_order(plane: np.ndarray) -> None:
    window = (50.0, 150.0)
    sharpen, smooth = Step("unsharp_mask"), Step("median", {"radius": 2})
    there, back = Pipeline([sharpen, smooth])(plane, window), Pipeline([smooth, sharpen])(plane, window)
    assert np.abs(there - back).max() > 1
    expected = FILTERS["median"](FILTERS["unsharp_mask"](plane, window), window, radius=2)
    np.testing.assert_allclose(there, expected, atol=1e-3)


def test_a_step_that_is_off_is_not_applied(plane: np.ndarray, pipeline: Pipeline) -> None:
    without = Pipeline([pipeline.steps[0], pipeline.steps[2]])
    np.testing.assert_array_equal(pipeline(plane), without(plane))
    assert pipeline.describe() == "Median (radius 2 px), Gamma (gamma 0.8)"


def test_defaults_are_filled_in() -> None:
    step = Step("bilateral", {"radius": 2})
    assert step.parameters == {"radius": 2, "contrast": FILTERS["bilateral"].parameters["contrast"].default}


def test_with_parameter_changes_one_and_leaves_the_old_one_alone(pipeline: Pipeline) -> None:
    changed = pipeline.with_parameter(0, "radius", 3)
    assert [step.parameters.get("radius") for step in (pipeline.steps[0], changed.steps[0])] == [2, 3]
    assert changed.steps[1:] == pipeline.steps[1:]
    with pytest.raises(FilterError, match=r"^The pipeline has no step 3: it has 3, counted from 0\.$"):
        pipeline.with_parameter(3, "radius", 1)
    with pytest.raises(FilterError, match=r"^radius of median is 9, outside its range: choose 1 to 4 px\.$"):
        pipeline.with_parameter(0, "radius", 9)


def test_saved_and_loaded_it_is_the_same(tmp_path: Path, plane: np.ndarray) -> None:
    every = Pipeline([Step(name) for name in FILTERS])
    every.save(tmp_path / "every.json")
    loaded = Pipeline.load(tmp_path / "every.json")
    assert loaded == every
    assert json.loads((tmp_path / "every.json").read_text())["format_version"] == 1


def test_a_file_is_kept_where_a_new_one_cannot_be_written(tmp_path: Path, pipeline: Pipeline) -> None:
    with pytest.raises(FilterError, match=r"^The pipeline cannot be written to .* choose another place\.$"):
        pipeline.save(tmp_path / "no folder" / "p.json")
    pipeline.save(tmp_path / "p.json")
    with pytest.raises(FilterError, match=r"^The pipeline cannot be written to .* choose another place\.$"):
        Pipeline().save(tmp_path)  # a folder
    assert Pipeline.load(tmp_path / "p.json") == pipeline
    assert [path.name for path in tmp_path.iterdir()] == ["p.json"]


def saved(steps: object, **others: object) -> dict:
    return {"format": "napari-tiqa pipeline", "format_version": 1, "steps": steps, **others}


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([], "is not a filter pipeline"),
        ("gaussian", "is not a filter pipeline"),
        ({"steps": []}, "is not a filter pipeline"),
        (saved([], format="ImageJ macro"), "is not a filter pipeline"),
        (saved([], format_version=2), "is a pipeline of version 2, this napari-tiqa reads version 1"),
        (saved([], format_version=None), "is a pipeline of version None"),
        (saved(None), "has a step without filter or parameters"),
        (saved("gaussian"), "has a step without filter or parameters"),
        (saved({"gaussian": {}}), "has a step without filter or parameters"),
        (saved([{"filter": "gaussian"}]), "has a step without filter or parameters"),
        (saved([{"parameters": {}}]), "has a step without filter or parameters"),
        (saved([{"filter": ["gaussian"], "parameters": {}}]), "has a step without filter or parameters"),
        (saved([{"filter": "gaussian", "parameters": 2}]), "has a step without filter or parameters"),
        (saved([{"filter": "blur", "parameters": {}}]), "cannot be used: There is no filter 'blur'"),
        (
            saved([{"filter": "gaussian", "parameters": {"radius": 1}}]),
            "cannot be used: gaussian has no parameter 'radius'",
        ),
        (
            saved([{"filter": "gaussian", "parameters": {"sigma": 99}}]),
            "cannot be used: sigma of gaussian is 99, outside its range",
        ),
        (
            saved([{"filter": "gaussian", "parameters": {"sigma": None}}]),
            "cannot be used: sigma of gaussian cannot be None",
        ),
        (
            saved([{"filter": "gaussian", "parameters": {"sigma": float("nan")}}]),
            "cannot be used: sigma of gaussian cannot be nan",
        ),
        (
            saved([{"filter": "gaussian", "parameters": {}, "on": "false"}]),
            "cannot be used: on of gaussian cannot be 'false'",
        ),
    ],
)
def test_a_file_that_is_no_pipeline_says_so_in_one_sentence(
    tmp_path: Path, values: object, says: str
) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps(values))
    with pytest.raises(FilterError) as caught:
        Pipeline.load(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path} {says}")
    assert sentence.endswith(".")
    assert "\n" not in sentence


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[1, 2"])
def test_a_file_that_is_no_json_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p.json"
    path.write_bytes(content)
    with pytest.raises(FilterError, match=r"is not a JSON file \(.*\): choose a file that napari-tiqa saved"):
        Pipeline.load(path)


def test_a_file_that_is_missing_says_so(tmp_path: Path) -> None:
    with pytest.raises(FilterError, match=r"cannot be read \(No such file or directory\): check the path\.$"):
        Pipeline.load(tmp_path / "none.json")
    with pytest.raises(FilterError, match=r"cannot be read \(Is a directory\): check the path\.$"):
        Pipeline.load(tmp_path)
