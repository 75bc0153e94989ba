"""The plugin's page in napari's Preferences, and what docks and model processes take from it."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from napari import Viewer
from napari._qt.dialogs.preferences_dialog import PreferencesDialog
from napari.settings import get_plugin_settings
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QLabel

from napari_tiqa.jobs.process.client import set_process_environment, shared_model_process
from napari_tiqa.jobs.process.messages import ModelFile
from napari_tiqa.widgets.host.preferences import Preferences, preference_events, preferences

TIMEOUT = 300_000  # ms


@pytest.fixture
def scoring() -> Any:
    return get_plugin_settings("napari-tiqa").scoring


def test_naparis_dialog_shows_the_page_and_keeps_what_is_set(
    viewer: Viewer, qtbot: QtBot, scoring: Any, user_folders: Path
) -> None:
    assert preferences() == Preferences()
    dialog = PreferencesDialog()
    qtbot.addWidget(dialog)
    (row,) = [number for number in range(dialog._list.count()) if "TIQA" in dialog._list.item(number).text()]
    page = dialog._stack.widget(row)
    labels = {label.text() for label in page.findChildren(QLabel)}
    assert {"Default model", "Scales of a slice", "Device", "Batch size"} <= labels
    scoring.scales, scoring.batch_size = "overview", 8
    dialog.accept()
    assert "overview" in (user_folders / "napari" / "napari-tiqa.yaml").read_text()
    assert preferences() == Preferences(scales="overview", batch_size=8)
    with pytest.raises(ValueError, match="not one of the allowed"):
        scoring.batch_size = 7


def test_docks_open_with_what_is_preferred_and_follow_it(
    viewer: Viewer, qtbot: QtBot, scoring: Any, untrained_model: Path, calibrated_model: Path
) -> None:
    scoring.scales, scoring.model = "overview", str(untrained_model)
    panels = []
    for name in ("Slice quality", "Filter and tune"):
        dock = viewer.window.add_plugin_dock_widget("napari-tiqa", name)[1]
        with qtbot.waitSignal(dock.ready, timeout=TIMEOUT):
            pass
        panels.append(dock.panel)
    quality, filtering = panels
    assert (quality.form.view, quality.form.model) == ("overview", untrained_model)
    assert filtering.state.model == untrained_model
    quality.form.view_box.value = "pyramid"
    scoring.model = str(calibrated_model)
    assert (quality.form.view, quality.form.model) == ("pyramid", calibrated_model)  # the user's choice stays
    assert filtering.state.model == calibrated_model
    scoring.model = str(untrained_model)[:-3]  # while it is being typed
    assert quality.form.model == calibrated_model
    scoring.scales = "native tiles"
    assert quality.form.view == "native"
    scoring.scales, scoring.model = "as last used", ""
    assert (quality.form.view, quality.form.model) == ("native", calibrated_model)
    viewer.window.remove_dock_widget("all")
    scoring.model = str(untrained_model)
    assert quality.form.model == calibrated_model  # a dock that was closed


def environment_of(pid: int | None) -> dict[str, str]:
    """Return the environment of a process; an empty one where it is gone or just being started."""
    with suppress(psutil.Error, OSError):
        return psutil.Process(pid).environ() if pid is not None else {}
    return {}


def test_device_and_batch_size_reach_the_model_process(
    scoring: Any, untrained_model: Path, qtbot: QtBot
) -> None:
    process, model = shared_model_process(), ModelFile.of(untrained_model)
    tiles = np.random.default_rng(0).random((20, 224, 224), np.float32)
    wanted = {"NAPARI_TIQA_BATCH_SIZE": "8", "CUDA_VISIBLE_DEVICES": "-1"}
    before, pid = process.score(tiles, model), process.pid
    preference_events()  # as docks do
    scoring.batch_size = 8
    scoring.device = "CPU"
    qtbot.waitUntil(lambda: wanted.items() <= environment_of(process.pid).items(), timeout=TIMEOUT)
    try:
        assert process.pid != pid
        np.testing.assert_allclose(process.score(tiles, model), before, atol=1e-3)
        assert process.device.startswith("CPU")
    finally:
        set_process_environment({})
        process.close()
