"""File > Open Sample: the window lives while the sample is made, which can be cancelled."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QProgressDialog, QPushButton

from napari_tiqa.errors import Cancelled
from napari_tiqa.widgets.docks import QualityDock

TIMEOUT = 300_000  # ms


@contextmanager
def sample_cancelled() -> Iterator[list[str]]:
    """Cancel the making of the sample as soon as its dialog is there; yields what that says."""
    said: list[str] = []

    def cancel() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, QProgressDialog) and not said:
            said.append(dialog.labelText())
            dialog.findChild(QPushButton).click()

    timer = QTimer()
    timer.timeout.connect(cancel)
    timer.start(20)
    yield said
    timer.stop()


only_on_linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux takes its cache folder from here"
)


@only_on_linux
def test_making_the_sample_can_be_cancelled(
    make_napari_viewer: Callable[..., Viewer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: QtBot
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    viewer = make_napari_viewer()
    with sample_cancelled() as said, pytest.raises(Cancelled, match="cancelled"):
        viewer.open_sample("napari-tiqa", "electrode")
    assert said
    assert not viewer.layers
    assert not list(tmp_path.rglob("electrode*"))


@only_on_linux
def test_an_empty_quality_dock_offers_the_sample(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: QtBot
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    dock: QualityDock = viewer.window.add_plugin_dock_widget("napari-tiqa", "Slice quality")[1]
    qtbot.waitUntil(lambda: dock.panel is not None, timeout=TIMEOUT)
    results = dock.panel.results
    assert not results.sample_button.isHidden()
    assert results.hint.text().count("<br>") == 3  # a title and three lines of what to do
    with sample_cancelled() as said:
        results.sample_button.click()
    assert said
    assert "cancelled" in dock.panel.message.text()
    viewer.add_image(np.zeros((3, 9, 9)))
    assert results.sample_button.isHidden()
