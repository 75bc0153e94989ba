"""What the quality dock shows of runs, and what keys and clicks on it do; no network has a part in it."""

from collections.abc import Callable

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QEvent, QModelIndex, QPointF, Qt
from qtpy.QtGui import QColor, QImage, QPainter
from qtpy.QtWidgets import QApplication, QStyleOptionViewItem

from napari_tiqa.figure_style import ARTEFACT_COLOURS
from napari_tiqa.jobs.quality.map import QualityMap
from napari_tiqa.scoring.table import ScoredSlice
from napari_tiqa.widgets.docks import QualityDock
from napari_tiqa.widgets.quality.map_layer import show_map
from napari_tiqa.widgets.quality.panel import QualityPanel
from napari_tiqa.widgets.quality.score_run import run_sentence
from napari_tiqa.widgets.shared.source_follower import SourceFinder
from tests.widgets.quality.runs import shelve

TIMEOUT = 300_000  # ms
SCORES = [4.0, 3.0, 2.0, 1.5, 4.5]


@pytest.fixture
def panel(viewer: Viewer, qtbot: QtBot) -> QualityPanel:
    dock: QualityDock = viewer.window.add_plugin_dock_widget("napari-tiqa", "Slice quality")[1]
    qtbot.waitUntil(lambda: dock.panel is not None, timeout=TIMEOUT)
    made: QualityPanel = dock.panel
    return made


@pytest.fixture
def scan(viewer: Viewer) -> Image:
    return viewer.add_image(np.random.default_rng(0).random((5, 48, 48), np.float32), name="scan")


@pytest.fixture
def shown(viewer: Viewer, qtbot: QtBot) -> Callable[[], None]:
    def show() -> None:
        viewer.window._qt_window.show()
        qtbot.wait(100)

    return show


# -- the layer that a run belongs to -----------------------------------------------------------------


def test_a_worst_slice_and_a_point_show_the_layer_they_belong_to(
    viewer: Viewer, panel: QualityPanel, scan: Image
) -> None:
    above = viewer.add_image(scan.data, name="above")
    entry = shelve(panel, scan, SCORES)
    scan.visible = False
    panel.results.runs.select_run(entry.run.key)
    worst = panel.results.worst
    worst.setCurrentItem(worst.topLevelItem(0))
    assert viewer.dims.current_step[0] == 3
    assert scan.visible
    assert not above.visible
    assert viewer.layers.selection.active is scan
    viewer.layers.selection.active = above
    above.visible = True
    panel.results.plot.slice_clicked.emit(1)
    assert viewer.dims.current_step[0] == 1
    assert viewer.layers.selection.active is scan


def test_what_was_said_of_a_layer_goes_with_it(
    viewer: Viewer, panel: QualityPanel, scan: Image, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(panel.job.ended, timeout=TIMEOUT):
        panel.score_this_slice()
    assert "lice" in panel.message.text()
    viewer.add_image(scan.data, name="other")
    viewer.layers.remove(scan)
    assert panel.message.text() == ""


def test_a_refusal_is_taken_back_once_the_form_has_changed(panel: QualityPanel, scan: Image) -> None:
    panel.form.window_boxes.auto.value = False
    panel.form.window_boxes.low.value = "low"
    assert not panel.score_all()
    assert "two numbers" in panel.message.text()
    panel.form.window_boxes.auto.value = True
    assert panel.message.text() == ""


# -- plot --------------------------------------------------------------------------------------------


def test_the_readout_goes_back_to_the_slider_when_the_pointer_leaves(
    viewer: Viewer, panel: QualityPanel, scan: Image, shown: Callable[[], None]
) -> None:
    shelve(panel, scan, SCORES)
    viewer.dims.set_current_step(0, 4)
    shown()
    plot = panel.results.plot
    view = plot._curve_plot.getViewBox()
    plot.graphics.scene().sigMouseMoved.emit(view.mapViewToScene(QPointF(1, 3)))
    assert plot.readout.text().startswith("slice 1:")
    QApplication.sendEvent(plot.graphics.viewport(), QEvent(QEvent.Type.Leave))
    assert plot.readout.text().startswith("slice 4:")


def test_arrow_keys_on_the_plot_move_the_slider(
    viewer: Viewer, panel: QualityPanel, scan: Image, qtbot: QtBot
) -> None:
    shelve(panel, scan, SCORES)
    viewer.dims.set_current_step(0, 2)
    steps = []
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_End, Qt.Key.Key_Right):
        qtbot.keyClick(panel.results.plot.graphics, key)
        steps.append(viewer.dims.current_step[0])
    assert steps == [3, 2, 1, 4, 4]


def test_a_run_without_any_score_is_drawn_without_a_warning(
    panel: QualityPanel, scan: Image, shown: Callable[[], None], recwarn: pytest.WarningsRecorder
) -> None:
    entry = shelve(panel, scan, [np.nan] * 5)
    shown()
    plot = panel.results.plot
    plot.grab()
    plot._curve_plot.autoRange()
    assert [str(warning.message) for warning in recwarn if "NaN" in str(warning.message)] == []
    assert run_sentence(entry.run) == "None of the 5 slices could be scored: constant value."
    entry.run.rows[1:] = []
    assert run_sentence(entry.run) == "The slice could not be scored: constant value."


# -- lists -------------------------------------------------------------------------------------------


def test_runs_are_named_by_what_tells_them_apart(
    viewer: Viewer, panel: QualityPanel, scan: Image, shown: Callable[[], None]
) -> None:
    long = "a scan of an electrode with a long name"
    first = shelve(panel, scan, SCORES, f"{long}, axis z, model mine")
    runs = panel.results.runs
    assert runs.topLevelItem(0).text(0) == f"{long}, axis z, model mine"
    shelve(panel, scan, SCORES, f"{long}, axis y, model mine")
    shelve(panel, scan, SCORES, f"{long}, axis z, model yours, overview")
    names = [item.text(0) for item in runs.items()]
    assert names == ["axis z, model mine", "axis y, model mine", "axis z, model yours, overview"]
    assert runs.topLevelItem(1).toolTip(0).startswith(f"{long}, axis y, model mine")
    shown()
    assert runs.width() > 0.9 * panel.width()
    assert panel.results.worst.width() > 0.9 * panel.width()
    panel.results.forget(first)
    assert [item.text(0) for item in runs.items()] == [
        "axis y, model mine",
        "axis z, model yours, overview",
    ]


def test_worst_slices_have_their_artefacts_as_coloured_chips(panel: QualityPanel, scan: Image) -> None:
    shelve(panel, scan, SCORES, noise=1.5, blur=1.4)
    worst = panel.results.worst
    item = worst.topLevelItem(0)
    assert [item.text(column) for column in range(4)] == ["3", "1.5 ± 0.2", "", ""]
    assert "noise and blur" in item.toolTip(2)
    option = QStyleOptionViewItem()
    option.initFrom(worst)
    index: QModelIndex = worst.model().index(0, 2)
    delegate = worst.itemDelegateForColumn(2)
    option.rect.setSize(delegate.sizeHint(option, index))
    picture = QImage(option.rect.size(), QImage.Format.Format_RGB32)
    picture.fill(QColor("black"))
    painter = QPainter(picture)
    delegate.paint(painter, option, index)
    painter.end()
    seen = {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}
    assert {ARTEFACT_COLOURS["noise"].lower(), ARTEFACT_COLOURS["blur"].lower()} <= seen
    assert ARTEFACT_COLOURS["ring"].lower() not in seen


def test_arrow_keys_in_the_worst_slices_move_the_slider(
    viewer: Viewer, panel: QualityPanel, scan: Image, qtbot: QtBot
) -> None:
    shelve(panel, scan, SCORES)
    worst = panel.results.worst
    worst.setCurrentItem(worst.topLevelItem(0))
    steps = [viewer.dims.current_step[0]]
    for _ in range(2):
        qtbot.keyClick(worst, Qt.Key.Key_Down)
        steps.append(viewer.dims.current_step[0])
    assert steps == [3, 2, 1]
    panel.results.finish(next(iter(panel.shelf)))  # redrawn: the place in the list is kept
    assert worst.current_slice == 1


def test_next_worst_goes_down_the_list_from_the_slice_shown(
    viewer: Viewer, panel: QualityPanel, scan: Image, qtbot: QtBot
) -> None:
    assert not panel.results.next_button.isEnabled()
    shelve(panel, scan, SCORES)
    steps = []
    for _ in range(2):
        panel.results.next_button.click()
        steps.append(viewer.dims.current_step[0])
    viewer.dims.set_current_step(0, 4)  # the best of them, last in the list
    qtbot.keyClick(viewer.window._qt_viewer.canvas.native, Qt.Key.Key_N)
    steps.append(viewer.dims.current_step[0])
    assert steps == [1, 0, 3]  # from slice 2, where the slider was


# -- map ---------------------------------------------------------------------------------------------


def quality_map(side: int, tiles: int, score: float) -> QualityMap:
    values = np.full((tiles, 9), score, np.float32)
    row = ScoredSlice(0, 0.0, score, 0.2)
    return QualityMap(np.full((side, side), score, np.float32), np.zeros((tiles, 2), int), values, row, {})


def test_a_map_takes_the_place_of_the_former_of_its_slice(viewer: Viewer) -> None:
    layer = viewer.add_image(np.zeros((3, 400, 400), np.float32), name="large")
    _, source = SourceFinder(viewer).find(layer)
    show_map(viewer, source, quality_map(400, 9, 2.0), [])
    viewer.layers[1].opacity = 0.3
    said = show_map(viewer, source, quality_map(400, 9, 3.0), [])
    assert said.startswith(f"Quality map of slice {source.index}: 9 tiles, mean 3.00")
    assert len(viewer.layers) == 2
    assert viewer.layers[1].data.max() == 3.0
    assert viewer.layers[1].opacity == 0.3
    assert viewer.layers.selection.active is layer


def test_a_slice_hardly_larger_than_a_tile_is_not_tinted(viewer: Viewer) -> None:
    layer = viewer.add_image(np.zeros((3, 230, 230), np.float32), name="small")
    _, source = SourceFinder(viewer).find(layer)
    said = show_map(viewer, source, quality_map(230, 1, 2.0), [])
    assert len(viewer.layers) == 1
    assert "hardly larger than a tile of 224 px" in said
    assert "1 tile, mean 2.00" in said
