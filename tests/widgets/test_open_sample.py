"""File > Open Sample: the window lives while the sample is made, which can be cancelled."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QProgressDialog, QPushButton

from napari_tiqa.errors import Cancelled


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux takes its cache folder from here"
)
def test_making_the_sample_can_be_cancelled(
    make_napari_viewer: Callable[..., Viewer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: QtBot
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    viewer = make_napari_viewer()
    said = []

    def cancel() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, QProgressDialog) and not said:
            said.append(dialog.labelText())
            dialog.findChild(QPushButton).click()

    timer = QTimer()
    timer.timeout.connect(cancel)
    timer.start(20)
    with pytest.raises(Cancelled, match="cancelled"):
        viewer.open_sample("napari-tiqa", "electrode")
    timer.stop()
    assert said
    assert not viewer.layers
    assert not list(tmp_path.rglob("electrode*"))
