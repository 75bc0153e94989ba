"""The quality dock in a real viewer with a real model process: scoring, comparing, keeping, failing well."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dask.array as da
import numpy as np
import pandas as pd
import psutil
import pytest
from napari import Viewer
from napari.layers import Image
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, QPointF, Qt, QTimer
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QLineEdit,
    QMessageBox,
    QWidget,
)

from napari_tiqa.cli import main as shell
from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.jobs.quality.map import score_map
from napari_tiqa.jobs.quality.score import score_volume
from napari_tiqa.jobs.quality.score_run import ScoreProgress
from napari_tiqa.scoring.recent_models import recent_models, remember_model
from napari_tiqa.scoring.scale import ARTEFACTS
from napari_tiqa.scoring.sentence import score_sentence
from napari_tiqa.widgets.docks import QualityDock
from napari_tiqa.widgets.open_tomogram import add_tomograms
from napari_tiqa.widgets.quality.panel import QualityPanel
from napari_tiqa.widgets.quality.parts_plot import FLAG
from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.result_layers import METADATA_KEY, no_original
from tests.places import CELL
from tests.processes import model_processes
from tests.textures import grainy
from tests.widgets.not_originals import not_originals

WIDGET = ("napari-tiqa", "Slice quality")
LONG = 400  # slices: enough for a run to be still under way after its first batch
TIMEOUT = 300_000  # ms, for a model process that has to import Keras on a busy machine

_QUIT_MIDWAY = """
import sys, napari
from napari_tiqa.jobs.process.client import shared_model_process
viewer = napari.Viewer()
viewer.open(sys.argv[1], plugin="napari-tiqa")
dock = viewer.window.add_plugin_dock_widget("napari-tiqa", "Slice quality")[1]
def score():
    dock.panel.form.model_box.choose(sys.argv[2])
    dock.panel.job.progressed.connect(quit_midway)
    dock.panel.score_all()
def quit_midway(progress):
    dock.panel.job.progressed.disconnect(quit_midway)
    print(progress.done, shared_model_process().pid)
    viewer.close()
dock.ready.connect(score)
napari.run()
"""

OpenDock = Callable[[Viewer], QualityPanel]


def tomogram(slices: int, side: int = 48, seed: int = 0) -> np.ndarray:
    """Return noise that grows from slice to slice, float32."""
    noise = np.random.default_rng(seed).normal(size=(slices, side, side)).astype("f4")
    pattern = np.sign(np.sin(np.arange(side) / 3))[None, None]
    return pattern + noise * np.linspace(0, 2, slices, dtype="f4")[:, None, None]


@pytest.fixture
def open_dock(qtbot: QtBot, untrained_model: Path) -> OpenDock:
    def open_in(viewer: Viewer) -> QualityPanel:
        dock: QualityDock = viewer.window.add_plugin_dock_widget(*WIDGET)[1]
        qtbot.waitUntil(lambda: dock.panel is not None, timeout=TIMEOUT)
        assert dock.panel is not None
        dock.panel.form.model_box.choose(untrained_model)
        return dock.panel

    return open_in


@pytest.fixture
def panel(viewer: Viewer, open_dock: OpenDock) -> QualityPanel:
    return open_dock(viewer)


@pytest.fixture
def score(qtbot: QtBot) -> Callable[..., None]:
    def score_to_the_end(panel: QualityPanel, begin: Callable[[], None] | None = None) -> None:
        with qtbot.waitSignal(panel.job.ended, timeout=TIMEOUT):
            (begin or panel.score_all)()

    return score_to_the_end


@pytest.fixture
def midway(qtbot: QtBot) -> Callable[[QualityPanel], None]:
    """Start a long run and return when its first slices are scored."""

    def start(panel: QualityPanel) -> None:
        with qtbot.waitSignal(panel.job.progressed, timeout=TIMEOUT):
            panel.score_all()
        assert panel.job.state is JobState.RUNNING

    return start


def marker_slice(panel: QualityPanel) -> int | None:
    marker = panel.results.plot._marker
    return round(marker.value()) if marker.isVisible() else None


def scoring_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "napari-tiqa scoring"]


@contextmanager
def dialog_answered(answer: Callable[[QWidget], None]) -> Iterator[None]:
    """Answer the next modal dialog as a user would, while the code that opened it waits for it."""
    answered = []

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, QDialog) and not answered:
            answered.append(dialog)
            answer(dialog)
            if dialog.isVisible():
                dialog.accept()

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(20)
    yield
    timer.stop()
    assert answered


# -- scoring ---------------------------------------------------------------------------------------


def test_a_scored_layer_shows_its_curve_box_and_worst_slices(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None]
) -> None:
    viewer.add_image(tomogram(12), name="electrode")
    score(panel)
    assert panel.job.state is JobState.DONE
    (entry,) = panel.shelf
    assert entry.run.name == "electrode, axis z, model untrained"
    (curve,) = panel.results.plot._curves.values()
    x, y = curve.getData()
    assert x.tolist() == list(range(12))
    assert ((y >= 1) & (y <= 5)).all()
    assert len(panel.results.plot._boxes) == 1
    worst = panel.results.worst.topLevelItem(0)
    assert worst.text(0) == str(int(np.argmin(y)))
    assert "tensorflow" not in sys.modules
    assert "keras" not in sys.modules


def test_axis_titles_say_what_is_plotted_in_which_unit(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None]
) -> None:
    viewer.add_image(tomogram(4), scale=(0.5, 0.2, 0.2), units="um")
    score(panel)
    plot = panel.results.plot._curve_plot
    assert plot.getAxis("left").labelText == "Score (5 best)"
    below = panel.results.plot._parts_plot
    assert below.getAxis("left").labelText == "Points lost"
    assert below.getAxis("bottom").labelText == "Position along z (µm)"
    np.testing.assert_allclose(next(iter(panel.results.plot._curves.values())).getData()[0], [0, 0.5, 1, 1.5])


def test_marker_and_slider_follow_each_other(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None]
) -> None:
    viewer.add_image(tomogram(12))
    score(panel)
    viewer.dims.set_current_step(0, 7)
    assert marker_slice(panel) == 7
    item = panel.results.worst.topLevelItem(0)
    panel.results.worst.itemClicked.emit(item, 0)
    assert viewer.dims.current_step[0] == int(item.text(0))
    assert marker_slice(panel) == viewer.dims.current_step[0]


def test_the_score_at_the_slider_is_read_out(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None]
) -> None:
    viewer.add_image(tomogram(12), scale=(0.5, 1, 1), units="um")
    score(panel)
    viewer.dims.set_current_step(0, 7)
    sentence = score_sentence(next(iter(panel.shelf)).run.rows[7])
    assert panel.results.plot.readout.text() == f"slice 7: {sentence}"


def test_a_double_click_shows_the_whole_curve_again(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None], qtbot: QtBot
) -> None:
    viewer.add_image(tomogram(12))
    score(panel)
    viewer.window._qt_window.show()
    qtbot.wait(100)
    plot = panel.results.plot._curve_plot
    plot.setXRange(2, 3)
    viewport = panel.results.plot.graphics.viewport()
    middle = panel.results.plot.graphics.mapFromScene(plot.getViewBox().sceneBoundingRect().center())
    qtbot.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.waitUntil(lambda: plot.viewRange()[0][0] <= 0 and plot.viewRange()[0][1] >= 11)


def test_equal_scores_are_a_line_beside_the_curve(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None], qtbot: QtBot
) -> None:
    viewer.add_image(np.repeat(tomogram(2)[1:], 8, axis=0))
    score(panel)
    viewer.window._qt_window.show()
    qtbot.wait(100)
    picture = panel.results.plot.grab().toImage()
    colour = QColor(next(iter(panel.shelf)).colour)
    box_plot = range(int(panel.results.plot._box_plot.sceneBoundingRect().left()), picture.width())
    rows = [y for y in range(picture.height()) for x in box_plot if picture.pixelColor(x, y) == colour]
    assert rows
    assert max(rows) - min(rows) < 6  # px


def test_a_click_on_the_curve_goes_to_that_slice(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None], qtbot: QtBot
) -> None:
    viewer.add_image(tomogram(12), scale=(0.5, 1, 1), units="um")
    score(panel)
    viewer.window._qt_window.show()
    qtbot.wait(100)  # until the plot has the size that a click is mapped by
    graphics = panel.results.plot.graphics
    view = panel.results.plot._curve_plot.getViewBox()
    at = graphics.mapFromScene(view.mapViewToScene(QPointF(2.5, 3)))
    qtbot.mouseClick(graphics.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(at.x(), at.y()))
    qtbot.waitUntil(lambda: viewer.dims.current_step[0] == 5)
    assert marker_slice(panel) is not None


def test_a_click_turns_the_viewer_when_another_axis_was_scored(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None]
) -> None:
    viewer.add_image(tomogram(8, side=16))
    panel.form.axis_box.value = 2
    score(panel)
    assert marker_slice(panel) is None  # x lies in the picture, not on a slider
    panel.go_to(11)
    assert viewer.dims.not_displayed == (2,)
    assert marker_slice(panel) == viewer.dims.current_step[2] == 11


def test_this_slice_is_scored_as_in_the_whole_run(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None]
) -> None:
    viewer.add_image(tomogram(12))
    score(panel)
    viewer.dims.set_current_step(0, 3)
    score(panel, panel.score_this_slice)
    in_run = score_sentence(next(iter(panel.shelf)).run.rows[3])
    assert f"Slice 3: {in_run}" in panel.controls.message.text()
    assert len(panel.shelf) == 1


def test_the_window_found_is_shown_and_a_typed_one_is_used(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None]
) -> None:
    viewer.add_image(tomogram(4))
    score(panel)
    found = next(iter(panel.shelf)).run.record["window"]
    boxes, width = panel.form.window_boxes, found["high"] - found["low"]
    assert float(boxes.low.value) == pytest.approx(found["low"], abs=width / 1000)
    assert len(boxes.low.value) <= 8  # there is room for no more, and half a number is another one
    boxes.auto.value = False
    kept = boxes.typed()
    assert kept is not None
    assert (kept.low, kept.high) == (found["low"], found["high"])  # what is shown stands for it
    panel.form.window_boxes.low.value, panel.form.window_boxes.high.value = "-1", "1.5"
    score(panel)
    typed = list(panel.shelf)[1].run.record["window"]
    assert (typed["low"], typed["high"], typed["rule"]) == (-1, 1.5, "typed")


def test_the_window_boxes_say_what_their_numbers_are(viewer: Viewer, panel: QualityPanel) -> None:
    unit = panel.form.window_boxes.unit
    assert unit.text() == ""
    viewer.add_image((255 * tomogram(4)).astype(np.uint8))
    assert unit.text() == "uint8"
    assert "(0 to 255)" in unit.toolTip()
    viewer.add_image(tomogram(4).astype(np.float32))
    panel.form.layer_box.catch_up()
    assert unit.text() == "float32"


def test_other_data_of_a_layer_offer_their_own_axes(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None], qtbot: QtBot
) -> None:
    layer = viewer.add_image(np.stack([tomogram(4), tomogram(4)]))
    panel.form.axis_box.value = 2
    layer.data = np.stack([tomogram(5), tomogram(5)])
    qtbot.waitUntil(lambda: "z, 5 slices" in panel.form.axis_box.native.itemText(1), timeout=20_000)
    assert panel.form.axis_box.value == 2  # which the user has chosen
    panel.form.axis_box.value = 3
    layer.data = tomogram(6).astype(np.float32)
    qtbot.waitUntil(lambda: panel.form.axis_box.native.itemText(0) == "z, 6 slices", timeout=20_000)
    assert panel.form.axis_box.value == 0
    assert panel.form.window_boxes.unit.text() == "float32"
    score(panel, panel.score_this_slice)


def test_contrast_limits_do_not_change_a_score(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None]
) -> None:
    layer = viewer.add_image(tomogram(4))
    score(panel)
    layer.contrast_limits = (0, 0.1)
    score(panel)
    first, second = (entry.run.rows for entry in panel.shelf)
    np.testing.assert_equal(first, second)


# -- why this score --------------------------------------------------------------------------------


@pytest.fixture
def half_unlike(viewer: Viewer) -> Image:
    """A layer of four slices of noise, which the calibrated model knows, and four of stripes."""
    noise = grainy(4, 224, 224, seed=3)
    stripes = np.broadcast_to(np.arange(224) // 16 % 2, (4, 224, 224)).astype("f4")
    return viewer.add_image(np.concatenate([noise, stripes]), name="odd")


def test_a_score_comes_with_its_uncertainty_and_its_reasons(
    half_unlike: Image, panel: QualityPanel, score: Callable[..., None], calibrated_model: Path
) -> None:
    panel.form.model_box.choose(calibrated_model)
    score(panel)
    run = next(iter(panel.shelf)).run
    plot = panel.results.plot
    low, high = plot._bands[run.key].path().boundingRect().getCoords()[1::2]
    uncertainty = run.column("uncertainty")
    ends = np.clip([(run.scores - uncertainty).min(), (run.scores + uncertainty).max()], 1, 5)
    np.testing.assert_allclose([low, high], ends, atol=1e-6)
    stack = plot._parts_plot._areas["smoothing"].path().boundingRect()
    assert stack.bottom() == pytest.approx(5 - run.scores.min(), abs=1e-3)
    assert run.flagged.tolist() == [False] * 4 + [True] * 4
    assert plot._flags.getData()[0].tolist() == [4, 5, 6, 7]
    assert "unlike" in plot._parts_plot.legend.text
    worst = panel.results.worst
    shown = [worst.topLevelItem(row) for row in range(8)]
    assert {item.text(1).startswith(FLAG) for item in shown if int(item.text(0)) > 3} == {True}
    assert {item.text(1).startswith(FLAG) for item in shown if int(item.text(0)) < 4} == {False}
    assert "4 are unlike anything" in panel.controls.message.text()


def test_a_model_without_calibration_has_parts_but_no_band(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None]
) -> None:
    viewer.add_image(tomogram(5))
    score(panel)
    run = next(iter(panel.shelf)).run
    assert panel.results.plot._bands[run.key].path().isEmpty()
    assert not panel.results.plot._parts_plot._areas["ring"].path().isEmpty()


def test_scores_kept_by_an_earlier_version_are_shown_without_parts(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None]
) -> None:
    layer = viewer.add_image(tomogram(5), name="kept")
    score(panel)
    kept = json.loads(json.dumps(layer.metadata))
    for column in ("uncertainty", *ARTEFACTS, "overview", "scale"):
        del kept[METADATA_KEY]["runs"][0][column]
    viewer.layers.remove(layer)
    viewer.add_layer(Image(tomogram(5), metadata=kept))
    run = next(iter(panel.shelf)).run
    assert np.isfinite(run.scores).all()
    assert np.isnan(run.column("noise")).all()
    assert panel.results.plot._parts_plot._areas["noise"].path().isEmpty()


# -- models and views ------------------------------------------------------------------------------


def test_two_models_are_compared_on_one_volume(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None], calibrated_model: Path
) -> None:
    viewer.add_image(tomogram(5), name="electrode")
    score(panel)
    panel.form.model_box.choose(calibrated_model)
    score(panel)
    names = [entry.run.name for entry in panel.shelf]
    assert names == ["electrode, axis z, model untrained", "electrode, axis z, model calibrated"]
    assert len(panel.results.plot._curves) == 2
    used = [Path(entry.run.record["model"]["path"]).stem for entry in panel.shelf]
    assert used == ["untrained", "calibrated"]


def test_a_model_trained_meanwhile_is_offered_and_one_from_a_file_is_remembered(
    panel: QualityPanel, untrained_model: Path, calibrated_model: Path, tmp_path: Path
) -> None:
    box = panel.form.model_box
    box.choose(None)
    remember_model(calibrated_model)
    box.box.showPopup()
    box.box.hidePopup()
    assert [box.box.itemText(row) for row in range(box.box.count())] == ["default model", "calibrated"]
    assert box.path is None

    def answer(dialog: QWidget) -> None:
        assert isinstance(dialog, QFileDialog)
        dialog.findChild(QLineEdit).setText(str(untrained_model))

    with dialog_answered(answer):
        box.button.click()
    assert box.path == untrained_model
    assert recent_models() == [untrained_model, calibrated_model]


def test_native_tiles_are_a_run_of_their_own(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None]
) -> None:
    large = grainy(2, 448, 448)
    viewer.add_image(large, name="large")
    panel.form.view_box.value = "native"
    score(panel)
    (entry,) = panel.shelf
    assert entry.run.name == "large, axis z, model untrained, native tiles"
    expected = score_volume(large, model=panel.form.model, view="native")
    np.testing.assert_allclose(entry.run.scores, expected["score"])


def test_the_curve_of_whole_slices_comes_first_and_is_refined(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None]
) -> None:
    large = grainy(6, 330, 330)
    large *= np.linspace(0.3, 1, 6, dtype="f4")[:, None, None]
    viewer.add_image(large, name="large")
    curves, bars = [], []

    def look(_: object) -> None:
        curves.append(next(iter(panel.shelf)).run.scores.tolist())
        bars.append((panel.controls.bar.format(), panel.controls.bar.value(), panel.controls.bar.maximum()))

    panel.job.progressed.connect(look)
    score(panel)
    (entry,) = panel.shelf
    assert entry.run.title() == "large, axis z, model untrained"
    table = score_volume(large, model=panel.form.model)
    np.testing.assert_allclose(curves[0], table["overview"], atol=2e-4)
    np.testing.assert_allclose(entry.run.scores, table["score"], atol=2e-4)
    assert bars[0][0].startswith("overview: 6 of 6")
    assert bars[-1][0].startswith("every scale: 6 of 6")
    assert 0 < bars[0][1] < bars[-1][1] == bars[-1][2]


def test_a_run_cancelled_before_its_last_scale_keeps_the_curve_of_whole_slices(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None], tmp_path: Path
) -> None:
    large = grainy(80, 300, 300)
    viewer.add_image(large, name="large")

    def stop(progress: ScoreProgress) -> None:
        if progress.view == "pyramid":
            panel.job.cancel()

    panel.job.progressed.connect(stop)
    score(panel)
    assert panel.job.state is JobState.CANCELLED
    (entry,) = panel.shelf
    assert entry.run.title() == "large, axis z, model untrained (overview only)"
    assert "80 of 80 slices scored as a whole are kept" in panel.message.text()
    expected = score_volume(large, model=panel.form.model, view="overview")
    np.testing.assert_allclose(entry.run.scores, expected["score"], atol=2e-4)
    panel.results.export_csv(str(tmp_path / "overview.csv"))
    panel.results.load_csv(str(tmp_path / "overview.csv"))
    assert list(panel.shelf)[1].run.title().endswith("(2) (overview only)")


# -- quality map -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dimension", [0, 1, 2])
def test_the_quality_map_lies_on_its_slice(
    dimension: int, viewer: Viewer, panel: QualityPanel, score: Callable[..., None]
) -> None:
    shape = [340, 350, 360]
    shape[dimension] = 12  # slices
    layer = viewer.add_image(
        grainy(*shape),
        name="sized",
        scale=(2, 0.5, 0.7),
        translate=(5, -3, 1),
        affine=np.diag([1, 2, 3, 1]),
        units="um",
        axis_labels=("z", "y", "x"),
    )
    panel.form.axis_box.value = dimension
    viewer.dims.set_point(range(3), layer.data_to_world((7, 7, 7)))
    score(panel, panel.map_this_slice)
    assert panel.job.state is JobState.DONE
    quality = viewer.layers[f"quality of sized, {'zyx'[dimension]} 7, model untrained"]
    for corner in ((0, 0, 0), (10, 10, 10)):
        inside = np.array(corner)
        inside[dimension] = 0
        on_slice = inside.copy()
        on_slice[dimension] = 7
        np.testing.assert_allclose(quality.data_to_world(inside), layer.data_to_world(on_slice), atol=1e-9)
    assert (quality.units, quality.axis_labels) == (layer.units, layer.axis_labels)
    assert quality.contrast_limits == [1, 5]
    expected = score_map(layer.data, 7, axis=dimension, model=panel.form.model)
    np.testing.assert_allclose(np.squeeze(quality.data, dimension), expected.map, atol=1e-4)
    json.dumps(quality.metadata, allow_nan=False)
    assert panel.form.layer is layer
    assert len(panel.form.layer_box.choices) == 1  # a map is no image to score
    assert len(panel.shelf) == 0


def test_a_map_of_a_time_series_and_of_a_single_image(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None]
) -> None:
    movie = viewer.add_image(np.stack([tomogram(5, 340, seed) for seed in range(3)]), name="movie")
    viewer.dims.set_current_step((0, 1), (2, 4))
    score(panel, panel.map_this_slice)
    quality = viewer.layers["quality of movie, t 2, z 4, model untrained"]
    assert quality.data.shape == (1, 1, 340, 340)
    np.testing.assert_allclose(quality.data_to_world((0, 0, 3, 5)), movie.data_to_world((2, 4, 3, 5)))
    panel.form.choose_layer(viewer.add_image(tomogram(1, 340)[0], name="image"))
    score(panel, panel.map_this_slice)
    assert viewer.layers["quality of image, model untrained"].data.shape == (340, 340)


def test_a_map_can_be_cancelled_and_what_cannot_be_mapped_is_said(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None], qtbot: QtBot
) -> None:
    viewer.add_image(grainy(2000, 2000), name="large")
    with qtbot.waitSignal(panel.job.progressed, timeout=TIMEOUT):
        panel.map_this_slice()
    assert not panel.controls.map_button.isEnabled()
    with qtbot.waitSignal(panel.job.ended, timeout=2000):
        panel.controls.cancel_button.click()
    assert panel.job.state is JobState.CANCELLED
    assert panel.controls.message.text() == "Cancelled."
    empty = viewer.add_image(np.ones((50, 50)), name="empty")
    panel.form.choose_layer(empty)
    score(panel, panel.map_this_slice)
    assert panel.job.state is JobState.FAILED
    assert "constant" in panel.controls.message.text()
    assert len(viewer.layers) == 2


# -- kinds of layers -------------------------------------------------------------------------------


def test_a_single_image(viewer: Viewer, panel: QualityPanel, score: Callable[..., None]) -> None:
    viewer.add_image(tomogram(1)[0], name="slice")
    score(panel)
    (entry,) = panel.shelf
    assert (entry.run.name, len(entry.run.rows)) == ("slice, model untrained", 1)
    panel.go_to(0)
    score(panel, panel.score_this_slice)
    assert panel.job.state is JobState.DONE


def test_a_time_series_is_scored_where_the_slider_is_or_along_time(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None]
) -> None:
    movie = np.stack([tomogram(5, seed=seed) for seed in range(3)])
    viewer.add_image(movie, name="movie")
    viewer.dims.set_current_step((0, 1), (2, 4))
    score(panel)
    panel.form.axis_box.value = 0
    score(panel)
    heights, times = (entry.run for entry in panel.shelf)
    assert (heights.name, len(heights.rows)) == ("movie, axis z, t 2, model untrained", 5)
    assert (times.name, len(times.rows)) == ("movie, axis t, z 4, model untrained", 3)
    expected = score_volume(movie[2], model=panel.form.model)
    np.testing.assert_allclose(heights.scores, expected["score"])
    viewer.dims.set_current_step((0, 1), (0, 0))
    panel.results.runs.select_run(heights.key)
    panel.go_to(3)
    assert viewer.dims.current_step[:2] == (2, 3)


def test_a_layer_that_was_there_before_the_dock_is_offered_with_its_axes(
    viewer: Viewer, open_dock: OpenDock
) -> None:
    layer = viewer.add_image(tomogram(6))
    panel = open_dock(viewer)
    assert panel.form.layer is layer
    offered = panel.form.axis_box.native
    assert [offered.itemText(i) for i in range(3)] == ["z, 6 slices", "y, 48 slices", "x, 48 slices"]
    assert panel.form.dimension == 0


def test_a_multiscale_layer_is_scored_at_full_resolution(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None]
) -> None:
    full = tomogram(6)
    viewer.add_image([full, full[:, ::2, ::2]], multiscale=True, contrast_limits=(-2, 2))
    score(panel)
    expected = score_volume(full, model=panel.form.model)
    np.testing.assert_allclose(next(iter(panel.shelf)).run.scores, expected["score"])


def test_a_layer_in_another_unit_than_the_viewer_keeps_its_slices(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None]
) -> None:
    viewer.add_image(tomogram(6), scale=(1, 1, 1), units="um", name="first")
    viewer.add_image(tomogram(6), scale=(0.001,) * 3, units="mm", name="second")
    panel.form.choose_layer(viewer.layers["second"])
    score(panel)
    panel.go_to(4)
    height = viewer.dims.point[0] * viewer.dims.units[0]
    assert height.to("um").magnitude == pytest.approx(4)
    assert marker_slice(panel) is not None


# -- comparing, keeping, files ---------------------------------------------------------------------


def test_runs_of_two_layers_are_compared_in_one_plot(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None]
) -> None:
    viewer.add_image(tomogram(6, seed=1), name="before")
    viewer.add_image(tomogram(6, seed=2), name="after")
    for layer in viewer.layers:
        panel.form.choose_layer(layer)
        score(panel)
    score(panel)
    names = [entry.run.name for entry in panel.shelf]
    ways = ("before, axis z", "after, axis z")
    assert names == [f"{ways[0]}, model untrained", *(f"{ways[1]}, model untrained{n}" for n in ("", " (2)"))]
    assert len({entry.colour for entry in panel.shelf}) == 3
    assert len(panel.results.plot._curves) == len(panel.results.plot._boxes) == 3
    panel.results.runs.topLevelItem(0).setCheckState(0, Qt.CheckState.Unchecked)
    assert len(panel.results.plot._curves) == len(panel.results.plot._boxes) == 2


def test_scores_stay_with_their_layer(
    viewer: Viewer, panel: QualityPanel, open_dock: OpenDock, score: Callable[..., None], qtbot: QtBot
) -> None:
    data = tomogram(6)
    data[2] = np.nan  # cannot be scored: its NaN has to survive JSON
    layer = viewer.add_image(data, name="electrode", metadata={METADATA_KEY: {"path": "cell.tif"}})
    score(panel)
    before = next(iter(panel.shelf)).run
    kept = json.loads(json.dumps(layer.metadata, allow_nan=False))
    assert kept[METADATA_KEY]["path"] == "cell.tif"

    viewer.layers.remove(layer)
    assert len(panel.shelf) == 0
    viewer.add_layer(Image(data, name="again", metadata=kept))
    again = next(iter(panel.shelf)).run
    assert again.title() == before.title()
    np.testing.assert_array_equal(again.scores, before.scores)

    viewer.window.remove_dock_widget("all")
    reopened = open_dock(viewer)
    assert [entry.run.key for entry in reopened.shelf] == [before.key]
    assert len(reopened.results.plot._curves) == 1


def test_metadata_that_others_wrote_do_no_harm(viewer: Viewer, panel: QualityPanel) -> None:
    viewer.add_image(tomogram(3), name="odd", metadata={METADATA_KEY: {"version": 1, "runs": [{"name": 3}]}})
    viewer.add_image(tomogram(3), metadata={METADATA_KEY: "something else"})
    assert len(panel.shelf) == 0
    assert "cannot be read" in panel.controls.message.text()


def test_the_saved_table_is_score_volumes_and_can_be_loaded(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None], tmp_path: Path
) -> None:
    data = tomogram(6)
    viewer.add_image(data, name="electrode", scale=(0.5, 1, 1), units="um")
    score(panel)
    path = tmp_path / "scores.csv"
    panel.results.export_csv(str(path))
    expected = score_volume(data, model=panel.form.model)
    saved = pd.read_csv(path)
    assert saved.columns[:3].tolist() == ["slice", "position", "score"]
    np.testing.assert_array_equal(saved["score"], expected["score"])
    np.testing.assert_array_equal(saved["position"], expected["position"] * 0.5)

    panel.results.load_csv(str(path))
    loaded = list(panel.shelf)[1]
    assert loaded.run.name == "electrode, axis z, model untrained (2)"
    assert (loaded.run.axis, loaded.run.unit, loaded.run.spacing) == ("z", "µm", 0.5)
    panel.go_to(4)
    assert viewer.dims.current_step[0] == 4


def test_the_cell_has_the_scores_that_the_shell_gives_it(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None], tmp_path: Path
) -> None:
    if not CELL.exists():
        pytest.skip(f"real tomograms are not at {CELL.parents[1]}")
    add_tomograms(viewer, [str(CELL)])
    panel.form.model_box.choose(None)  # the default model
    score(panel)
    panel.results.export_csv(str(tmp_path / "dock.csv"))
    assert shell(["score", str(CELL), "-o", str(tmp_path / "shell.csv")]) == 0
    in_shell = pd.read_csv(tmp_path / "shell.csv")
    assert len(in_shell) == 40
    assert in_shell["score"].between(1, 5).all()
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "dock.csv"), in_shell, check_exact=True)


def test_the_dialogs_save_load_and_ask(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None], tmp_path: Path
) -> None:
    viewer.add_image(tomogram(3))
    score(panel)
    buttons = panel.results._buttons

    def answer(dialog: QWidget) -> None:
        if isinstance(dialog, QFileDialog):
            dialog.setDirectory(str(tmp_path))
            dialog.findChild(QLineEdit).setText("kept")
        else:
            assert isinstance(dialog, QMessageBox)
            dialog.button(QMessageBox.StandardButton.No).click()

    with dialog_answered(answer):
        buttons["csv"].click()
    assert pd.read_csv(tmp_path / "kept.csv")["slice"].tolist() == [0, 1, 2]
    with dialog_answered(answer):
        buttons["png"].click()
    assert (tmp_path / "kept.png").stat().st_size > 0
    with dialog_answered(answer):
        buttons["remove"].click()
    assert len(panel.shelf) == 1  # the answer was no


def test_what_cannot_be_saved_or_loaded_is_said(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None], tmp_path: Path
) -> None:
    viewer.add_image(tomogram(3))
    score(panel)
    panel.results.export_csv(str(tmp_path / "nowhere" / "scores.csv"))
    assert "cannot be written" in panel.controls.message.text()
    panel.results.export_png(str(tmp_path / "nowhere" / "plot.png"))
    assert "could not be saved" in panel.controls.message.text()
    (tmp_path / "foreign.csv").write_text("a,b\n1,2\n")
    panel.results.load_csv(str(tmp_path / "foreign.csv"))
    assert "is not a score table" in panel.controls.message.text()
    assert len(panel.shelf) == 1


def test_the_saved_plot_is_a_picture_on_white(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None], tmp_path: Path
) -> None:
    from skimage.io import imread

    viewer.add_image(tomogram(6))
    score(panel)
    panel.results.export_png(str(tmp_path / "plot.png"))
    picture = imread(tmp_path / "plot.png")
    assert picture.shape[1] >= 800
    assert (picture[0, 0, :3] == 255).all()
    curve = np.array(QColor(next(iter(panel.shelf)).colour).getRgb()[:3])
    assert (picture[..., :3] == curve).all(axis=-1).any()


def test_a_removed_run_is_gone_from_its_layer(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None]
) -> None:
    layer = viewer.add_image(tomogram(3))
    score(panel)
    panel.results.remove_run(next(iter(panel.shelf)))
    assert layer.metadata[METADATA_KEY]["runs"] == []
    assert not panel.results.plot._curves


# -- ends other than done --------------------------------------------------------------------------


def test_a_cancelled_run_keeps_what_it_scored(
    viewer: Viewer, panel: QualityPanel, midway: Callable[..., None], qtbot: QtBot
) -> None:
    layer = viewer.add_image(tomogram(LONG), name="long")
    midway(panel)
    assert panel.results.plot._curve_plot.viewRange()[0][1] >= LONG - 1  # room for the slices to come
    with qtbot.waitSignal(panel.job.ended, timeout=1000):
        panel.controls.cancel_button.click()
    assert panel.job.state is JobState.CANCELLED
    (entry,) = panel.shelf
    assert 0 < len(entry.run.rows) < LONG
    assert f"partial, {len(entry.run.rows)} of {LONG}" in panel.results.runs.topLevelItem(0).text(0)
    (saved,) = layer.metadata[METADATA_KEY]["runs"]
    assert saved["ended"] == "cancelled"
    qtbot.waitUntil(lambda: not scoring_threads(), timeout=1000)


def test_cancelling_does_not_wait_for_a_slow_disk(viewer: Viewer, panel: QualityPanel, qtbot: QtBot) -> None:
    reading, disk_answers = threading.Event(), threading.Event()

    def read(block: np.ndarray) -> np.ndarray:
        reading.set()
        disk_answers.wait(30)
        return block

    slow = da.zeros((40, 32, 32), chunks=(1, 32, 32)).map_blocks(read, dtype=float, meta=np.empty((0, 0, 0)))
    viewer.add_image(slow, contrast_limits=(0, 1), visible=False)
    panel.score_all()
    assert reading.wait(30)
    try:
        with qtbot.waitSignal(panel.job.ended, timeout=1000):
            panel.controls.cancel_button.click()
    finally:
        disk_answers.set()
    assert panel.job.state is JobState.CANCELLED
    assert len(panel.shelf) == 0


def test_buttons_allow_what_the_state_allows(
    viewer: Viewer, panel: QualityPanel, midway: Callable[..., None], qtbot: QtBot
) -> None:
    controls = panel.controls
    assert not controls.start_button.isEnabled()
    viewer.add_image(tomogram(LONG))
    assert controls.start_button.isEnabled()
    assert not controls.cancel_button.isEnabled()
    midway(panel)
    assert not controls.start_button.isEnabled()
    assert not controls.slice_button.isEnabled()
    assert controls.cancel_button.isEnabled()
    assert f"of {LONG}" in controls.bar.format()
    with qtbot.waitSignal(panel.job.ended, timeout=TIMEOUT):
        panel.job.cancel()
        assert panel.job.state is JobState.CANCELLING
        assert not controls.cancel_button.isEnabled()
    assert controls.start_button.isEnabled()


def test_a_second_run_is_refused_while_one_goes_on(
    viewer: Viewer, panel: QualityPanel, midway: Callable[..., None], qtbot: QtBot
) -> None:
    viewer.add_image(tomogram(LONG))
    midway(panel)
    panel.score_all()
    assert "still in progress" in panel.controls.message.text()
    assert len(panel.shelf) == len(scoring_threads()) == 1
    with qtbot.waitSignal(panel.job.ended, timeout=TIMEOUT):
        panel.job.cancel()


def test_a_layer_removed_midway_cancels_its_run(
    viewer: Viewer, panel: QualityPanel, midway: Callable[..., None], qtbot: QtBot
) -> None:
    layer = viewer.add_image(tomogram(LONG), name="gone")
    midway(panel)
    with qtbot.waitSignal(panel.job.ended, timeout=TIMEOUT):
        viewer.layers.remove(layer)
    assert panel.job.state is JobState.CANCELLED
    assert "'gone' was removed" in panel.controls.message.text()
    assert len(panel.shelf) == 0
    qtbot.waitUntil(lambda: not scoring_threads(), timeout=1000)
    assert shared_model_process().pid
    assert not model_processes()  # but the shared one, warm for the next run
    viewer.add_layer(layer)  # its scores so far come back with it
    assert next(iter(panel.shelf)).run.partial


def test_a_dock_closed_midway_leaves_no_thread(
    viewer: Viewer, panel: QualityPanel, midway: Callable[..., None], qtbot: QtBot
) -> None:
    viewer.add_image(tomogram(LONG))
    midway(panel)
    viewer.window.remove_dock_widget("all")
    qtbot.waitUntil(lambda: not scoring_threads(), timeout=2000)
    assert shared_model_process().pid
    assert not model_processes()  # but the shared one, warm for the next dock
    assert viewer.layers  # napari lives on
    viewer.dims.set_current_step(0, 3)


def test_a_viewer_closed_midway_leaves_no_thread(
    make_napari_viewer: Callable[..., Viewer],
    open_dock: OpenDock,
    midway: Callable[..., None],
    qtbot: QtBot,
) -> None:
    viewer = make_napari_viewer()
    panel = open_dock(viewer)
    viewer.add_image(tomogram(LONG))
    midway(panel)
    viewer.close()
    qtbot.waitUntil(lambda: not scoring_threads(), timeout=2000)


def test_napari_quit_midway_leaves_no_process(untrained_model: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "long.npy", tomogram(LONG))
    command = [sys.executable, "-c", _QUIT_MIDWAY, str(tmp_path / "long.npy"), str(untrained_model)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * TIMEOUT / 1000)
    assert done.returncode == 0, done.stderr
    scored, model_process = map(int, done.stdout.split())
    assert scored < LONG
    assert not psutil.pid_exists(model_process)
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_after_a_killed_model_process_the_next_run_works(
    viewer: Viewer, panel: QualityPanel, midway: Callable[..., None], score: Callable[..., None], qtbot: QtBot
) -> None:
    viewer.add_image(tomogram(LONG), name="long")
    viewer.add_image(tomogram(5), name="short")
    panel.form.choose_layer(viewer.layers["long"])
    midway(panel)
    pid = shared_model_process().pid
    assert pid is not None
    with qtbot.waitSignal(panel.job.ended, timeout=TIMEOUT):
        os.kill(pid, signal.SIGKILL)
    assert panel.job.state is JobState.FAILED
    assert "SIGKILL" in panel.controls.message.text()
    assert next(iter(panel.shelf)).run.partial
    panel.form.choose_layer(viewer.layers["short"])
    score(panel)
    assert panel.job.state is JobState.DONE


def test_bad_choices_end_in_a_sentence(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None], tmp_path: Path
) -> None:
    viewer.add_image(np.zeros((8, 8, 3), "u1"), name="photo", rgb=True)
    panel.score_all()
    assert "colour images" in panel.controls.message.text()
    viewer.add_image(tomogram(3), name="good")
    panel.form.choose_layer(viewer.layers["good"])
    panel.form.window_boxes.auto.value = False
    panel.form.window_boxes.low.value = "low"
    panel.score_all()
    assert "two numbers" in panel.controls.message.text()
    panel.form.window_boxes.low.value, panel.form.window_boxes.high.value = "2", "1"
    panel.score_all()
    assert "cannot be used" in panel.controls.message.text()
    panel.form.window_boxes.auto.value = True
    (tmp_path / "broken.tiqa").write_bytes(b"nothing")
    for name in ("missing.tiqa", "broken.tiqa"):
        panel.form.model_box.choose(tmp_path / name)
        score(panel)
        assert panel.job.state is JobState.FAILED
        assert name in panel.controls.message.text()
    assert len(panel.shelf) == 0


# -- how it looks ----------------------------------------------------------------------------------


@pytest.mark.own_viewer
def test_the_dock_fits_a_small_window(
    viewer: Viewer, panel: QualityPanel, score: Callable[..., None]
) -> None:
    window = viewer.window._qt_window
    window.resize(1280, 720)
    viewer.add_image(tomogram(3), name="a layer with a name that is longer than any dock is wide " * 3)
    score(panel)
    panel.controls.message.say("A sentence that is longer than the dock is wide. " * 4, problem=True)
    assert window.minimumSizeHint().height() <= 720
    assert window.minimumSizeHint().width() <= 1280
    assert panel.minimumSizeHint().height() <= 640
    assert panel.minimumSizeHint().width() <= 420


def test_every_control_says_what_it_does(viewer: Viewer, panel: QualityPanel) -> None:
    controls = [
        widget
        for kind in (QAbstractButton, QComboBox, QLineEdit)
        for widget in panel.findChildren(kind)
        if not widget.objectName().startswith("qt_")
    ]
    controls += [panel.results.runs, panel.results.worst, panel.results.plot.graphics, panel.controls.bar]
    assert len(controls) > 12
    assert [widget for widget in controls if not explained(widget)] == []


def explained(widget: QWidget) -> bool:
    """Return whether a tooltip shows over the widget: its own or, as Qt does it, its parent's."""
    return bool(widget.toolTip()) or (
        isinstance(widget.parent(), QComboBox) and bool(widget.parent().toolTip())
    )


def test_the_plot_follows_the_theme(viewer: Viewer, panel: QualityPanel) -> None:
    plot = panel.results.plot
    grounds = {}
    for theme in ("dark", "light"):
        viewer.theme = theme
        grounds[theme] = plot.graphics.backgroundBrush().color().lightness()
        text = plot._curve_plot.getAxis("left").textPen().color().lightness()
        assert abs(text - grounds[theme]) > 100
    assert grounds["dark"] < 100 < grounds["light"]


def test_an_empty_dock_says_what_to_do(viewer: Viewer, panel: QualityPanel) -> None:
    assert "sample" in panel.results.hint.text()
    viewer.layers.extend(not_originals())
    assert panel.form.layer is None
    assert panel.message.text() == no_original("score")
    viewer.add_image(tomogram(3))
    assert not panel.message.text()
    assert "Score all slices" in panel.results.hint.text()
    assert panel.results.plot.isHidden() or not panel.results.plot.isVisible()


def test_the_device_is_shown(viewer: Viewer, panel: QualityPanel, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: "PU" in panel.controls.device.text(), timeout=TIMEOUT)
