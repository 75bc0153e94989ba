"""Layers side by side with their scores above them, and the viewer as it was before once that ends."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from pytestqt.qtbot import QtBot

from napari_tiqa.widgets.quality.panel import QualityPanel
from tests.widgets.quality.runs import shelve

TIMEOUT = 300_000  # ms


@pytest.fixture
def panel(viewer: Viewer, qtbot: QtBot, untrained_model: Path) -> QualityPanel:
    dock = viewer.window.add_plugin_dock_widget("napari-tiqa", "Slice quality")[1]
    with qtbot.waitSignal(dock.ready, timeout=TIMEOUT):
        pass
    dock.panel.form.model_box.choose(untrained_model)
    return dock.panel


def scans(viewer: Viewer, count: int = 2) -> list[Image]:
    rng = np.random.default_rng(0)
    return [viewer.add_image(rng.random((4, 48, 48)), name=f"scan {number}") for number in range(count)]


def text_above(layer: Any) -> str:
    overlays = [overlay for overlay in layer._overlays.values() if getattr(overlay, "text", "")]
    assert len(overlays) <= 1
    return overlays[0].text.replace("\n", " ") if overlays else ""


def state(viewer: Viewer) -> dict[str, Any]:
    grid, camera = viewer.canvas.grid, viewer.scene.camera
    return {
        "grid": (grid.enabled, grid.stride, grid.shape, grid.spacing),
        "camera": (camera.center, camera.zoom, camera.angles),
        "visible": [layer.visible for layer in viewer.layers],
        "names": [layer.name for layer in viewer.layers],
        "texts": [text_above(layer) for layer in viewer.layers],
        "selected": {layer.name for layer in viewer.layers.selection},
        "point": viewer.dims.point,
    }


def test_the_scores_stand_above_the_layers_and_the_viewer_is_put_back(
    viewer: Viewer, panel: QualityPanel, qtbot: QtBot
) -> None:
    first, second, hidden = scans(viewer, 3)
    hidden.visible = False
    viewer.add_labels(np.ones((4, 48, 48), int), name="labels")
    viewer.canvas.grid.stride, viewer.canvas.grid.shape = 2, (3, -1)
    viewer.scene.camera.zoom, viewer.scene.camera.center = 7.5, (0.0, 3.0, 4.0)
    viewer.dims.set_current_step(0, 1)
    before = state(viewer)
    shelve(panel, first, [4.0, 1.5, 3.0, 2.0])
    panel.form.compare_button.click()
    assert panel.form.compare_button.isChecked()
    assert viewer.canvas.grid.enabled
    assert viewer.canvas.grid.actual_shape(viewer.layers) == (1, 2)
    assert [layer.visible for layer in viewer.layers] == [True, True, False, False]
    assert text_above(first) == "scan 0 slice 1: 1.5 ± 0.2, mostly rings mean of 4 slices: 2.62"
    assert text_above(second) == "scan 1 slice 1: being scored…"
    qtbot.waitUntil(lambda: "being scored" not in text_above(second), timeout=TIMEOUT)
    shown = text_above(second)
    viewer.dims.set_current_step(0, 2)
    assert "slice 2: 3.0 ± 0.2" in text_above(first)
    viewer.dims.set_current_step(0, 1)
    assert text_above(second) == shown  # it is not scored again
    panel.form.compare_button.click()
    assert not panel.form.compare_button.isChecked()
    assert state(viewer) == before


def chosen_names(viewer: Viewer, panel: QualityPanel) -> list[str]:
    panel.side_by_side.toggle()
    names = [layer.name for layer in panel.side_by_side.layers]
    panel.side_by_side.toggle()
    return names


def test_what_is_selected_goes_before_what_is_visible(viewer: Viewer, panel: QualityPanel) -> None:
    panel.side_by_side.toggle()
    assert "takes two images" in panel.message.text()
    scans(viewer, 1)
    panel.form.compare_button.click()
    assert "takes two images" in panel.message.text()
    assert not panel.form.compare_button.isChecked()
    first, second, third = scans(viewer, 3)[:3]
    assert len(chosen_names(viewer, panel)) == 4
    viewer.layers.selection = {first, third}
    assert chosen_names(viewer, panel) == [first.name, third.name]
    viewer.layers.selection = {second}
    for layer in viewer.layers:
        layer.visible = layer is second
    assert chosen_names(viewer, panel) == [second.name, third.name]


ENDS: dict[str, Callable[[Viewer, QualityPanel], object]] = {
    "napari's grid button": lambda viewer, panel: setattr(viewer.canvas.grid, "enabled", False),
    "a layer removed": lambda viewer, panel: viewer.layers.remove("scan 1"),
    "all layers removed": lambda viewer, panel: viewer.layers.clear(),
    "dock closed": lambda viewer, panel: viewer.window.remove_dock_widget("all"),
}


@pytest.mark.parametrize("end", ENDS)
def test_it_ends_with_what_it_needs(end: str, viewer: Viewer, panel: QualityPanel, qtbot: QtBot) -> None:
    first, _ = scans(viewer)
    viewer.add_points(np.zeros((1, 3)), name="marks")
    panel.side_by_side.toggle()
    ENDS[end](viewer, panel)
    assert not panel.side_by_side.on
    assert not viewer.canvas.grid.enabled
    assert text_above(first) == ""
    assert all(layer.visible for layer in viewer.layers)
    qtbot.waitUntil(lambda: not panel.side_by_side.job.state.busy, timeout=TIMEOUT)
