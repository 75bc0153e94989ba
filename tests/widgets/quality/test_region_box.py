"""The region of the quality dock: what it offers, what counts, and that the run says so."""

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from pytestqt.qtbot import QtBot

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.region import CIRCLE, Region
from napari_tiqa.widgets.docks import QualityDock
from napari_tiqa.widgets.quality.panel import QualityPanel
from napari_tiqa.widgets.quality.run_shelf import KeptScores
from tests.widgets.quality.runs import shelve

TIMEOUT = 300_000  # ms


@pytest.fixture
def panel(viewer: Viewer, qtbot: QtBot) -> QualityPanel:
    dock: QualityDock = viewer.window.add_plugin_dock_widget("napari-tiqa", "Slice quality")[1]
    qtbot.waitUntil(lambda: dock.panel is not None, timeout=TIMEOUT)
    made: QualityPanel = dock.panel
    return made


@pytest.fixture
def scan(viewer: Viewer) -> Image:
    pixels = np.random.default_rng(0).random((4, 80, 100), np.float32)
    return viewer.add_image(pixels, name="scan", scale=(3, 0.5, 0.5), translate=(0, 10, 20), units="um")


def chosen(panel: QualityPanel, name: object) -> Region | None:
    box = panel.form.region_box.box
    box.setCurrentIndex(max(box.findText(str(name)), box.findData(name)))
    region = panel.form.region(panel.state.source)
    assert region is None or isinstance(region, Region)
    return region


def test_the_box_offers_layers_that_fit_and_keeps_its_choice(
    viewer: Viewer, panel: QualityPanel, scan: Image
) -> None:
    box = panel.form.region_box.box
    viewer.add_labels(np.zeros((80, 90), np.uint8), name="other size")
    labels = viewer.add_labels(np.zeros((4, 80, 100), np.uint8), name="phases", scale=scan.scale, units="um")
    viewer.add_shapes(name="drawn", ndim=3, scale=scan.scale, units="um")
    viewer.layers.selection.active = scan
    offered = [box.itemText(row) for row in range(box.count())]
    assert offered == ["whole slices", "reconstruction circle", "drawn", "phases"]
    box.setCurrentIndex(3)
    labels.name = "renamed"
    assert box.currentText() == "renamed"
    viewer.layers.remove(labels)
    assert box.currentText() == "whole slices"


def test_shapes_count_where_they_are_drawn_in_the_world(
    viewer: Viewer, panel: QualityPanel, scan: Image
) -> None:
    # Rows 20 to 60 and columns 10 to 50 of the scan, drawn in its world on another slice than is shown.
    corners = np.array([[3, r, c] for r, c in ((20, 30), (20, 50), (40, 50), (40, 30))])
    corners = corners / 1.0 + [0, 0, -5]
    shapes = viewer.add_shapes([corners], shape_type="rectangle", name="drawn", units="um")
    viewer.layers.selection.active = scan
    mask = chosen(panel, "drawn").mask
    expected = np.zeros((80, 100), bool)
    expected[20:60, 10:50] = True
    assert (mask != expected).mean() < 0.02  # the border belongs to it or not
    shapes.data = []
    with pytest.raises(VolumeError, match="'drawn' has no closed shape: draw a rectangle"):
        chosen(panel, "drawn")
    shapes.add_ellipses(corners)
    assert chosen(panel, "drawn").mask.sum() == pytest.approx(expected.sum() * np.pi / 4, rel=0.03)


def test_labels_count_slice_by_slice_or_in_all(viewer: Viewer, panel: QualityPanel, scan: Image) -> None:
    painted = np.zeros((4, 80, 100), np.uint8)
    painted[2, 10:70, 5:60] = 7
    scale, translate = scan.scale, scan.translate
    viewer.add_labels(painted, name="painted", scale=scale, translate=translate, units="um")
    viewer.add_labels(painted[2], name="flat", scale=scale[1:], translate=translate[1:], units="um")
    viewer.layers.selection.active = scan
    plane = scan.data[0]
    by_slice, flat = chosen(panel, "painted"), chosen(panel, "flat")
    assert [by_slice.inside(plane, index).sum() for index in range(4)] == [0, 0, 3300, 0]
    assert [flat.inside(plane, index).sum() for index in range(4)] == [3300] * 4


def test_a_run_in_a_region_says_so_and_leaves_the_volumes_window_alone(
    viewer: Viewer, panel: QualityPanel, scan: Image, qtbot: QtBot
) -> None:
    chosen(panel, CIRCLE)
    with qtbot.waitSignal(panel.job.ended, timeout=TIMEOUT):
        assert panel.score_all()
    (entry,) = panel.shelf
    assert entry.run.name == "scan, axis z, in reconstruction circle"
    assert entry.run.record["region"]["name"] == "reconstruction circle"
    assert "in the region" in entry.run.record["window"]["rule"]
    assert panel.state.source.window is None
    assert KeptScores().of(panel.state.source) == {}  # other docks take scores of whole slices
    shelve(panel, scan, [3.0, 2.0, 4.0, 5.0])
    panel.shelf.save(scan)
    assert KeptScores().of(panel.state.source)[1] == 2.0


def test_a_region_with_hardly_a_pixel_is_refused_in_one_sentence(
    viewer: Viewer, panel: QualityPanel, scan: Image
) -> None:
    viewer.add_shapes([[[10, 20], [10, 22], [12, 22], [12, 20]]], name="drawn", units="um")
    viewer.layers.selection.active = scan
    chosen_region = panel.form.region_box.box
    chosen_region.setCurrentIndex(chosen_region.findText("drawn"))
    assert not panel.score_this_slice()
    assert "The region 'drawn' has" in panel.message.text()
    assert "at least 32 x 32 px" in panel.message.text()
