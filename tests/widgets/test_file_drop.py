"""Files dragged onto napari's picture: pipelines and score tables go to their docks, others to napari."""

from pathlib import Path

import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication

from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.scoring.table import ScoredSlice, score_table, write_scores
from napari_tiqa.widgets.pipeline_reader import get_reader
from napari_tiqa.widgets.shared.file_drop import FileDrop

# Their window is shown, and a shared canvas may hold what other tests have drawn and deleted unseen: drawing
# that ends in a segmentation fault in OpenGL.
pytestmark = pytest.mark.own_viewer
TIMEOUT = 300_000  # ms
GAUSSIAN = Pipeline([Step("gaussian", {"sigma": 2.5})])


def dropped(*paths: Path, entering: bool = False) -> QDropEvent:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action, buttons = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    keys, place = Qt.KeyboardModifier.NoModifier, QPoint(10, 10)
    if entering:
        event = QDragEnterEvent(place, action, mime, buttons, keys)
    else:
        event = QDropEvent(QPointF(place), action, mime, buttons, keys)
    event.mime = mime  # Qt does not keep it
    return event


def drop(viewer: Viewer, *paths: Path) -> None:
    """Drop files on the picture; Qt drops where a drag has entered."""
    for entering in (True, False):
        QApplication.sendEvent(viewer.window._qt_viewer, dropped(*paths, entering=entering))


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    GAUSSIAN.save(tmp_path / "smooth.json")
    return tmp_path / "smooth.json"


def test_a_pipeline_opens_the_dock_that_it_is_for(viewer: Viewer, pipeline: Path, qtbot: QtBot) -> None:
    viewer.window.show()
    drop(viewer, pipeline)
    docks = viewer.window._wrapped_dock_widgets
    (dock,) = [dock.inner_widget() for name, dock in docks.items() if "Filter and tune" in name]
    qtbot.waitUntil(lambda: dock.panel is not None and dock.panel.state.pipeline == GAUSSIAN, timeout=TIMEOUT)
    Pipeline([Step("median")]).save(pipeline)
    drop(viewer, pipeline)
    assert dock.panel.state.pipeline == Pipeline([Step("median")])
    assert "Pipeline loaded from" in dock.panel.message.text()
    assert not viewer.layers


def test_other_json_files_are_left_to_others(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"format": "another program"}')
    (tmp_path / "broken.json").write_text("{")
    for name in ("other.json", "broken.json", "missing.json"):
        assert get_reader(str(tmp_path / name)) is None


def test_scores_are_shown_by_the_quality_dock(viewer: Viewer, tmp_path: Path, qtbot: QtBot) -> None:
    viewer.window.show()
    dock = viewer.window.add_plugin_dock_widget("napari-tiqa", "Slice quality")[1]
    with qtbot.waitSignal(dock.ready, timeout=TIMEOUT):
        pass
    rows = [ScoredSlice(index, float(index), score) for index, score in enumerate([4.0, 2.0, 3.0])]
    record = {"volume": "cell", "axis": 0, "unit": "um", "voxel_size": [1.0, 1.0, 1.0]}
    write_scores(score_table(rows, record), tmp_path / "cell.csv")
    qtbot.waitUntil(lambda: dock.panel.isVisible())
    drop(viewer, tmp_path / "cell.csv")
    assert [row.score for row in dock.panel.results.current.run.rows] == [4.0, 2.0, 3.0]
    (tmp_path / "notes.txt").touch()
    taken = dock.panel.findChild(FileDrop).eventFilter
    assert taken(viewer.window._qt_viewer, dropped(tmp_path / "cell.csv"))
    for others in ((tmp_path / "notes.txt",), (tmp_path / "cell.csv", tmp_path / "notes.txt")):
        assert not taken(viewer.window._qt_viewer, dropped(*others))  # left to napari
