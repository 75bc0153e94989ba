"""The Compare tab in a real viewer with a real model process: add, compare, use, save, fail well."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QFileDialog

from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.jobs.filtering.compare import CompareProgress, Comparison, compare
from napari_tiqa.widgets.filtering.compare.tab import FilterCompareTab
from napari_tiqa.widgets.filtering.state import FilterState
from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.read_layer import read_layer
from napari_tiqa.widgets.shared.slice_source import SliceSource

TIMEOUT = 200_000  # ms, for a model process that has to import Keras on a busy machine
MILD, STRONG = (Pipeline([Step("gaussian", {"sigma": sigma})]) for sigma in (0.7, 5))
TOO_LARGE = Pipeline([Step("gaussian", {"sigma": 20})])  # for slices of 64 x 64 px
PIPELINES = {"mild": MILD, "strong": STRONG, "too large": TOO_LARGE}
GAIN, SCORE = 1, 2  # columns


def noisy_blocks() -> np.ndarray:
    """Return squares with noise, float32."""
    rng = np.random.default_rng(0)
    blocks = np.kron(rng.random((7, 8, 8)), np.ones((1, 8, 8)))
    return (blocks + rng.normal(0, 0.15, blocks.shape)).astype("f4")


@pytest.fixture(scope="module")
def comparison(untrained_model: Path) -> Comparison:
    return compare(noisy_blocks(), PIPELINES, model=untrained_model)


@pytest.fixture
def state(viewer: Viewer, untrained_model: Path) -> FilterState:
    """Return what the dock shares: slice 3 of a small noisy volume."""
    layer = viewer.add_image(noisy_blocks(), name="blocks")
    state = FilterState()
    state.set_model(untrained_model)
    state.set_source(SliceSource(layer, layer.name, read_layer(layer), axis=0, index=3))
    return state


@pytest.fixture
def tab(viewer: Viewer, state: FilterState) -> FilterCompareTab:
    tab = FilterCompareTab(state, viewer)
    viewer.window.add_dock_widget(tab, name="Compare")
    return tab


@pytest.fixture
def compared(tab: FilterCompareTab, comparison: Comparison) -> FilterCompareTab:
    """Return the tab with a comparison of a mild filter, a strong one and one that cannot be applied."""
    for name, pipeline in PIPELINES.items():
        tab.list.add(name, pipeline)
    tab.show_comparison(comparison)
    return tab


def cells(tab: FilterCompareTab, column: int) -> list[str]:
    return [tab.list.topLevelItem(row).text(column) for row in range(tab.list.topLevelItemCount())]


def boxes(tab: FilterCompareTab) -> list[str]:
    """Return the pipelines that there are boxes of."""
    above, below = tab.plot.figure().axes
    names = [label.get_text() for label in below.get_xticklabels()]
    known = [bool(np.isfinite(box.get_path().vertices).all()) for box in above.patches]
    return [name for name, shown in zip(names, known, strict=True) if shown]


# -- adding ----------------------------------------------------------------------------------------


def test_the_present_pipeline_is_added_under_a_name_of_its_own(
    tab: FilterCompareTab, state: FilterState
) -> None:
    assert not tab.form.run_row.start_button.isEnabled()
    state.set_pipeline(Pipeline([*MILD.steps, Step("median"), Step("bilateral", on=False)]))
    assert tab.form.name.placeholderText() == "Gaussian + Median"
    tab.form.add_button.click()
    tab.form.add_button.click()
    tab.form.name.setText("mine")
    tab.form.add_button.click()
    assert cells(tab, 0) == ["unfiltered", "Gaussian + Median", "Gaussian + Median 2", "mine"]
    assert tab.list.pipelines["mine"] == state.pipeline
    assert len(set(tab.list.colours.values())) == 4
    assert tab.form.run_row.start_button.isEnabled()


def test_a_pipeline_without_a_step_is_what_unfiltered_shows(tab: FilterCompareTab) -> None:
    tab.form.add_button.click()
    assert "All steps are off" in tab.message.text()
    assert cells(tab, 0) == ["unfiltered"]


def test_pipelines_are_added_from_files_and_those_that_are_none_are_named(
    tab: FilterCompareTab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    MILD.save(tmp_path / "mild.json")
    (tmp_path / "letter.json").write_text("{}")
    chosen = [str(tmp_path / name) for name in ("letter.json", "mild.json")]
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (chosen, ""))
    tab.form.files_button.click()
    assert tab.list.pipelines == {"mild": MILD}
    assert "letter.json is not a filter pipeline" in tab.message.text()


def test_names_are_changed_but_never_taken_twice(tab: FilterCompareTab) -> None:
    tab.list.add("one", MILD)
    tab.list.add("two", STRONG)
    tab.list.topLevelItem(2).setText(0, "one")
    tab.list.topLevelItem(1).setText(0, "  ")
    assert cells(tab, 0) == ["unfiltered", "one", "one 2"]
    assert tab.list.pipelines == {"one": MILD, "one 2": STRONG}


def test_unfiltered_cannot_be_removed(tab: FilterCompareTab) -> None:
    tab.list.add("one", MILD)
    tab.list.choose("unfiltered")
    assert not tab.form.remove_button.isEnabled()
    tab.list.choose("one")
    tab.form.remove_button.click()
    assert cells(tab, 0) == ["unfiltered"]


# -- comparing -------------------------------------------------------------------------------------


def test_pipelines_are_compared_on_the_same_slices(
    tab: FilterCompareTab, comparison: Comparison, qtbot: QtBot
) -> None:
    for name, pipeline in PIPELINES.items():
        tab.list.add(name, pipeline)
    with qtbot.waitSignal(tab.job.ended, timeout=TIMEOUT):
        tab.form.run_row.start_button.click()
    assert tab.job.state is JobState.DONE, tab.message.text()
    assert tab.comparison is not None
    assert tab.comparison.slices == (0, 2, 3, 4, 6)  # a few, evenly spread
    assert tab.message.text() == tab.comparison.sentence()
    columns = ["pipeline", "slice", "score", "detail_loss"]
    pd.testing.assert_frame_equal(tab.comparison.rows[columns], comparison.rows[columns])


def test_the_list_says_what_was_found(compared: FilterCompareTab, comparison: Comparison) -> None:
    table = comparison.table()
    shown = [f"{score:.2f}" for score in table["score"].iloc[:3]]
    assert cells(compared, SCORE) == [*shown, ""]
    assert cells(compared, GAIN)[3] == "failed"
    bold = [compared.list.topLevelItem(row).font(0).bold() for row in range(4)]
    assert bold.index(True) == table["objective"].idxmax()
    assert bold.count(True) == 1
    assert cells(compared, GAIN)[0] == ""
    assert "choose a smaller sigma" in compared.list.topLevelItem(3).toolTip(SCORE)
    assert boxes(compared) == ["unfiltered", "mild", "strong"]


def test_a_pipeline_is_taken_over(compared: FilterCompareTab, state: FilterState) -> None:
    compared.list.choose("unfiltered")
    assert not compared.use_button.isEnabled()
    compared.list.choose("strong")
    compared.use_button.click()
    assert state.pipeline == STRONG


def test_what_was_compared_stays_when_rows_are_renamed_added_and_removed(compared: FilterCompareTab) -> None:
    scores = cells(compared, SCORE)
    compared.list.topLevelItem(1).setText(0, "renamed")
    assert cells(compared, SCORE) == scores
    assert boxes(compared) == ["unfiltered", "renamed", "strong"]
    compared.list.add("new", MILD)
    assert cells(compared, SCORE) == [*scores, ""]
    compared.list.choose("strong")
    compared.form.remove_button.click()
    assert cells(compared, SCORE) == [scores[0], scores[1], scores[3], ""]
    assert boxes(compared) == ["unfiltered", "renamed"]


def test_a_cancelled_comparison_shows_what_is_done(tab: FilterCompareTab, qtbot: QtBot) -> None:
    for number in range(300):
        tab.list.add(f"{number}", Pipeline([Step("gaussian", {"sigma": 0.5 + number / 300})]))

    def cancel(news: CompareProgress) -> None:
        if news.done == 3:
            tab.form.run_row.cancel_button.click()

    tab.job.progressed.connect(cancel)
    with qtbot.waitSignal(tab.job.ended, timeout=TIMEOUT):
        tab.form.run_row.start_button.click()
    assert tab.job.state is JobState.DONE
    assert tab.comparison is not None
    assert not tab.comparison.complete
    assert 3 <= len(tab.comparison.trials) < 301
    assert tab.message.text().startswith("Stopped after ")


def test_a_comparison_ends_with_its_layer(
    viewer: Viewer, tab: FilterCompareTab, state: FilterState, qtbot: QtBot
) -> None:
    for sigma in range(1, 9):
        tab.list.add(f"sigma {sigma}", Pipeline([Step("gaussian", {"sigma": sigma})]))
    layer = state.source.layer
    tab.job.progressed.connect(lambda _: layer in viewer.layers and viewer.layers.remove(layer))
    with qtbot.waitSignal(tab.job.ended, timeout=TIMEOUT):
        assert tab.start()
    assert tab.comparison is None
    assert "was removed, so the comparison was stopped." in tab.message.text()


def test_what_cannot_be_compared_is_said(tab: FilterCompareTab, state: FilterState) -> None:
    tab.list.add("mild", MILD)
    tab.form.slices.choose("99")
    assert not tab.start()
    assert "choose from 0 to 6" in tab.message.text()
    state.set_source(None)
    assert not tab.start()
    assert "There is no image layer to compare on" in tab.message.text()


# -- keeping ---------------------------------------------------------------------------------------


def test_table_and_picture_are_saved(
    compared: FilterCompareTab, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared.list.topLevelItem(1).setText(0, "renamed")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "rows.csv"), ""))
    compared.csv_button.click()
    rows = pd.read_csv(tmp_path / "rows.csv")
    assert rows["pipeline"].unique().tolist() == ["unfiltered", "renamed", "strong", "too large"]
    assert len(rows) == 20
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "boxes.png"), ""))
    with qtbot.waitSignal(compared.saving.ended, timeout=TIMEOUT):
        compared.png_button.click()
    picture = cv2.imread(str(tmp_path / "boxes.png"))
    assert min(picture.shape[:2]) > 1000
    assert picture.std() > 10


def test_what_cannot_be_saved_is_said(compared: FilterCompareTab, tmp_path: Path, qtbot: QtBot) -> None:
    compared.save_csv(tmp_path / "none" / "rows.csv")
    assert "cannot be written" in compared.message.text()
    compared.message.say("")
    with qtbot.waitSignal(compared.saving.ended, timeout=TIMEOUT):
        compared.save_png(tmp_path / "none" / "boxes.png")
    assert "cannot be written" in compared.message.text()
