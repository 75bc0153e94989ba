"""The Apply tab in a real viewer: the lazy layer, exports to real files, cancel and resume, questions."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari import Viewer
from napari.settings import get_settings
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QMessageBox

from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.jobs.filtering.export import export
from napari_tiqa.jobs.filtering.unfinished_export import unfinished_folder
from napari_tiqa.volumes.applied import KEY
from napari_tiqa.volumes.napari_reader import read_layer as read_file
from napari_tiqa.volumes.open import open_volume
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.filtering.apply.tab import FilterApplyTab
from napari_tiqa.widgets.filtering.state import FilterState
from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.read_layer import read_layer
from napari_tiqa.widgets.shared.slice_source import SliceSource

TIMEOUT = 60_000  # ms, on a busy machine
SMOOTH = Pipeline([Step("gaussian", {"sigma": 1.5})])
WINDOW = IntensityWindow(0, 200, "given")
Answers = list[str]


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).random((12, 60, 70), np.float32) * 200
    metadata = {"axes": "ZYX", "unit": "um", "spacing": 2.0}
    tifffile.imwrite(
        tmp_path / "cell.tif", pixels, imagej=True, resolution=(1 / 0.65, 1 / 0.65), metadata=metadata
    )
    return tmp_path / "cell.tif"


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], Answers]:
    """Return what is asked, and a list to put the answers into."""
    asked: list[str] = []
    answers: Answers = []

    def question(_parent: object, _title: str, text: str, *_: object) -> QMessageBox.StandardButton:
        asked.append(text)
        yes = bool(answers) and answers.pop(0) == "yes"
        return QMessageBox.StandardButton.Yes if yes else QMessageBox.StandardButton.No

    monkeypatch.setattr(QMessageBox, "question", question)
    return asked, answers


def open_file(viewer: Viewer, state: FilterState, path: Path) -> SliceSource:
    ((data, keywords, _),) = read_file(str(path))
    layer = viewer.add_image(data, **keywords)
    source = SliceSource(layer, layer.name, read_layer(layer), axis=0, index=3, window=WINDOW)
    state.set_source(source)
    return source


@pytest.fixture
def state(viewer: Viewer, scan: Path) -> FilterState:
    state = FilterState()
    open_file(viewer, state, scan)
    return state


@pytest.fixture
def tab(viewer: Viewer, state: FilterState) -> FilterApplyTab:
    tab = FilterApplyTab(state, viewer)
    viewer.window.add_dock_widget(tab, name="Apply")
    return tab


def choose_format(tab: FilterApplyTab, name: str) -> None:
    tab.form.format_box.setCurrentIndex(tab.form.format_box.findData(name))


def test_filtering_and_exporting_end_with_their_layer(
    viewer: Viewer, tab: FilterApplyTab, state: FilterState, tmp_path: Path, qtbot: QtBot
) -> None:
    layer = viewer.add_image(np.zeros((40, 400, 400), np.float32), name="large")
    state.set_source(SliceSource(layer, layer.name, read_layer(layer), window=WINDOW))
    state.set_pipeline(Pipeline([Step("non_local_means")]))
    tab.form.place.set_path(tmp_path / "large.zarr")
    with qtbot.waitSignals([tab.show_job.ended, tab.export_job.ended], timeout=TIMEOUT):
        tab.show_filtered()
        tab.export()
        viewer.layers.remove(layer)
    assert [layer.name for layer in viewer.layers] == ["cell"]
    assert "'large' was removed, so" in tab.message.text()
    assert tab.export_job.state is JobState.CANCELLED
    assert not (tmp_path / "large.zarr").exists()


def run_export(tab: FilterApplyTab, qtbot: QtBot) -> None:
    with qtbot.waitSignal(tab.export_job.ended, timeout=TIMEOUT):
        tab.form.run_row.start_button.click()


# -- what is to be applied -----------------------------------------------------------------------------


def test_it_says_what_is_applied_to_what(tab: FilterApplyTab, state: FilterState) -> None:
    assert "no step that is on" in tab.form.summary.text()
    assert not tab.form.show_button.isEnabled()
    assert not tab.form.run_row.start_button.isEnabled()
    state.set_pipeline(SMOOTH)
    assert tab.form.summary.text() == "Gaussian (sigma 1.5 px) on 12 slices along z of 'cell'."
    assert tab.form.show_button.isEnabled()
    state.set_source(None)
    assert "open a tomogram" in tab.form.summary.text()
    assert not tab.form.show_button.isEnabled()


def test_a_place_beside_the_volume_is_proposed(
    tab: FilterApplyTab, state: FilterState, scan: Path, qtbot: QtBot
) -> None:
    state.set_pipeline(SMOOTH)
    assert tab.form.place.path == scan.with_name("cell_filtered.zarr")
    for name, end in [("tiff", "cell_filtered.tif"), ("tiff-slices", "cell_filtered")]:
        choose_format(tab, name)
        tab.form.format_chosen.emit()
        assert tab.form.place.path == scan.with_name(end)
    tab.form.place.set_path(scan.with_name("mine"))
    choose_format(tab, "tiff")
    tab.form.format_chosen.emit()
    assert tab.form.place.path == scan.with_name("mine.tif")
    qtbot.waitUntil(lambda: tab.form.facts.text().startswith("At most 202 kB; "), timeout=TIMEOUT)


def test_what_cannot_be_exported_is_said_before(
    tab: FilterApplyTab, state: FilterState, scan: Path, qtbot: QtBot
) -> None:
    state.set_pipeline(SMOOTH)
    tab.form.place.set_path(scan.parent / "nowhere" / "cell.zarr")
    qtbot.waitUntil(lambda: "There is no folder" in tab.form.facts.text(), timeout=TIMEOUT)
    assert not tab.form.run_row.start_button.isEnabled()
    choose_format(tab, "tiff")
    tab.form.place.set_path(scan.with_name("better.tif"))
    source = state.source
    assert source is not None
    state.set_source(SliceSource(source.layer, "cell", source.volume, axis=1, index=3))
    qtbot.waitUntil(lambda: "export to OME-Zarr" in tab.form.facts.text(), timeout=TIMEOUT)


# -- the lazy layer ------------------------------------------------------------------------------------


def test_the_filtered_volume_is_a_layer_at_once(
    tab: FilterApplyTab, state: FilterState, viewer: Viewer, qtbot: QtBot
) -> None:
    state.set_pipeline(SMOOTH)
    with qtbot.waitSignal(tab.show_job.ended, timeout=TIMEOUT):
        tab.form.show_button.click()
    source, layer = viewer.layers["cell"], viewer.layers["cell filtered"]
    assert np.array_equal(layer.data[5].compute(), SMOOTH(source.data[5].compute(), WINDOW))
    assert np.array_equal(layer.scale, source.scale)
    assert layer.units == source.units
    assert layer.contrast_limits == source.contrast_limits
    volume = read_layer(layer)
    assert volume.applied[-1]["steps"] == "Gaussian (sigma 1.5 px)"
    assert volume.window == WINDOW  # scored in that of the unfiltered volume


def test_a_layer_of_a_series_lies_at_its_time(viewer: Viewer, qtbot: QtBot) -> None:
    layer = viewer.add_image(np.random.default_rng(0).random((3, 5, 40, 40)) * 200, name="series")
    state = FilterState()
    volume = read_layer(layer, at=(2, 0, 0, 0))
    state.set_source(SliceSource(layer, "series", volume, index=1, at={0: 2}, window=WINDOW))
    state.set_pipeline(SMOOTH)
    tab = FilterApplyTab(state, viewer)
    qtbot.addWidget(tab)
    with qtbot.waitSignal(tab.show_job.ended, timeout=TIMEOUT):
        tab.show_filtered()
    filtered = viewer.layers["series filtered"]
    assert filtered.data.shape == (1, 5, 40, 40)
    assert filtered.translate[0] == 2
    assert np.array_equal(filtered.data[0, 4].compute(), SMOOTH(layer.data[2, 4], WINDOW))
    tab.close_down()


def test_slow_slices_offer_asynchronous_slicing(
    tab: FilterApplyTab,
    state: FilterState,
    viewer: Viewer,
    qtbot: QtBot,
    questions: tuple[list[str], Answers],
) -> None:
    asked, answers = questions
    answers.append("yes")
    slow = viewer.add_image(np.random.default_rng(0).random((2, 600, 600)) * 200, name="slow")
    state.set_source(SliceSource(slow, "slow", read_layer(slow), window=WINDOW))
    state.set_pipeline(Pipeline([Step("non_local_means")]))
    with qtbot.waitSignal(tab.show_job.ended, timeout=TIMEOUT):
        tab.form.show_button.click()
    assert "napari stands still while it waits" in asked[0]
    assert get_settings().experimental.async_
    get_settings().experimental.async_ = False
    assert "slow filtered" in viewer.layers


def test_a_filtered_volume_is_filtered_again_only_if_asked_for(
    tab: FilterApplyTab,
    state: FilterState,
    viewer: Viewer,
    scan: Path,
    qtbot: QtBot,
    questions: tuple[list[str], Answers],
) -> None:
    asked, answers = questions
    export(scan, SMOOTH, scan.with_name("better.zarr"), window=(0.0, 200.0))
    open_file(viewer, state, scan.with_name("better.zarr"))
    state.set_pipeline(SMOOTH)
    assert "was filtered before: Gaussian (sigma 1.5 px)" in tab.form.summary.text()
    answers[:] = ["no", "yes"]
    tab.form.show_button.click()
    assert "'better' has been filtered with Gaussian (sigma 1.5 px) already" in asked[0]
    assert tab.show_job.state is JobState.IDLE
    with qtbot.waitSignal(tab.show_job.ended, timeout=TIMEOUT):
        tab.form.show_button.click()
    assert len(viewer.layers["better filtered"].metadata[KEY]["applied"]) == 2


# -- the export ----------------------------------------------------------------------------------------


def test_an_export_is_opened_with_its_size_and_record(
    tab: FilterApplyTab, state: FilterState, viewer: Viewer, scan: Path, qtbot: QtBot
) -> None:
    state.set_pipeline(SMOOTH)
    run_export(tab, qtbot)
    assert tab.export_job.state is JobState.DONE, tab.message.text()
    output = scan.with_name("cell_filtered.zarr")
    assert tab.message.text() == f"Exported Gaussian (sigma 1.5 px) to {output}."
    with qtbot.waitSignal(tab.open_job.ended, timeout=TIMEOUT):
        tab.form.open_button.click()
    layer = viewer.layers["cell_filtered"]
    assert layer.scale == pytest.approx((2.0, 0.65, 0.65))
    assert layer.metadata[KEY]["applied"][0]["steps"] == "Gaussian (sigma 1.5 px)"
    assert read_layer(layer).applied == open_volume(output).applied


def test_a_cancelled_export_is_resumed(
    tab: FilterApplyTab, state: FilterState, viewer: Viewer, tmp_path: Path, qtbot: QtBot
) -> None:
    pixels = np.random.default_rng(0).random((150, 300, 300), np.float32) * 200
    large = viewer.add_image(pixels, name="large")
    state.set_source(SliceSource(large, "large", read_layer(large), window=WINDOW))
    state.set_pipeline(SMOOTH)
    choose_format(tab, "tiff-slices")
    tab.form.place.set_path(tmp_path / "large_filtered")
    with qtbot.waitSignal(tab.export_job.progressed, timeout=TIMEOUT):
        tab.form.run_row.start_button.click()
    assert tab.form.run_row.cancel_button.isEnabled()
    with qtbot.waitSignal(tab.export_job.ended, timeout=TIMEOUT):
        tab.form.run_row.cancel_button.click()
    assert tab.export_job.state is JobState.CANCELLED
    assert "run the same export again to resume" in tab.message.text()
    assert not (tmp_path / "large_filtered").exists()
    qtbot.waitUntil(lambda: tab.form.run_row.start_button.text() == "Resume", timeout=TIMEOUT)
    assert "of 150 slices are already written" in tab.form.facts.text()
    state.set_pipeline(Pipeline([Step("gaussian", {"sigma": 1})]))
    qtbot.waitUntil(lambda: tab.form.run_row.start_button.text() == "Export", timeout=TIMEOUT)
    state.set_pipeline(SMOOTH)
    run_export(tab, qtbot)
    assert np.array_equal(open_volume(tmp_path / "large_filtered").slice(0, 140), SMOOTH(pixels[140], WINDOW))


def test_an_earlier_export_is_replaced_only_if_asked_for(
    tab: FilterApplyTab,
    state: FilterState,
    scan: Path,
    qtbot: QtBot,
    questions: tuple[list[str], Answers],
) -> None:
    asked, answers = questions
    output = scan.with_name("better.tif")
    export(scan, Pipeline([Step("gaussian", {"sigma": 3})]), output, window=(0.0, 200.0))
    state.set_pipeline(SMOOTH)
    choose_format(tab, "tiff")
    tab.form.place.set_path(output)
    answers[:] = ["no", "yes"]
    run_export(tab, qtbot)
    assert asked == [f"There is an earlier export at {output}.\n\nReplace it?"]
    assert open_volume(output).applied[0]["steps"] == "Gaussian (sigma 3 px)"
    with qtbot.waitSignals([tab.export_job.ended] * 2, timeout=TIMEOUT):
        tab.form.run_row.start_button.click()
    assert open_volume(output).applied[0]["steps"] == "Gaussian (sigma 1.5 px)"


def test_what_goes_wrong_is_said(
    tab: FilterApplyTab, state: FilterState, scan: Path, qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    state.set_pipeline(SMOOTH)
    choose_format(tab, "tiff")
    tab.form.place.set_path(scan)
    run_export(tab, qtbot)
    assert "is the volume to be filtered" in tab.message.text()
    assert tab.form.run_row.start_button.isEnabled()


def test_closing_the_dock_ends_the_export_which_can_be_resumed(
    tab: FilterApplyTab, state: FilterState, viewer: Viewer, tmp_path: Path, qtbot: QtBot
) -> None:
    large = viewer.add_image(np.random.default_rng(0).random((150, 300, 300), np.float32), name="large")
    state.set_source(SliceSource(large, "large", read_layer(large), window=WINDOW))
    state.set_pipeline(SMOOTH)
    tab.form.place.set_path(tmp_path / "large.zarr")
    with qtbot.waitSignal(tab.export_job.progressed, timeout=TIMEOUT):
        tab.form.run_row.start_button.click()
    with qtbot.waitSignal(tab.export_job.ended, timeout=TIMEOUT):
        tab.close_down()
    assert tab.export_job.state is JobState.CANCELLED
    assert unfinished_folder(tmp_path / "large.zarr").is_dir()
