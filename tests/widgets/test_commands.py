"""The commands in napari's Layers menu and command palette, and the keys over the picture."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from app_model.types import KeyBinding
from napari import Viewer
from napari._app_model import get_app_model
from napari._qt.widgets.qt_keyboard_settings import ShortcutEditor
from napari.components import ViewerModel
from napari.utils.action_manager import action_manager
from napari.utils.notifications import notification_manager
from npe2 import PluginManifest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMenu

from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.widgets.docks import QualityDock
from napari_tiqa.widgets.host.shortcuts import SHORTCUTS
from napari_tiqa.widgets.shared.background_job import JobState
from tests.places import ROOT
from tests.widgets.quality.runs import shelve

TIMEOUT = 300_000  # ms
MANIFEST = PluginManifest.from_file(ROOT / "napari.yaml")
RINGS, MEDIAN = Step("ring_removal"), Step("median")


def run(viewer: Viewer, name: str) -> None:
    get_app_model().commands.execute_command(f"napari-tiqa.{name}")


def opened(viewer: Viewer, dock_name: str, qtbot: QtBot) -> Any:
    docks = viewer.window._wrapped_dock_widgets
    (dock,) = [dock.inner_widget() for name, dock in docks.items() if name.startswith(dock_name)]
    ready: list[bool] = []
    dock.ready.connect(lambda: ready.append(True))
    qtbot.waitUntil(lambda: bool(ready) or (dock.panel is not None and dock.panel.isVisibleTo(dock)))
    return dock.panel


def entries(menu: QMenu) -> Iterator[tuple[str, bool]]:
    menu.aboutToShow.emit()
    for action in menu.actions():
        yield action.text().replace("&", ""), action.isEnabled()
        if action.menu() is not None:
            yield from entries(action.menu())


def test_the_layers_menu_offers_what_docks_do_with_the_active_image(viewer: Viewer) -> None:
    titles = {"Score quality", "Remove rings", "Denoise", "Segment"}

    def offered() -> dict[str, bool]:
        found = dict(entries(viewer.window.layers_menu))
        return {title: found[f"{title} (TIQA image quality)"] for title in titles}

    viewer.add_image(np.zeros((3, 40, 40)))
    assert offered() == dict.fromkeys(titles, True)
    viewer.add_labels(np.zeros((3, 40, 40), int))
    assert offered() == dict.fromkeys(titles, False)
    viewer.add_image(np.zeros((40, 40, 3)), rgb=True)
    assert offered() == dict.fromkeys(titles, False)


def test_remove_rings_and_denoise_add_a_step_for_the_active_layer(viewer: Viewer, qtbot: QtBot) -> None:
    for name in ("hidden", "scan"):
        layer = viewer.add_image(np.random.default_rng(0).random((3, 64, 64)), name=name)
    viewer.layers.selection.active = viewer.layers["hidden"]
    run(viewer, "remove_rings")
    panel = opened(viewer, "Filter and tune", qtbot)
    assert panel.state.pipeline == Pipeline([RINGS])
    assert panel.layer is viewer.layers["hidden"]
    panel.tabs.setCurrentIndex(2)
    viewer.layers.selection.active = layer
    run(viewer, "denoise")
    assert [step.filter for step in panel.state.pipeline.steps] == ["ring_removal", "non_local_means"]
    assert panel.tabs.tabText(panel.tabs.currentIndex()) == "Steps"
    assert panel.layer is layer
    panel.state.set_pipeline(Pipeline([MEDIAN]))
    run(viewer, "denoise")
    assert panel.state.pipeline == Pipeline([MEDIAN])  # it removes noise already
    run(viewer, "undo")
    assert len(panel.state.pipeline.steps) == 2


def test_score_quality_scores_the_active_layer(viewer: Viewer, qtbot: QtBot) -> None:
    viewer.add_image(np.random.default_rng(0).random((3, 48, 48)), name="scan")
    viewer.add_image(np.random.default_rng(1).random((3, 48, 48)), name="other")
    viewer.layers.selection.active = viewer.layers["scan"]
    run(viewer, "score_quality")
    panel = opened(viewer, "Slice quality", qtbot)
    assert panel.job.layer is viewer.layers["scan"]
    qtbot.waitUntil(lambda: not panel.job.state.busy, timeout=TIMEOUT)
    assert panel.job.state is JobState.DONE
    assert panel.results.current.run.asked == 3


def test_segment_opens_its_tab_on_the_active_layer(viewer: Viewer, qtbot: QtBot) -> None:
    layer = viewer.add_image(np.random.default_rng(0).random((3, 64, 64)), name="scan")
    viewer.add_image(np.random.default_rng(0).random((3, 64, 64)), name="other")
    viewer.layers.selection.active = layer
    run(viewer, "segment")
    panel = opened(viewer, "Segment", qtbot)
    assert panel.header.image is layer
    assert panel.tabs.tabText(panel.tabs.currentIndex()) == "Segment"


def test_a_command_without_an_image_says_so_in_one_sentence(viewer: Viewer) -> None:
    viewer.add_points(np.zeros((1, 2)), name="marks")
    with notification_manager:
        run(viewer, "score_quality")
        said = [str(each.message) for each in notification_manager.records]
    assert said[-1] == "'marks' is not an image to score: choose an image layer."
    assert not viewer.window._wrapped_dock_widgets


# -- keys ------------------------------------------------------------------------------------------


def test_the_manifest_names_each_shortcut_as_the_one_definition_does() -> None:
    named = {command.id.partition(".")[2]: command.title for command in MANIFEST.contributions.commands or ()}
    assert {name: named.get(name) for name in SHORTCUTS} == {n: s.title for n, s in SHORTCUTS.items()}


def press(viewer: Viewer, qtbot: QtBot, key: Qt.Key, held: Any = Qt.KeyboardModifier.NoModifier) -> None:
    qtbot.keyClick(viewer.window._qt_viewer.canvas.native, key, held)


def test_keys_act_while_their_dock_is_open_and_stand_in_naparis_list(viewer: Viewer, qtbot: QtBot) -> None:
    dock: QualityDock = viewer.window.add_plugin_dock_widget("napari-tiqa", "Slice quality")[1]
    qtbot.waitUntil(lambda: dock.panel is not None, timeout=TIMEOUT)
    layer = viewer.add_image(np.random.default_rng(0).random((4, 48, 48)), name="scan")
    shelve(dock.panel, layer, [4.0, 1.0, 3.0, 2.0])
    viewer.dims.set_current_step(0, 0)
    press(viewer, qtbot, Qt.Key.Key_N)
    assert viewer.dims.current_step[0] == 1
    press(viewer, qtbot, Qt.Key.Key_N)
    assert viewer.dims.current_step[0] == 3
    editor = ShortcutEditor()
    qtbot.addWidget(editor)
    listed = editor.key_bindings_strs[editor.VIEWER_KEYBINDINGS]
    for name, shortcut in SHORTCUTS.items():
        assert listed[f"napari-tiqa:{name}"].description == f"TIQA: {shortcut.title}"
        assert KeyBinding.from_str(shortcut.key) in ViewerModel.class_keymap
    viewer.window.remove_dock_widget("all")
    press(viewer, qtbot, Qt.Key.Key_N)
    assert viewer.dims.current_step[0] == 3
    assert viewer.status == "Next worst slice: the dock Slice quality is not open."


def test_no_key_is_one_that_napari_binds_in_the_viewer() -> None:
    ours = {KeyBinding.from_str(shortcut.key) for shortcut in SHORTCUTS.values()}
    assert len(ours) == len(SHORTCUTS)
    theirs = [
        key
        for name, action in action_manager._actions.items()
        if name.startswith("napari:") and action.keymapprovider is ViewerModel
        for key in action_manager._shortcuts.get(name, ())
    ]
    assert len(theirs) > 10
    assert not ours & set(theirs)
