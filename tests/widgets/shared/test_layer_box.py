"""Which layer a dock works on: the active one, else the topmost visible, unless another is pinned."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from pytestqt.qtbot import QtBot

from napari_tiqa.widgets.shared.layer_box import LayerBox
from napari_tiqa.widgets.shared.result_layers import Result, result_metadata
from napari_tiqa.widgets.shared.slider import show_layer

SLICES = np.zeros((3, 8, 8), "u1")


def connect(emitter: Any, callback: Callable[..., None]) -> None:
    emitter.connect(callback)


@pytest.fixture
def box(viewer: Viewer) -> LayerBox:
    return LayerBox(viewer, "a layer", subscribe=connect)


def scans(viewer: Viewer) -> tuple[Image, Image]:
    return viewer.add_image(SLICES, name="lower"), viewer.add_image(SLICES, name="upper")


def test_the_active_layer_is_followed(viewer: Viewer, box: LayerBox, qtbot: QtBot) -> None:
    lower, upper = scans(viewer)
    box.reset_choices()
    assert box.layer is upper
    viewer.layers.selection.active = lower
    qtbot.waitUntil(lambda: box.layer is lower)
    assert not box.pin.isChecked()


def test_without_an_active_image_it_is_the_topmost_visible_one(
    viewer: Viewer, box: LayerBox, qtbot: QtBot
) -> None:
    lower, upper = scans(viewer)
    viewer.add_labels(SLICES, visible=False)  # on top and active, as after Open Sample
    box.reset_choices()
    assert box.layer is upper
    upper.visible = False
    qtbot.waitUntil(lambda: box.layer is lower)


def test_one_that_the_user_chooses_stays_until_it_is_unpinned_or_removed(
    viewer: Viewer, box: LayerBox, qtbot: QtBot
) -> None:
    lower, upper = scans(viewer)
    box.reset_choices()
    box.native.setCurrentIndex(1)
    box.native.activated.emit(1)
    assert box.layer is lower
    assert box.pin.isChecked()
    newest = viewer.add_image(SLICES, name="newest")
    box.reset_choices()
    qtbot.wait(10)
    assert box.layer is lower
    box.pin.click()
    assert box.layer is newest
    box.choose(lower)
    viewer.layers.remove(lower)
    box.reset_choices()
    assert box.layer is newest
    assert not box.pin.isChecked()
    viewer.layers.selection.active = upper
    qtbot.waitUntil(lambda: box.layer is upper)


def test_the_active_layer_can_be_pinned(viewer: Viewer, box: LayerBox, qtbot: QtBot) -> None:
    lower, upper = scans(viewer)
    box.reset_choices()
    box.pin.click()
    viewer.layers.selection.active = lower
    qtbot.wait(10)
    assert box.layer is upper


def test_a_result_that_is_active_leaves_its_source_chosen(
    viewer: Viewer, box: LayerBox, qtbot: QtBot
) -> None:
    lower, _ = scans(viewer)
    box.reset_choices()
    viewer.layers.selection.active = lower
    qtbot.waitUntil(lambda: box.layer is lower)
    viewer.add_image(SLICES, metadata=result_metadata(Result.QUALITY_MAP, {}))
    box.reset_choices()
    qtbot.wait(10)
    assert box.layer is lower


def test_labels_that_are_painted_on_the_layer_leave_it_chosen(
    viewer: Viewer, box: LayerBox, qtbot: QtBot
) -> None:
    lower, _ = scans(viewer)
    box.reset_choices()
    viewer.layers.selection.active = lower
    qtbot.waitUntil(lambda: box.layer is lower)
    viewer.add_labels(SLICES)
    box.reset_choices()
    qtbot.wait(10)
    assert box.layer is lower


def test_layers_that_come_in_one_go_are_followed_once(viewer: Viewer, box: LayerBox, qtbot: QtBot) -> None:
    viewer.layers.events.inserted.connect(lambda _: box.reset_choices())
    _, upper = scans(viewer)
    viewer.add_labels(SLICES)  # as Open Sample adds them
    qtbot.waitUntil(lambda: box.layer is upper)


def test_layers_are_offered_in_their_order_whatever_was_there_first(viewer: Viewer, box: LayerBox) -> None:
    lower, upper = scans(viewer)
    box.reset_choices()
    box.choose(lower)
    viewer.layers.move(0, 2)
    newest = viewer.add_image(SLICES, name="newest")
    box.reset_choices()
    assert [box.native.itemData(row) for row in range(3)] == [newest, lower, upper]
    lower.name = "renamed"
    box.reset_choices()
    assert box.native.itemText(1) == "renamed"
    assert box.layer is lower
    assert box.pin.isChecked()


def test_a_box_of_other_layers_does_not_follow(viewer: Viewer, qtbot: QtBot) -> None:
    box = LayerBox(viewer, "another", nullable=True)
    lower, upper = scans(viewer)
    box.reset_choices()
    box.choose(lower)
    viewer.layers.selection.active = upper
    qtbot.wait(10)
    assert box.layer is lower


def test_a_layer_is_shown_in_front_of_what_covers_it(viewer: Viewer) -> None:
    lower, upper = scans(viewer)
    beside = viewer.add_image(SLICES, translate=(0, 0, 100), name="beside")
    result = viewer.add_image(SLICES, metadata=result_metadata(Result.QUALITY_MAP, {}))
    glow = viewer.add_image(SLICES, blending="additive")
    lower.visible = False
    show_layer(viewer, lower)
    assert [layer.visible for layer in (lower, upper, beside, result, glow)] == [
        True,
        False,
        True,
        True,
        True,
    ]
    assert viewer.layers.selection.active is lower
