"""How wide docks are, where the second of them opens, and that nothing in them is cut off at the right."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from npe2 import PluginManifest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QScrollArea, QTabWidget, QWidget

from napari_tiqa.widgets.quality.panel import QualityPanel
from tests.places import ROOT
from tests.widgets.evaluation.evaluations import an_evaluation
from tests.widgets.quality.runs import shelve

# Their window is shown, and a shared canvas may hold what other tests have drawn and deleted unseen: drawing
# that ends in a segmentation fault in OpenGL.
pytestmark = pytest.mark.own_viewer
TIMEOUT = 300_000  # ms
MANIFEST = PluginManifest.from_file(ROOT / "napari.yaml")
DOCKS = [widget.display_name for widget in MANIFEST.contributions.widgets or ()]
WIDEST = 400  # px
LONG = "a layer with a name that is longer than any dock is wide " * 3

OpenDock = Callable[[str], Any]


@pytest.fixture
def open_dock(viewer: Viewer, qtbot: QtBot) -> OpenDock:
    window = viewer.window._qt_window
    window.resize(1280, 720)
    window.show()

    def open_named(name: str) -> Any:
        opened: list[bool] = []
        dock = viewer.window.add_plugin_dock_widget("napari-tiqa", name)[1]
        dock.ready.connect(lambda: opened.append(True))
        qtbot.waitUntil(lambda: bool(opened), timeout=TIMEOUT)
        qtbot.wait(50)
        return dock

    return open_named


def fill(dock: Any, viewer: Viewer) -> None:
    """Show long names and results, where a dock has some."""
    layer = viewer.add_image(np.random.default_rng(0).random((9, 300, 300), np.float32), name=LONG)
    viewer.add_labels(np.ones((9, 300, 300), np.uint8), name=f"labels of {LONG}")
    if isinstance(dock.panel, QualityPanel):
        shelve(dock.panel, layer, list(np.linspace(1, 5, 9)), ring=1.0, noise=1.0)
        dock.panel.controls.message.say("A sentence that is longer than the dock is wide. " * 4)
    elif hasattr(dock.panel.form if hasattr(dock.panel, "form") else None, "baselines"):
        dock.panel.results.show_evaluation(an_evaluation())


def is_cut_off(dock: Any) -> bool:
    """Whether anything needs more width than it has, on any of the tabs."""
    areas = [area for area in dock.findChildren(QScrollArea) if area.widget() is not None]
    return any(a.widget().width() > a.viewport().width() for a in areas if a.isVisible())


def on_each_tab(dock: QWidget, qtbot: QtBot, check: Callable[[], bool]) -> list[str]:
    found = ["the dock"] if check() else []
    for tabs in dock.findChildren(QTabWidget):
        for number in range(tabs.count()):
            tabs.setCurrentIndex(number)
            qtbot.wait(20)
            if check():
                found.append(tabs.tabText(number))
    return found


@pytest.mark.parametrize("name", DOCKS)
def test_no_dock_is_wider_than_400_px_or_cut_off(
    name: str, viewer: Viewer, open_dock: OpenDock, qtbot: QtBot
) -> None:
    dock = open_dock(name)
    fill(dock, viewer)
    qtbot.waitUntil(lambda: not is_cut_off(dock))  # a busy machine lays out later
    assert on_each_tab(dock, qtbot, lambda: is_cut_off(dock)) == []
    assert dock.minimumWidth() <= WIDEST
    assert dock.width() <= WIDEST
    assert viewer.window._qt_window.height() <= 720
    frame = dock.parent()
    viewer.window._qt_window.resizeDocks([frame], [200], Qt.Orientation.Horizontal)  # as narrow as it goes
    qtbot.wait(50)
    assert on_each_tab(dock, qtbot, lambda: is_cut_off(dock)) == []
    frame.setFloating(True)
    frame.resize(WIDEST, 600)
    qtbot.wait(50)
    assert on_each_tab(dock, qtbot, lambda: is_cut_off(dock)) == []


def test_a_second_dock_opens_as_a_tab_beside_the_first(
    viewer: Viewer, open_dock: OpenDock, qtbot: QtBot
) -> None:
    first = open_dock("Slice quality")
    second = open_dock("Rate images")
    window = viewer.window._qt_window
    assert window.tabifiedDockWidgets(second.parent()) == [first.parent()]
    assert second.height() > 500
    assert second.visibleRegion().boundingRect().height() > 500  # it is the one in front
    first.parent().setFloating(True)
    qtbot.wait(50)
    third = open_dock("Train a model")
    assert window.tabifiedDockWidgets(third.parent()) == [second.parent()]
