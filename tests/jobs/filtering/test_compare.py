"""Comparing pipelines: the same slices for all, the unfiltered ones beside them, a figure of it."""

import io
import json
import threading

import numpy as np
import pytest
import scipy.ndimage
import skimage.io

from napari_tiqa import score_volume
from napari_tiqa.errors import BundleError, FilterError, TiqaError, VolumeError
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.jobs.filtering.compare import UNFILTERED, CompareProgress, Comparison, compare
from napari_tiqa.jobs.filtering.comparison_figure import comparison_figure

PIPELINES = {
    "mild": Pipeline([Step("gaussian", {"sigma": 0.8})]),
    "coarse tiles": Pipeline([Step("clahe", {"tile": 1024})]),  # too large for the slices
    "strong": Pipeline([Step("gaussian", {"sigma": 6})]),
}


@pytest.fixture(scope="module")
def noisy() -> np.ndarray:
    """Return slightly noisy blobs of two phases, shape (6, 224, 224), uint16."""
    rng = np.random.default_rng(0)
    smooth = scipy.ndimage.gaussian_filter(rng.random((6, 224, 224)), (0, 6, 6))
    phases = scipy.ndimage.gaussian_filter((smooth > np.median(smooth)).astype(float), (0, 0.7, 0.7))
    return (10_000 + 5_000 * (phases + rng.normal(0, 0.02, phases.shape))).clip(0).astype(np.uint16)


@pytest.fixture(scope="module")
def made(noisy: np.ndarray) -> tuple[Comparison, list[CompareProgress]]:
    seen: list[CompareProgress] = []
    return compare(noisy, PIPELINES, slices=[0, 2, -1], progress=seen.append), seen


def test_every_pipeline_sees_the_same_slices(
    made: tuple[Comparison, list[CompareProgress]], noisy: np.ndarray
) -> None:
    comparison, _ = made
    assert comparison.slices == (0, 2, 5)
    rows = comparison.rows
    assert rows["pipeline"].drop_duplicates().tolist() == [UNFILTERED, *PIPELINES]
    assert rows["slice"].tolist() == [0, 2, 5] * 4
    unfiltered = score_volume(noisy, slices=[0, 2, 5])
    there = rows[rows["pipeline"] == UNFILTERED]
    np.testing.assert_allclose(there["score"], unfiltered["score"], atol=1e-4)
    record = json.loads(json.dumps(rows.attrs))
    assert Pipeline.from_dict(record["pipelines"]["mild"]) == PIPELINES["mild"]
    assert record["window"]["low"] == unfiltered.attrs["window"]["low"]


def test_the_table_says_what_each_gains_and_costs(made: tuple[Comparison, list[CompareProgress]]) -> None:
    comparison, _ = made
    table = comparison.table().set_index("pipeline")
    assert table["better"].tolist() == [False, True, False, False]
    rows = comparison.rows.set_index("pipeline")
    differences = rows["objective"]["mild"].to_numpy() - rows["objective"][UNFILTERED].to_numpy()
    assert table["gain"]["mild"] == pytest.approx(differences.mean())
    assert table["gain"]["strong"] < -table["gain_half_width"]["strong"]
    assert 0 < table["detail_loss"]["mild"] < table["detail_loss"]["strong"] < 100
    assert table["detail_loss"][UNFILTERED] == 0
    assert table["seconds"]["mild"] > 0
    assert comparison.sentence().startswith("Best is mild: ")


def test_a_pipeline_that_cannot_be_applied_keeps_its_place_and_says_why(
    made: tuple[Comparison, list[CompareProgress]],
) -> None:
    comparison, seen = made
    assert [(one.name, one.done, one.total) for one in seen] == [
        (UNFILTERED, 1, 4),
        ("mild", 2, 4),
        ("coarse tiles", 3, 4),
        ("strong", 4, 4),
    ]
    failure = comparison.trials["coarse tiles"].failure
    assert "slice 0" in failure
    assert np.isnan(comparison.trials["coarse tiles"].score)
    assert comparison.table()["failure"].tolist() == ["", "", failure, ""]


def test_the_figure_has_a_box_per_pipeline(made: tuple[Comparison, list[CompareProgress]]) -> None:
    comparison, _ = made
    figure = comparison_figure(comparison)
    above, below = figure.axes
    assert len(above.patches) == 4
    dots = [line for line in above.lines if line.get_marker() == "."]
    np.testing.assert_allclose(dots[1].get_ydata(), comparison.trials["mild"].slice_scores)
    assert [text.get_text() for text in below.get_xticklabels()] == [UNFILTERED, *PIPELINES]
    assert [text.get_text() for text in above.texts] == ["cannot be\napplied"]
    file = io.BytesIO()
    figure.savefig(file, format="png")
    assert skimage.io.imread(file).std() > 0


def test_by_the_score_people_are_followed(noisy: np.ndarray) -> None:
    comparison = compare(noisy, {"mild": PIPELINES["mild"]}, slices=[0], aim="score")
    table = comparison.table()
    assert table["objective"].tolist() == table["score"].tolist()
    assert np.isnan(table["spread"]).all()
    assert comparison.rows.attrs["aim"] == "score"
    assert len(comparison_figure(comparison).axes[0].patches) == 2


def test_none_better_is_said(noisy: np.ndarray) -> None:
    comparison = compare(noisy, {"strong": PIPELINES["strong"]}, slices=[0, 1])
    assert comparison.sentence().startswith("No pipeline is significantly better")


def test_a_cancel_keeps_what_was_compared(noisy: np.ndarray) -> None:
    cancel = threading.Event()

    def show(progress: CompareProgress) -> None:
        if progress.name == "mild":
            cancel.set()

    comparison = compare(noisy, PIPELINES, slices=[0], progress=show, cancel=cancel)
    assert not comparison.complete
    assert list(comparison.trials) == [UNFILTERED, "mild"]
    assert comparison.rows.attrs["complete"] is False


@pytest.mark.parametrize(
    ("pipelines", "options", "error", "sentence"),
    [
        ({}, {}, FilterError, "at least one pipeline"),
        ({UNFILTERED: PIPELINES["mild"]}, {}, FilterError, "name the pipeline otherwise"),
        (PIPELINES, {"slices": [6]}, VolumeError, "no slice 6"),
        (PIPELINES, {"model": "gone.tiqa"}, BundleError, "gone.tiqa"),
        (PIPELINES, {"aim": "beauty"}, FilterError, "fidelity or score"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(
    pipelines: dict[str, Pipeline],
    options: dict[str, object],
    error: type[TiqaError],
    sentence: str,
    noisy: np.ndarray,
) -> None:
    with pytest.raises(error, match=sentence):
        compare(noisy, pipelines, **options)  # type: ignore[arg-type]
