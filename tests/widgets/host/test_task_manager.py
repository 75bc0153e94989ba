"""napari's task manager knows of a long job of a dock until it has ended, however it ends."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot

from napari_tiqa.errors import Cancelled, VolumeError
from napari_tiqa.widgets.host import task_manager
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobState
from napari_tiqa.widgets.shared.dock_panel import DockPanel

TOLD = ["TIQA image quality: counting (scan)"]
FINISH = threading.Event()


def work(_report: object, cancel: threading.Event) -> None:
    while not cancel.wait(0.01):
        if FINISH.is_set():
            raise VolumeError("It cannot be read.")
    raise Cancelled


@pytest.fixture
def panel(viewer: Viewer, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> Iterator[DockPanel]:
    FINISH.clear()
    monkeypatch.setattr(task_manager, "LONG_AFTER", 1)  # ms
    made: Any = DockPanel(viewer)
    qtbot.addWidget(made)
    made.job = BackgroundJob("counting")
    made._end_with_dock(made.job)
    yield made
    made.close_down()


ENDS: dict[str, Callable[[Any, Viewer], object]] = {
    "failed": lambda panel, viewer: FINISH.set(),
    "cancelled": lambda panel, viewer: panel.job.cancel(),
    "layer removed": lambda panel, viewer: viewer.layers.clear(),
    "dock closed": lambda panel, viewer: panel.close_down(),
    "napari closed": lambda panel, viewer: viewer.window._task_status_manager.cancel_all(),
}


@pytest.mark.parametrize("end", ENDS)
def test_napari_knows_of_a_job_until_it_has_ended(end: str, panel: Any, viewer: Viewer, qtbot: QtBot) -> None:
    manager = viewer.window._task_status_manager
    layer = viewer.add_image(np.zeros((8, 8)), name="scan")
    task_manager.tell_of(panel.job, viewer)  # a second time, as a dock does that shows a training again
    assert panel.job.start(work, layer)
    qtbot.waitUntil(lambda: manager.get_status() == TOLD)
    assert manager.is_busy()
    ENDS[end](panel, viewer)
    qtbot.waitUntil(lambda: not panel.job.state.busy)
    assert manager.get_status() == []
    assert panel.job.state is (JobState.FAILED if end == "failed" else JobState.CANCELLED)


def test_napari_is_not_told_of_a_short_job(
    panel: Any, viewer: Viewer, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_manager, "LONG_AFTER", 200)
    manager = viewer.window._task_status_manager
    known = len(manager._tasks)
    with qtbot.waitSignal(panel.job.ended):
        panel.job.start(lambda _report, _cancel: 7)
    qtbot.wait(250)
    assert len(manager._tasks) == known
    assert panel.job.state is JobState.DONE
