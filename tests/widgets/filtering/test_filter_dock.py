"""The filter dock in a real viewer with a real model process: preview, score, history, what goes wrong."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, Qt

from napari_tiqa.filtering.detail_loss import detail_loss
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.jobs.filtering.objective import score_slices
from napari_tiqa.scoring.scale import ARTEFACT_WORDS, ARTEFACTS
from napari_tiqa.scoring.table import ScoredSlice
from napari_tiqa.volumes.window_estimate import estimate_window
from napari_tiqa.widgets.filtering import preview as filter_preview
from napari_tiqa.widgets.filtering.figures import FilterScore
from napari_tiqa.widgets.filtering.history import FilterHistory
from napari_tiqa.widgets.filtering.layers import View
from napari_tiqa.widgets.filtering.panel import FilterPanel
from napari_tiqa.widgets.filtering.parameter import NumberEditor
from napari_tiqa.widgets.filtering.trial import Judged, SliceTrial
from napari_tiqa.widgets.shared.result_layers import METADATA_KEY

WIDGET = ("napari-tiqa", "Filter and tune")
TIMEOUT = 300_000  # ms, for a model process that has to import Keras on a busy machine
GAUSSIAN = Pipeline([Step("gaussian", {"sigma": 2.0})])


def tomogram(*shape: int, seed: int = 0, noise: float = 1.0) -> np.ndarray:
    """Return noise on stripes, more of it from slice to slice, float32."""
    field = noise * np.random.default_rng(seed).normal(size=shape).astype("f4")
    strength = np.linspace(0.2, 2, shape[-3], dtype="f4")[:, None, None] if len(shape) > 2 else 1
    return (np.sign(np.sin(np.arange(shape[-1]) / 5)) + strength * field).astype("f4")


@pytest.fixture
def panel(viewer: Viewer, qtbot: QtBot, untrained_model: Path) -> FilterPanel:
    dock = viewer.window.add_plugin_dock_widget(*WIDGET)[1]
    qtbot.waitUntil(lambda: dock.panel is not None, timeout=TIMEOUT)
    dock.panel.model_box.choose(untrained_model)
    return dock.panel


@pytest.fixture
def rest(panel: FilterPanel, qtbot: QtBot) -> Callable[[], None]:
    """Return a function that waits until the dock has nothing more to do."""

    def wait() -> None:
        at_rest = lambda: not (panel.preview.job.state.busy or panel.follower.waiting)  # noqa: E731
        qtbot.wait(20)
        qtbot.waitUntil(at_rest, timeout=TIMEOUT)

    return wait


def shown(panel: FilterPanel, view: View = View.AFTER) -> np.ndarray:
    layer = panel.layers.layer
    assert layer is not None
    assert panel.layers.view is view
    assert layer.visible
    return np.squeeze(layer.data)


def set_slider(panel: FilterPanel, share: float) -> None:
    editor = panel.steps.cards[0].editors["sigma"]
    assert isinstance(editor, NumberEditor)
    editor.slider.setValue(round(share * editor.slider.maximum()))


# -- preview and score -----------------------------------------------------------------------------


def test_a_filter_is_previewed_and_scored_before_and_after(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None], untrained_model: Path
) -> None:
    volume = tomogram(3, 240, 260, noise=0.2)
    layer = viewer.add_image(volume, name="electrode", scale=(2, 0.5, 0.5), units="um")
    rest()
    panel.state.set_pipeline(GAUSSIAN)
    rest()
    window = panel.state.source.window
    assert window == estimate_window(panel.state.source.volume)
    plane = volume[1]
    np.testing.assert_array_equal(shown(panel), GAUSSIAN(plane, window))
    preview = panel.layers.layer
    assert preview.name == "electrode filtered (preview)"
    np.testing.assert_array_equal(preview.scale, layer.scale)
    assert preview.units == layer.units
    np.testing.assert_array_equal(preview.data_to_world((0, 3, 4)), layer.data_to_world((1, 3, 4)))
    table = score_slices([plane, GAUSSIAN(plane, window)], window, untrained_model, unfiltered=[plane, plane])
    before, after = table["score"]
    assert panel.score.score.text().startswith(f"{before:.2f} → <b>{after:.2f}</b>")
    fidelity = [f"{value:.3f}" for value in table["objective"]]  # what Tune and Compare show too
    assert panel.score.fidelity.text().startswith(f"{fidelity[0]}→<b>{fidelity[1]}</b>")
    assert panel.history.topLevelItem(0).text(0) == max(fidelity)
    loss = detail_loss(plane, GAUSSIAN(plane, window), window)
    assert loss > 10
    assert f"edges <b>{loss:.0f} %</b> less steep" in panel.score.detail.text()
    for artefact in ARTEFACTS:
        figures = f"{ARTEFACT_WORDS[artefact]} {table[artefact][0]:.1f}→<b>{table[artefact][1]:.1f}</b>"
        assert (figures in panel.score.parts.text()) == (table[artefact].max() >= 0.05)


def test_the_layer_selected_and_the_source_stay_as_they_were(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None]
) -> None:
    volume = tomogram(3, 48, 48)
    layer = viewer.add_image(volume)
    camera = viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera  # its place since 0.9
    camera.zoom, camera.center = 3.3, (0, 11, 12)
    panel.state.set_pipeline(GAUSSIAN)
    rest()
    assert list(viewer.layers.selection) == [layer]
    np.testing.assert_array_equal(layer.data, tomogram(3, 48, 48))
    assert (camera.zoom, camera.center) == (3.3, (0, 11, 12))


def test_the_preview_follows_napari_s_slider(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None]
) -> None:
    volume = tomogram(5, 48, 48)
    viewer.add_image(volume)
    panel.state.set_pipeline(GAUSSIAN)
    rest()
    first = panel.score.score.text()
    viewer.dims.set_current_step(0, 4)
    rest()
    np.testing.assert_array_equal(shown(panel), GAUSSIAN(volume[4], panel.state.source.window))
    assert panel.layers.layer.data_to_world((0, 0, 0))[0] == 4
    assert panel.score.score.text() != first


def test_a_slice_across_another_axis_is_filtered_as_it_is_shown(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None]
) -> None:
    volume = tomogram(40, 48, 56)
    viewer.add_image(volume)
    viewer.dims.order = (2, 0, 1)
    viewer.dims.set_current_step(2, 7)
    panel.state.set_pipeline(GAUSSIAN)
    rest()
    assert (panel.state.source.axis, panel.state.source.index) == (2, 7)
    np.testing.assert_array_equal(shown(panel), GAUSSIAN(volume[:, :, 7], panel.state.source.window))
    assert panel.layers.layer.data.shape == (40, 48, 1)


def test_of_a_series_the_time_point_that_is_shown_is_filtered(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None]
) -> None:
    series = tomogram(2, 4, 48, 48)
    viewer.add_image(da.from_array(series, chunks=(1, 1, 48, 48)))
    viewer.dims.set_current_step((0, 1), (1, 3))
    panel.state.set_pipeline(GAUSSIAN)
    rest()
    np.testing.assert_array_equal(shown(panel), GAUSSIAN(series[1, 3], panel.state.source.window))


def test_images_of_one_slice_and_of_several_levels(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None]
) -> None:
    panel.state.set_pipeline(GAUSSIAN)
    image = (100 * tomogram(64, 48)).astype("i2")
    viewer.add_image(image)
    rest()
    np.testing.assert_array_equal(shown(panel), GAUSSIAN(image, panel.state.source.window))
    assert panel.layers.layer.data.shape == image.shape
    levels = [tomogram(64, 128, seed=2), tomogram(64, 128, seed=2)[::2, ::2]]
    panel.choose_layer(viewer.add_image(levels, multiscale=True))
    rest()
    np.testing.assert_array_equal(shown(panel), GAUSSIAN(levels[0], panel.state.source.window))


def test_the_last_place_of_a_slider_wins(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None], qtbot: QtBot
) -> None:
    viewer.add_image(tomogram(3, 300, 300))
    panel.steps.add("gaussian")
    for step in range(30):
        set_slider(panel, (step + 1) / 40)
        qtbot.wait(5)
    rest()
    sigma = panel.state.pipeline.steps[0].parameters["sigma"]
    assert sigma == pytest.approx(0.1 * 200 ** (30 / 40), rel=0.02)
    np.testing.assert_array_equal(
        shown(panel), panel.state.pipeline(tomogram(3, 300, 300)[1], panel.state.source.window)
    )
    current = panel.history.currentItem()
    assert panel.history.entries[panel.history.indexOfTopLevelItem(current)].pipeline == panel.state.pipeline


def test_steps_before_the_one_that_is_changed_give_what_they_gave(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None]
) -> None:
    plane = tomogram(64, 64)
    viewer.add_image(plane)
    for sigma in (1.0, 3.0):
        panel.state.set_pipeline(Pipeline([Step("median"), Step("gaussian", {"sigma": sigma})]))
        rest()
    np.testing.assert_array_equal(shown(panel), panel.state.pipeline(plane, panel.state.source.window))
    panel.state.set_pipeline(Pipeline(panel.state.pipeline.steps[::-1]))
    rest()
    np.testing.assert_array_equal(shown(panel), panel.state.pipeline(plane, panel.state.source.window))


def test_a_step_switched_off_leaves_the_slice_as_it_is(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None]
) -> None:
    viewer.add_image(tomogram(3, 48, 48))
    panel.steps.add("gaussian")
    rest()
    panel.steps.cards[0].switch.click()
    rest()
    assert len(viewer.layers) == 1
    assert "no filter is on" in panel.score.detail.text()
    assert "→" not in panel.score.score.text()


def test_a_slow_filter_says_so(
    viewer: Viewer,
    panel: FilterPanel,
    rest: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(filter_preview, "_SLOW", 0.0)  # so that a Gaussian is slow
    said: list[str] = []
    panel.preview.slow.connect(said.append)
    viewer.add_image(tomogram(3, 48, 48))
    for sigma in (1.0, 2.0):
        panel.state.set_pipeline(GAUSSIAN.with_parameter(0, "sigma", sigma))
        rest()
    assert said[-1] == "Gaussian takes about 0 s on this slice…"


# -- before, after, difference ---------------------------------------------------------------------


def test_one_key_goes_from_after_to_before_to_difference(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None], qtbot: QtBot
) -> None:
    plane = (1000 * tomogram(48, 48)).astype("i2")
    viewer.add_image(plane)
    panel.state.set_pipeline(GAUSSIAN)
    rest()
    after = shown(panel)
    canvas = viewer.window._qt_viewer.canvas.native
    seen = []
    for view in (View.BEFORE, View.SPLIT, View.DIFFERENCE, View.AFTER):
        qtbot.keyClick(canvas, Qt.Key.Key_H)
        assert panel.views[view].isChecked()
        seen.append(shown(panel, view))
        assert viewer.layers[1:] == [panel.layers.layer]
        if view is View.DIFFERENCE:
            low, high = panel.layers.layer.contrast_limits
            assert low == -high < 0
    np.testing.assert_array_equal(seen[0], plane)
    np.testing.assert_array_equal(seen[1][:, :23], plane[:, :23])  # columns 23 and 24 are the line
    np.testing.assert_array_equal(seen[1][:, 25:], after[:, 25:])
    np.testing.assert_array_equal(seen[2], after.astype("f4") - plane.astype("f4"))
    np.testing.assert_array_equal(seen[3], after)


def test_another_key_goes_from_after_to_before_and_back(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None], qtbot: QtBot
) -> None:
    viewer.add_image(tomogram(48, 48))
    panel.state.set_pipeline(GAUSSIAN)
    rest()
    canvas = viewer.window._qt_viewer.canvas.native
    seen = []
    for _ in range(3):
        qtbot.keyClick(canvas, Qt.Key.Key_H, Qt.KeyboardModifier.ShiftModifier)
        seen.append(panel.layers.view)
    assert seen == [View.BEFORE, View.AFTER, View.BEFORE]


def test_ctrl_z_in_the_dock_undoes_a_change_of_the_pipeline(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None], qtbot: QtBot
) -> None:
    viewer.window.show()
    panel.steps.add("gaussian")
    qtbot.waitUntil(panel.isVisible, timeout=TIMEOUT)
    viewer.window._qt_window.activateWindow()
    panel.steps.add_button.setFocus()
    qtbot.waitUntil(panel.steps.add_button.hasFocus)
    qtbot.keyClick(panel.steps.add_button, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert panel.state.pipeline == Pipeline()
    control_shift = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(panel.steps.add_button, Qt.Key.Key_Z, control_shift)
    assert [step.filter for step in panel.state.pipeline.steps] == ["gaussian"]
    rest()


def canvas_point(viewer: Viewer, layer: Image, column: float) -> QPoint:
    """Return where a column of the middle row is on the canvas."""
    canvas = viewer.window._qt_viewer.canvas.native
    camera = viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera
    y, x = layer.data_to_world((layer.data.shape[-2] / 2, column))[-2:]
    middle = canvas.rect().center()
    return middle + QPoint(
        round((x - camera.center[-1]) * camera.zoom), round((y - camera.center[-2]) * camera.zoom)
    )


@pytest.mark.own_viewer
def test_the_line_of_the_split_view_follows_the_mouse_that_takes_it(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None], qtbot: QtBot
) -> None:
    viewer.window.show()
    plane = tomogram(200, 200)
    layer = viewer.add_image(plane, scale=(0.5, 0.5))
    panel.state.set_pipeline(GAUSSIAN)
    rest()
    panel.views[View.SPLIT].click()
    viewer.reset_view()
    qtbot.wait(50)
    canvas = viewer.window._qt_viewer.canvas.native
    camera = viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera
    centre = tuple(camera.center)

    def drag(start: float, end: float) -> None:
        left = Qt.MouseButton.LeftButton
        qtbot.mousePress(canvas, left, pos=canvas_point(viewer, layer, start))
        for share in (0.5, 1.0):
            qtbot.mouseMove(canvas, canvas_point(viewer, layer, start + share * (end - start)))
            qtbot.wait(20)
        qtbot.mouseRelease(canvas, left, pos=canvas_point(viewer, layer, end))
        qtbot.wait(20)

    drag(100, 150)
    assert panel.layers.split == pytest.approx(0.75, abs=0.01)
    assert tuple(camera.center) == centre
    assert camera.mouse_pan
    np.testing.assert_array_equal(shown(panel, View.SPLIT)[:, :148], plane[:, :148])
    after = GAUSSIAN(plane, panel.state.source.window)
    np.testing.assert_array_equal(shown(panel, View.SPLIT)[:, 152:], after[:, 152:])
    drag(50, 80)  # not on the line: pans
    assert panel.layers.split == pytest.approx(0.75, abs=0.01)
    assert tuple(camera.center) != centre


def test_a_preview_goes_when_the_dock_turns_to_another_layer(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None]
) -> None:
    first = viewer.add_image(tomogram(48, 48), name="first")
    panel.state.set_pipeline(GAUSSIAN)
    rest()
    second = viewer.add_image(tomogram(64, 64), name="second")
    panel.choose_layer(second)
    assert list(viewer.layers) == [first, second]
    rest()
    assert [layer.name for layer in viewer.layers] == ["first", "second", "second filtered (preview)"]


def test_source_and_preview_share_their_contrast(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None]
) -> None:
    layer = viewer.add_image(tomogram(3, 48, 48), contrast_limits=(-1, 1))
    panel.state.set_pipeline(GAUSSIAN)
    rest()
    preview = panel.layers.layer
    assert preview.contrast_limits == [-1, 1]
    preview.contrast_limits = (-0.5, 0.5)
    assert layer.contrast_limits == [-0.5, 0.5]
    for view in (View.BEFORE, View.DIFFERENCE, View.SPLIT):
        panel.views[view].click()
    assert panel.layers.layer.contrast_limits == [-0.5, 0.5]
    panel.layers.layer.gamma = 0.7
    assert layer.gamma == 0.7


def test_a_preview_that_the_user_deletes_comes_back_with_the_next_setting(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None]
) -> None:
    viewer.add_image(tomogram(3, 48, 48))
    panel.state.set_pipeline(GAUSSIAN)
    rest()
    viewer.layers.remove(panel.layers.layer)
    assert panel.layers.layer is None
    panel.state.set_pipeline(GAUSSIAN.with_parameter(0, "sigma", 1.0))
    rest()
    assert panel.layers.layer in viewer.layers


# -- the warning -----------------------------------------------------------------------------------


def judged(score: float, reason: str = "", loss: float = 0.0) -> Judged:
    return Judged(ScoredSlice(0, 0.0, score, 0.3, 5 - score, reason=reason), score / 5, loss)


@pytest.mark.parametrize(
    ("gain", "loss", "warned"), [(0.5, 40, True), (0.5, 3, False), (-0.5, 40, False), (0.5, math.nan, False)]
)
def test_a_gain_bought_with_detail_is_warned_of(gain: float, loss: float, warned: bool, qtbot: QtBot) -> None:
    score = FilterScore()
    qtbot.addWidget(score)
    said: list[str] = []
    score.warned.connect(said.append)
    score.show_trial(SliceTrial(GAUSSIAN, judged(3.0), judged(3.0 + gain, loss=loss)))
    assert bool(said[-1]) is warned
    assert f"{gain:+.2f}" in score.score.text()


def test_a_slice_that_the_model_does_not_know_any_more_is_warned_of(qtbot: QtBot) -> None:
    score = FilterScore()
    qtbot.addWidget(score)
    said: list[str] = []
    score.warned.connect(said.append)
    score.show_trial(SliceTrial(GAUSSIAN, judged(3.0), judged(4.0, "unlike anything")))
    assert "do not rely" in said[-1]


def test_the_detail_lost_is_never_minus_zero(qtbot: QtBot) -> None:
    score = FilterScore()
    qtbot.addWidget(score)
    score.show_trial(SliceTrial(GAUSSIAN, judged(3.0), judged(3.5, loss=-0.3)))
    assert score.detail.text() == "edges <b>0 %</b> less steep"


# -- history ---------------------------------------------------------------------------------------


def test_settings_tried_are_ranked_and_a_click_goes_back(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None]
) -> None:
    viewer.add_image(tomogram(3, 64, 64))
    for sigma in (0.5, 1.0, 4.0):
        panel.state.set_pipeline(GAUSSIAN.with_parameter(0, "sigma", sigma))
        rest()
    entries = panel.history.entries
    assert len(entries) == 4  # and the slice unfiltered
    assert [one.objective for one in entries] == sorted((one.objective for one in entries), reverse=True)
    for row in range(4):
        panel.history.itemClicked.emit(panel.history.topLevelItem(row), 0)
        assert panel.state.pipeline == entries[row].pipeline
    assert "unfiltered" in [panel.history.topLevelItem(row).text(3) for row in range(4)]


def test_the_history_is_kept_with_the_layer_as_json(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None]
) -> None:
    layer = viewer.add_image(tomogram(3, 64, 64), metadata={METADATA_KEY: {"source": "scan.tif"}})
    panel.state.set_pipeline(GAUSSIAN)
    rest()
    on_slice_1 = panel.history.entries
    viewer.dims.set_current_step(0, 2)
    rest()
    assert panel.history.entries != on_slice_1
    saved = json.loads(json.dumps(layer.metadata))
    assert saved[METADATA_KEY]["source"] == "scan.tif"
    layer.metadata[METADATA_KEY]["filters_tried"].append({"slice": "of another version"})
    again = FilterHistory()
    viewer.dims.set_current_step(0, 1)
    rest()
    again.show_slice(panel.state.source, panel.state.model)
    assert repr(again.entries) == repr(on_slice_1)  # a loss that cannot be told is NaN, equal to nothing


# -- what goes wrong -------------------------------------------------------------------------------


def test_a_layer_removed_while_its_slice_is_filtered(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None]
) -> None:
    layer = viewer.add_image(tomogram(3, 400, 400))
    panel.state.set_pipeline(GAUSSIAN)
    rest()
    panel.state.set_pipeline(Pipeline([Step("median"), *GAUSSIAN.steps]))
    assert panel.preview.job.state.busy
    viewer.layers.remove(layer)
    rest()
    assert len(viewer.layers) == 0
    assert panel.state.source is None
    assert "open a tomogram" in panel.message.text()
    viewer.add_image(tomogram(3, 48, 48))
    rest()
    assert panel.layers.layer in viewer.layers


def test_the_dock_follows_the_active_layer_unless_one_is_pinned(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None]
) -> None:
    layers = [viewer.add_image(tomogram(48, 48, seed=seed), name=f"scan {seed}") for seed in range(3)]
    rest()
    assert panel.layer is layers[2]  # the active one
    viewer.layers.selection.active = layers[0]
    rest()
    assert panel.state.source.layer is layers[0]
    panel.choose_layer(layers[1])
    viewer.layers.selection.active = layers[2]
    rest()
    assert panel.state.source.layer is layers[1]  # pinned by its choice


def test_a_layer_renamed_while_its_slice_is_filtered(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None]
) -> None:
    layer = viewer.add_image(tomogram(3, 200, 200), name="old")
    panel.state.set_pipeline(GAUSSIAN)
    layer.name = "new"
    rest()
    assert panel.state.source.layer_name == "new"
    assert panel.layers.layer.name == "new filtered (preview)"


def test_new_pixels_of_the_layer_are_filtered_anew(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None]
) -> None:
    layer = viewer.add_image(tomogram(3, 48, 48))
    panel.state.set_pipeline(GAUSSIAN)
    rest()
    layer.data = tomogram(3, 48, 48, seed=5)
    rest()
    np.testing.assert_array_equal(shown(panel), GAUSSIAN(layer.data[1], panel.state.source.window))


def test_layers_that_hold_no_slice_are_refused_in_a_sentence(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None]
) -> None:
    viewer.add_labels(np.zeros((48, 48), int))
    rest()
    assert "open a tomogram" in panel.message.text()
    viewer.add_image(np.random.default_rng(0).random((48, 48, 3)), name="photo")
    rest()
    assert "colour images and results of these docks are not offered" in panel.message.text()
    assert panel.state.source is None
    panel.state.set_pipeline(GAUSSIAN)
    rest()
    assert len(viewer.layers) == 2


def test_a_viewer_that_shows_time_as_an_axis_is_refused_in_a_sentence(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None]
) -> None:
    viewer.add_image(tomogram(40, 4, 48, 48))
    viewer.dims.order = (1, 2, 0, 3)
    rest()
    assert "shows no slice" in panel.message.text()
    viewer.dims.order = (0, 1, 2, 3)
    rest()
    assert panel.message.text() == ""
    assert panel.state.source is not None


def test_a_slice_too_small_or_without_contrast_says_so_and_the_next_one_works(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    flat = viewer.add_image(np.ones((48, 48), "f4"), name="flat")
    rest()
    assert "constant" in panel.message.text()
    viewer.layers.remove(flat)
    viewer.add_image(tomogram(3, 48, 48))
    rest()
    assert panel.message.text() == ""
    assert panel.score.score.text() != "–"


def test_a_filter_that_the_slice_is_too_small_for_says_so_and_shows_nothing(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None]
) -> None:
    viewer.add_image(tomogram(12, 12))
    fits = GAUSSIAN.with_parameter(0, "sigma", 0.5)
    panel.state.set_pipeline(fits)
    rest()
    assert panel.layers.layer is not None
    panel.state.set_pipeline(GAUSSIAN.with_parameter(0, "sigma", 10.0))
    rest()
    assert "does not fit into a slice of 12 x 12 px" in panel.message.text()
    assert panel.layers.layer is None
    assert panel.score.score.text() == "–"
    panel.state.set_pipeline(fits)
    rest()
    assert panel.message.text() == ""
    assert panel.layers.layer is not None


def test_a_closed_dock_takes_its_layers_its_key_and_its_work_along(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None], qtbot: QtBot
) -> None:
    viewer.add_image(tomogram(3, 200, 200))
    panel.state.set_pipeline(GAUSSIAN)
    rest()
    panel.state.set_pipeline(GAUSSIAN.with_parameter(0, "sigma", 1.0))
    job = panel.preview.job
    viewer.window.remove_dock_widget("all")
    assert len(viewer.layers) == 1
    qtbot.waitUntil(lambda: not job.state.busy, timeout=TIMEOUT)
    viewer.dims.set_current_step(0, 0)
    viewer.add_image(tomogram(3, 48, 48))
    qtbot.keyClick(viewer.window._qt_viewer.canvas.native, Qt.Key.Key_H)
    qtbot.wait(50)
    assert len(viewer.layers) == 2


# -- the ring centre -------------------------------------------------------------------------------


def test_the_ring_centre_is_found_set_and_marked(
    viewer: Viewer, panel: FilterPanel, rest: Callable[[], None], qtbot: QtBot
) -> None:
    y, x = np.mgrid[:160, :160] - 79.5
    rings = np.random.default_rng(0).normal(0, 1, 200)
    offset = (4, -3)
    ringed = np.interp(np.hypot(y - offset[0], x - offset[1]), np.arange(200), rings).astype("f4")
    viewer.add_image(np.stack([ringed] * 3) + 0.1 * tomogram(3, 160, 160))
    panel.steps.add("ring_removal")
    rest()
    panel.steps.cards[0].find_centre.click()
    qtbot.waitUntil(lambda: panel._mark.layer is not None, timeout=TIMEOUT)
    rest()
    found = [panel.state.pipeline.steps[0].parameters[name] for name in ("centre_y", "centre_x")]
    assert found == pytest.approx(offset, abs=1)
    np.testing.assert_allclose(panel._mark.layer.data, [[1, 79.5 + found[0], 79.5 + found[1]]])
    assert panel.message.text().startswith("The rings' centre is")
    viewer.layers.remove(panel._mark.layer)
    assert panel._mark.layer is None


def test_images_only(viewer: Viewer, panel: FilterPanel, rest: Callable[[], None]) -> None:
    """The dock's own layers are not offered to be filtered."""
    layer = viewer.add_image(tomogram(3, 48, 48))
    panel.state.set_pipeline(GAUSSIAN)
    rest()
    panel.layers.next_view()
    assert all(isinstance(one, Image) for one in viewer.layers)
    assert [choice.unique_id for choice in panel.layer_box.choices] == [layer.unique_id]
