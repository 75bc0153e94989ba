"""No dock offers what a dock has made, or a colour image, to work on."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot

from napari_tiqa.widgets.shared.result_layers import Result, result_metadata

OFFERED: dict[str, Callable[[Any], list[Any]]] = {
    "Slice quality": lambda panel: panel.form.layer_box.choices,
    "Filter and tune": lambda panel: panel.layer_box.choices,
    "Segment": lambda panel: panel.header.image_box.choices,
    "Train a model": lambda panel: panel.form.layer_list.values(),
    "Rate images": lambda panel: panel.form.layer_list.values(),
}
TIMEOUT = 60_000  # ms, for the import of a dock's libraries on a busy machine


@pytest.mark.parametrize("dock", OFFERED)
def test_previews_maps_and_colour_images_are_not_offered(dock: str, viewer: Viewer, qtbot: QtBot) -> None:
    volume = np.random.default_rng(0).random((3, 48, 48), np.float32)
    viewer.add_image(volume, name="original")
    shell = viewer.window.add_plugin_dock_widget("napari-tiqa", dock)[1]
    with qtbot.waitSignal(shell.ready, timeout=TIMEOUT):
        pass
    for result in Result:
        viewer.add_image(volume, name=result.value, metadata=result_metadata(result, {}))
    viewer.add_image(np.zeros((48, 48, 3), np.uint8), name="photo")
    viewer.add_labels(np.zeros((3, 48, 48), int), name="labels")
    viewer.add_image(volume, name="second")
    assert sorted(layer.name for layer in OFFERED[dock](shell.panel)) == ["original", "second"]
