"""Arguments of the wrong kind: one sentence from every verb, before any work; close kinds are understood."""

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_tiqa
from napari_tiqa import Pipeline, Step, TiqaError, open_volume
from napari_tiqa.errors import ArgumentError, VolumeError
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.slices import chosen_slices
from napari_tiqa.volumes.window import IntensityWindow, as_window
from tests.test_face import SUBJECTS

PIXELS = np.random.default_rng(0).random((8, 40, 50)).astype("float32")
LABELS = (PIXELS > 0.5).astype("uint8") + 1
PIPELINE = Pipeline([Step("gaussian", {"sigma": 1.0})])

JUNK: dict[str, list[Any]] = {
    "volume": [None, 5, "", "nowhere.tif", object(), b"a.tif"],
    "image": [None, 5, "", "nowhere.tif", object(), PIXELS],
    "slices": [5, 1.5, [0.5], [None], "abc", object(), [99], []],
    "axis": ["w", 3, -1, 1.5, None, True, [0]],
    "window": [
        *([1], (1, 2, 3), "01", "ab", {}, {1: 2, 3: 4}, ("0", "1")),
        *(5, (None, 1), (2, 1), np.eye(2), [1, np.nan]),
    ],
    "region": [5, "nowhere.tif", [[1]], object()],
    "model": [5, b"x", [], "", "nowhere.tiqa"],
    "quality_model": [5, "nowhere.tiqa"],
    "progress": [5, "print"],
    "cancel": [5, True],
    "index": ["a", 1.5, None, 99],
    "stride": ["a", 1.5, 0, None],
    "view": [5, None, "side"],
    "aim": [5, None, "high"],
    "method": [5, None, "guess"],
    "trials": ["a", 1.5, 0],
    "pipeline": [5, "gaussian", None, []],
    "pipelines": [5, None, [PIPELINE], {"a": 5}, {}],
    "parameters": [5, [5], 1.5, "gaussian.x", []],
    "output": [5, "", b"x"],
    "format": [5, "png"],
    "labels": [None, 5, "nowhere.tif", PIXELS, LABELS[:4]],
    "validation_labels": [5, "nowhere.tif", PIXELS],
    "unlabelled": ["a", 1.5, [0]],
    "names": [5, [1, 2], ["a"]],
    "recipe": [5, "recipe.json", {}],
    "run_folder": [5, ""],
    "seed": ["a", 1.5],
    "value": ["a", 99],
    "dataset": [5, None, "nowhere"],
}
GOOD: dict[str, Any] = {
    "volume": PIXELS,
    "image": PIXELS[0],
    "pipeline": PIPELINE,
    "pipelines": {"smooth": PIPELINE},
    "parameters": None,
    "labels": LABELS,
    "index": 0,
    "dataset": "nowhere",
    "recipe": napari_tiqa.TrainingRecipe(("nowhere",)),
}


@pytest.mark.parametrize("verb", SUBJECTS)
def test_every_verb_answers_a_wrong_argument_in_one_sentence(verb: str, tmp_path: Path) -> None:
    parameters = inspect.signature(getattr(napari_tiqa, verb)).parameters
    good = {name: value for name, value in GOOD.items() if name in parameters}
    if "output" in parameters and verb != "segment":
        good["output"] = tmp_path / "out.tif"
    wrong = []
    for name in parameters:
        for value in JUNK.get(name, []):
            try:
                getattr(napari_tiqa, verb)(**{**good, name: value})
                wrong.append(f"{name}={value!r:.40}: no error")
            except TiqaError as error:
                if "\n" in str(error) or not str(error).endswith("."):
                    wrong.append(f"{name}={value!r:.40}: {error}")
            except Exception as error:
                wrong.append(f"{name}={value!r:.40}: {type(error).__name__} {error}")
    assert not wrong, "\n".join(wrong)


def test_window_is_estimated_of_whatever_can_be_opened() -> None:
    window = napari_tiqa.estimate_window(PIXELS)
    assert window == napari_tiqa.estimate_window(as_volume(PIXELS))
    for wrong in (None, 5, "nowhere.tif"):
        with pytest.raises(VolumeError):
            napari_tiqa.estimate_window(wrong)
    for wrong in (0, -1, 1.5, "a"):
        with pytest.raises(ArgumentError, match=r"^max_slices="):
            napari_tiqa.estimate_window(PIXELS, wrong)


def test_argument_is_named() -> None:
    for name, value in (("cancel", 5), ("progress", "print"), ("model", 5), ("view", None)):
        with pytest.raises(ArgumentError, match=rf"^{name}="):
            napari_tiqa.score_volume(PIXELS, **{name: value})
    with pytest.raises(TypeError):  # as Python's own functions say it
        napari_tiqa.score_volume(PIXELS, cancel=5)
    with pytest.raises(VolumeError, match=r"^window="):
        napari_tiqa.score_volume(PIXELS, window=(1, 2, 3))
    with pytest.raises(TiqaError, match=r"^parameters=5 "):
        napari_tiqa.tune(PIXELS, PIPELINE, 5)


@pytest.mark.parametrize("window", [(0, 1), [0, 1], np.array([0, 1]), (np.float32(0), np.int8(1))])
def test_window_is_any_two_numbers(window: Any) -> None:
    assert as_window(window) == IntensityWindow(0, 1, "given")


@pytest.mark.parametrize(("axis", "number"), [("z", 0), ("Y", 1), ("x", 2), (np.int64(1), 1)])
def test_axis_is_a_number_or_a_letter(axis: Any, number: int) -> None:
    volume = as_volume(PIXELS)
    assert volume.axis_number(axis) == number
    np.testing.assert_array_equal(volume.slice(axis, 2), PIXELS.take(2, number))
    assert len(chosen_slices(volume, None, axis)) == PIXELS.shape[number]
    table = napari_tiqa.measure_volume(PIXELS, slices=[2], axis=axis)
    assert table.attrs["axis"] == number
    filtered = napari_tiqa.filter_volume(PIXELS, PIPELINE, axis=axis, window=[0, 1])
    assert filtered.data.shape == PIXELS.shape


def test_names_that_begin_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    with pytest.raises(VolumeError, match="no file or folder"):
        open_volume("~nobody.npy")
    np.save(tmp_path / "~nobody.npy", PIXELS)
    np.testing.assert_array_equal(open_volume("~nobody.npy").slice(0, 1), PIXELS[1])
    np.testing.assert_array_equal(open_volume("~/~nobody.npy").slice(0, 1), PIXELS[1])
