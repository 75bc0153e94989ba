"""A job ends with its layer, and a panel lets go of its jobs in whatever order things are deleted."""

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QWidget

from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.dock_panel import DockPanel


class Panel(DockPanel):
    """A panel with a job, as docks have one."""

    def __init__(self, viewer: Any) -> None:
        super().__init__(viewer)
        self.job = BackgroundJob("counting")
        self.outcomes: list[JobOutcome] = []
        self.called: list[object] = []
        self.job.ended.connect(self._on_ended)
        self._end_with_dock(self.job)
        self._subscribe(viewer.dims.events.point, self._on_point)

    def _on_ended(self, outcome: JobOutcome) -> None:
        self.outcomes.append(outcome)

    def _on_point(self, event: object) -> None:
        self.called.append(event)


class Shell(QWidget):
    """What a panel is shown in, as docks are; only the garbage collector takes it away."""

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self.panel = Panel(viewer)
        self.panel.setParent(self)
        self.itself = self


def until_cancelled(_report: object, cancel: threading.Event) -> str:
    cancel.wait(30)
    return "what was done by then"


@pytest.fixture
def panel(viewer: Viewer) -> Iterator[Panel]:
    made = Panel(viewer)
    yield made
    made.close_down()


def test_a_job_whose_layer_is_removed_ends_with_one_sentence(
    viewer: Viewer, panel: Panel, qtbot: QtBot
) -> None:
    layer = viewer.add_image(np.zeros((8, 8)), name="scan")
    other = viewer.add_image(np.zeros((8, 8)), name="other")
    panel.job.start(until_cancelled, layer)
    viewer.layers.remove(other)
    assert panel.job.state is JobState.STARTING
    with qtbot.waitSignal(panel.job.ended, timeout=5000):
        viewer.layers.remove(layer)
    (outcome,) = panel.outcomes
    assert outcome.state is JobState.CANCELLED
    assert outcome.message == "'scan' was removed, so counting was stopped."
    assert outcome.layer is layer
    assert outcome.layer_gone
    assert outcome.result is None
    assert outcome.of_gone_layer == "what was done by then"


def test_a_result_that_comes_just_after_its_layer_went_is_not_applied(
    viewer: Viewer, panel: Panel, qtbot: QtBot
) -> None:
    layer = viewer.add_image(np.zeros((8, 8)), name="scan")
    worked = threading.Event()
    panel.job.start(lambda _report, _cancel: worked.set(), layer)
    assert worked.wait(5)
    with qtbot.waitSignal(panel.job.ended, timeout=5000):
        viewer.layers.remove(layer)  # before the event loop has delivered the end of the job
    assert panel.outcomes[0].state is JobState.CANCELLED


def test_a_job_knows_its_layer_whatever_is_active_when_it_ends(
    viewer: Viewer, panel: Panel, qtbot: QtBot
) -> None:
    layer = viewer.add_image(np.zeros((8, 8)), name="scan")
    with qtbot.waitSignal(panel.job.ended, timeout=5000):
        panel.job.start(lambda _report, _cancel: 7, layer)
        viewer.add_image(np.zeros((8, 8)), name="other")
    (outcome,) = panel.outcomes
    assert (outcome.state, outcome.result) == (JobState.DONE, 7)
    assert outcome.layer is layer
    with qtbot.waitSignal(panel.job.ended, timeout=5000):
        panel.job.start(lambda _report, _cancel: 8)
        viewer.layers.remove(layer)  # of the job before, not of this one
    assert panel.outcomes[1].result == 8


def collected(_shell: Shell) -> None:
    """What is done to a dock before Python's garbage collector finds it."""


def closed(shell: Shell) -> None:
    shell.panel.close_down()


def closed_and_about_to_be_deleted(shell: Shell) -> None:
    shell.panel.close_down()
    shell.deleteLater()


def collect_in_another_thread() -> None:
    thread = threading.Thread(target=gc.collect)  # as it happens: any thread may set the collector off
    thread.start()
    thread.join()


@pytest.mark.parametrize("end", [collected, closed, closed_and_about_to_be_deleted])
@pytest.mark.parametrize("running", [False, True])
def test_a_panel_lets_go_in_whatever_order_it_is_taken_apart(
    end: Callable[[Shell], None],
    running: bool,
    viewer: Viewer,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Qt calls back while Python deletes: an exception there reaches nobody but these hooks.
    raised: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda *error: raised.append(error))
    monkeypatch.setattr(sys, "unraisablehook", raised.append)
    viewer.dims.events.point()  # napari drops callbacks of what is gone when it calls them
    before = len(viewer.dims.events.point.callbacks)
    for collect in (gc.collect, collect_in_another_thread, gc.collect, collect_in_another_thread):
        for shell in [Shell(viewer) for _ in range(50)]:
            if running:
                shell.panel.job.start(until_cancelled)
            end(shell)
        del shell
        collect()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # of what Python has cleared
        QApplication.processEvents()
    qtbot.waitUntil(
        lambda: not [t for t in threading.enumerate() if t.name == "napari-tiqa counting"], timeout=5000
    )
    viewer.dims.events.point()
    assert not raised
    assert len(viewer.dims.events.point.callbacks) == before
