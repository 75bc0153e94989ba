"""Docks that are opened and closed leave nothing behind; 200 times: ``benchmarks/reliability/leaks.py``."""

import gc
from typing import Any

from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QApplication

from benchmarks.reliability.leaks import growth, resources
from tests.widgets.all_docks import NAMES


def callbacks(viewer: Viewer) -> int:
    events = viewer.layers.events
    groups: tuple[Any, ...] = (events, *events.emitters.values(), *viewer.dims.events.emitters.values())
    return sum(len(emitter.callbacks) for emitter in groups)


def test_docks_leave_no_widget_thread_file_or_listener(viewer: Viewer, qtbot: QtBot) -> None:
    def open_and_close() -> None:
        for name in NAMES:
            dock, shell = viewer.window.add_plugin_dock_widget("napari-tiqa", name)
            qtbot.waitUntil(lambda shell=shell: shell.panel is not None and shell.panel.isVisibleTo(shell))
            viewer.window.remove_dock_widget(dock)
        qtbot.wait(50)

    def count() -> dict[str, float]:
        qtbot.wait(200)
        held = resources()  # first, since it collects garbage
        qtbot.wait(50)
        gc.collect()
        return {
            "widgets": len(QApplication.allWidgets()),
            "Qt objects": sum(isinstance(each, QObject) for each in gc.get_objects()),
            "listeners": callbacks(viewer),
            "open files": held["open files"],
        }

    assert growth(open_and_close, count, cycles=2, warm_up=2) == {
        "widgets": 0,
        "Qt objects": 0,
        "listeners": 0,
        "open files": 0,
    }
