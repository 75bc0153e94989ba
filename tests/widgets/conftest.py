"""What tests of docks share: folders, and one napari viewer a worker (a new one takes a second)."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from napari import Viewer
from napari._qt.qt_viewer import QtViewer
from napari.settings import get_settings
from napari.utils.events import EventEmitter
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication


@pytest.fixture(autouse=True)
def user_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep what docks remember, preferences, and the models they propose out of the user's own folders."""
    user = tmp_path_factory.mktemp("user")
    for function, folder in (("user_data_dir", "user data"), ("user_documents_dir", "documents")):
        monkeypatch.setattr(f"platformdirs.{function}", lambda *_, place=str(user / folder), **__: place)
    # Where napari keeps the plugin's page of its Preferences, and what it has read of it.
    monkeypatch.setattr("napari.settings._CFG_PATH", str(user / "napari" / "settings.yaml"))
    monkeypatch.setattr("napari.settings._PLUGIN_SETTINGS", {})
    return user


class PatientBot(QtBot):
    """A bot whose waits outlast a model process that imports Keras on a busy machine."""

    def waitUntil(self, callback: Callable[[], bool | None], *, timeout: int = 300_000) -> None:
        """Wait until ``callback`` holds, for up to ``timeout`` ms."""
        super().waitUntil(callback, timeout=timeout)


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> QtBot:
    """Return pytest-qt's bot, with patience."""
    return PatientBot(request)


@pytest.fixture
def viewer(request: pytest.FixtureRequest) -> Iterator[Viewer]:
    """Return a viewer without layers and docks; one of its own for a test marked so, which may close it."""
    if request.node.get_closest_marker("own_viewer"):
        yield request.getfixturevalue("make_napari_viewer")()
        return
    shared: SharedViewer = request.getfixturevalue("_shared_viewer")
    request.getfixturevalue("qtbot")
    shared.viewer.window._qt_window.activateWindow()
    yield shared.viewer
    shared.clear()


@pytest.fixture(scope="session")
def _shared_viewer(qapp: QApplication) -> Iterator["SharedViewer"]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        # As napari's own make_napari_viewer does: no thread for the status bar, no console.
        monkeypatch.setattr("napari._qt.threads.status_checker.StatusChecker.start", lambda *_: None)
        get_settings().reset()
        shared = SharedViewer()
        gc.freeze()  # napari collects garbage with each change of its layers: not all that was imported
        yield shared
        shared.close()


class SharedViewer:
    """A viewer, and what it was like when it was new."""

    def __init__(self) -> None:
        self.viewer = Viewer(show=False, show_welcome_screen=False)
        # make_napari_viewer looks here for viewers that a test before has not closed.
        QtViewer._instances.discard(self.viewer.window._qt_viewer)
        self._size = self.viewer.window._qt_window.size()
        self._theme = self.viewer.theme
        self._keys = dict(self.viewer.keymap)
        self._emitters = {
            emitter: (emitter._callbacks[:], emitter._callback_refs[:], emitter._callback_pass_event[:])
            for emitter in emitters(self.viewer)
        }

    def clear(self) -> None:
        """Make the viewer as good as new."""
        viewer, window = self.viewer, self.viewer.window
        docked = [dock.widget() for dock in window._wrapped_dock_widgets.values()]
        window.remove_dock_widget("all")
        for widget in docked:
            widget.deleteLater()
        viewer.layers.clear()
        for emitter, (callbacks, references, passes) in self._emitters.items():  # of docks that are gone
            emitter._callbacks[:] = callbacks
            emitter._callback_refs[:] = references
            emitter._callback_pass_event[:] = passes
        get_settings().reset()
        viewer.keymap.clear()
        viewer.keymap.update(self._keys)
        viewer.theme = self._theme
        viewer.dims.ndisplay = 2
        viewer.dims.order = tuple(range(viewer.dims.ndim))
        getattr(viewer, "scene", viewer).camera.reset()  # napari 0.9 moves it there
        window._qt_window.hide()
        window._qt_window.resize(self._size)
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
        assert not viewer.layers
        assert not window._wrapped_dock_widgets

    def close(self) -> None:
        """Close it; the size of its window is not what the next napari should have."""
        with patch.object(self.viewer.window._qt_window, "_save_current_window_settings"):
            self.viewer.close()


def emitters(viewer: Viewer) -> Iterator[EventEmitter]:
    """Yield what sends the viewer's events."""
    for model in (viewer, viewer.layers, viewer.layers.selection, viewer.dims):
        yield model.events
        yield from model.events.emitters.values()
