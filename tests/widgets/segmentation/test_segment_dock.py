"""The segmentation dock in a real viewer with a real training process: choose, paint, train, go on."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QApplication, QComboBox, QLineEdit, QMessageBox

from napari_tiqa.errors import SegmentationError
from napari_tiqa.scoring.recent_models import recent_models
from napari_tiqa.segmentation.recipe import PAPER, SegmentationRecipe
from napari_tiqa.segmentation.segmenter import classes_of, segmenter_card
from napari_tiqa.widgets.docks import SegmentDock
from napari_tiqa.widgets.segmentation.labels_layer import LabelsElsewhere, read_labels
from napari_tiqa.widgets.segmentation.panel import SegmentPanel
from napari_tiqa.widgets.segmentation.train.form import SegmentTrainForm
from napari_tiqa.widgets.segmentation.train.label_count import count_labels
from napari_tiqa.widgets.segmentation.train.tab import SegmentTrainTab, shared_segmenter_job
from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.read_layer import read_layer
from napari_tiqa.widgets.shared.result_layers import Result, result_metadata
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.widgets.training.job import TrainingJob

WIDGET = ("napari-tiqa", "Segment")
TIMEOUT = 300_000  # ms, for a process that has to import Keras on a busy machine

EPOCHS = 6  # enough to be closed in the middle of

OpenDock = Callable[[], SegmentPanel]


@pytest.fixture
def job(viewer: Viewer, qtbot: QtBot) -> Iterator[TrainingJob]:
    """Return the training of this process, and end it."""
    shared_segmenter_job.cache_clear()
    job = shared_segmenter_job()
    yield job
    job.cancel()
    qtbot.waitUntil(lambda: not job.state.busy, timeout=TIMEOUT)


@pytest.fixture
def open_dock(viewer: Viewer, job: TrainingJob, qtbot: QtBot) -> OpenDock:
    def open_it() -> SegmentPanel:
        dock: SegmentDock = viewer.window.add_plugin_dock_widget(*WIDGET)[1]
        with qtbot.waitSignal(dock.ready, timeout=TIMEOUT):
            pass
        assert isinstance(dock.panel, SegmentPanel)
        return dock.panel

    return open_it


@pytest.fixture
def image(viewer: Viewer) -> Image:
    """Return a volume of two phases: left dark, right bright."""
    return viewer.add_image(halves(), name="cell", scale=(2, 0.5, 0.5), units="um", translate=(10, 0, 3))


@pytest.fixture
def panel(open_dock: OpenDock) -> SegmentPanel:
    return open_dock()


@pytest.fixture
def tab(panel: SegmentPanel) -> SegmentTrainTab:
    return train_tab(panel)


def halves() -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 0.1, (6, 64, 64)).astype("f4")
    return noise + (np.arange(64) >= 32)


def train_tab(panel: SegmentPanel) -> SegmentTrainTab:
    (tab,) = [page for page in panel.tabs.pages if isinstance(page, SegmentTrainTab)]
    return tab


def paint(labels: Labels, index: int, column: int, value: int) -> None:
    """Paint a stroke down a slice, as with the mouse."""
    with labels.block_history():
        for row in range(8, 56, 2):
            labels.paint((index, row, column), value)


def counted(tab: SegmentTrainTab, qtbot: QtBot) -> None:
    """Wait until all that was painted is counted."""
    qtbot.wait(20)
    at_rest = lambda: not (tab._count_soon.isActive() or tab.count_job.state.busy)  # noqa: E731
    qtbot.waitUntil(at_rest, timeout=TIMEOUT)


def shown_pixels(tab: SegmentTrainTab) -> dict[int, int]:
    return {value: int(row.text(2).replace(" ", "")) for value, row in tab.classes._rows.items()}


def epochs_drawn(tab: SegmentTrainTab) -> int:
    return len(tab.plot.stages["train"].points)


def answer_next_question(answer: QMessageBox.StandardButton) -> list[str]:
    """Answer the next question as a user would; what was asked is appended to the list."""
    asked: list[str] = []

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, QMessageBox):
            asked.append(dialog.text())
            dialog.button(answer).click()
        else:
            QTimer.singleShot(20, look)

    QTimer.singleShot(20, look)
    return asked


# -- image and labels ------------------------------------------------------------------------------


def test_a_new_layer_lies_on_the_image_and_is_painted_on_at_once(
    viewer: Viewer, image: Image, panel: SegmentPanel
) -> None:
    viewer.add_image(np.zeros((3, 9, 9)), name="other")
    panel.header.choose_image(image)
    labels = panel.header.make_labels()
    assert labels is not None
    assert panel.state.labels is labels
    assert labels.data.shape == image.data.shape
    assert not labels.data.any()
    for corner in ((0, 0, 0), (5, 63, 63)):
        np.testing.assert_allclose(labels.data_to_world(corner), image.data_to_world(corner))
    assert labels.units == image.units
    assert viewer.layers.selection.active is labels
    assert (labels.mode, labels.selected_label) == ("paint", 1)


def test_results_of_ours_are_not_offered_as_a_truth(
    viewer: Viewer, image: Image, panel: SegmentPanel
) -> None:
    ours = result_metadata(Result.SEGMENTATION, {})
    viewer.add_labels(np.ones(image.data.shape, int), name="segmentation", metadata=ours)
    truth = viewer.add_labels(np.ones(image.data.shape, int), name="painted", scale=image.scale)
    assert [layer.name for layer in panel.header.labels_box.choices if layer is not None] == [truth.name]


def test_labels_that_fit_are_found_and_others_are_refused_in_a_sentence(
    viewer: Viewer, image: Image, panel: SegmentPanel
) -> None:
    header, state = panel.header, panel.state
    small = viewer.add_labels(np.zeros((6, 64, 32), int), name="half")
    assert state.labels is None  # it does not fit
    fitting = viewer.add_labels(
        np.zeros((6, 64, 64), int), scale=image.scale, translate=image.translate, units="um"
    )
    assert state.labels is fitting
    assert header.problem.text() == ""
    header.choose_labels(small)
    assert "6 x 64 x 32 voxels, 'cell' 6 x 64 x 64" in header.problem.text()
    assert header.align_button.isHidden()
    header.choose_labels(None)
    viewer.add_image(halves(), name="another")
    header.choose_image(image)
    assert state.labels is None  # the user wants none
    viewer.layers.remove(fitting)
    header.choose_labels(small)
    viewer.layers.remove(small)
    assert state.labels is None


def test_labels_without_the_images_scale_are_aligned_with_it(
    viewer: Viewer, image: Image, panel: SegmentPanel
) -> None:
    labels = viewer.add_labels(np.zeros((6, 64, 64), int), name="from a file")
    panel.header.choose_labels(labels)
    assert "'from a file' has the shape of 'cell', but lies elsewhere" in panel.header.problem.text()
    assert not panel.header.align_button.isHidden()
    panel.header.align_button.click()
    assert panel.header.problem.text() == ""
    np.testing.assert_allclose(labels.data_to_world((5, 63, 63)), image.data_to_world((5, 63, 63)))
    assert labels.units == image.units


def test_the_labels_of_a_series_are_those_of_the_time_shown_or_of_all_times() -> None:
    series = Image(np.zeros((2, 5, 8, 9)), name="series", scale=(1, 2, 2, 2))
    source = SliceSource(series, "series", read_layer(series, (1, 0, 0, 0)), at={0: 1})
    values = np.arange(2 * 5 * 8 * 9).reshape(2, 5, 8, 9)
    same = read_labels(Labels(values, scale=(1, 2, 2, 2)), source)
    np.testing.assert_array_equal(same.compute(), values[1])
    common = read_labels(Labels(values[0], scale=(2, 2, 2)), source)
    np.testing.assert_array_equal(common.compute(), values[0])
    with pytest.raises(LabelsElsewhere):
        read_labels(Labels(values[0]), source)
    with pytest.raises(SegmentationError, match="choose a Labels layer"):
        read_labels(series, source)


def test_labels_are_frozen_when_a_training_takes_them() -> None:
    layer = Image(np.zeros((5, 8, 9)))
    labels = Labels(np.zeros((5, 8, 9), "u1"))
    source = SliceSource(layer, "x", read_layer(layer))
    live, frozen = read_labels(labels, source), read_labels(labels, source, frozen=True)
    labels.data[0, 0, 0] = 1
    assert live.max().compute() == 1
    assert frozen.max().compute() == 0


# -- what is painted -------------------------------------------------------------------------------


def test_what_is_painted_is_counted_and_what_is_undone_is_not(
    image: Image, panel: SegmentPanel, tab: SegmentTrainTab, qtbot: QtBot
) -> None:
    assert "New layer" in tab.summary.text()
    labels = panel.header.make_labels()
    assert labels is not None
    counted(tab, qtbot)
    assert shown_pixels(tab) == {1: 0, 2: 0}  # what to paint first
    paint(labels, 2, 10, 1)
    paint(labels, 4, 50, 2)
    counted(tab, qtbot)
    ones, twos = (int((labels.data == value).sum()) for value in (1, 2))
    assert shown_pixels(tab) == {1: ones, 2: twos}
    assert tab.summary.text() == "Learns from 2 slices along z."
    assert tab.controls.warnings.text() == ""
    labels.undo()
    counted(tab, qtbot)
    assert shown_pixels(tab) == {1: ones, 2: 0}
    assert "hold only one class" in tab.controls.warnings.text()


def test_a_click_takes_the_brush_and_names_stay_with_the_layer(
    viewer: Viewer, image: Image, panel: SegmentPanel, tab: SegmentTrainTab, qtbot: QtBot
) -> None:
    labels = panel.header.make_labels()
    assert labels is not None
    tab.add_button.click()
    assert labels.selected_label == 3
    tab.classes.itemClicked.emit(tab.classes._rows[2], 0)
    assert labels.selected_label == 2
    tab.classes._rows[2].setText(1, "grain")
    for value in (1, 2):
        paint(labels, value, 20 * value, value)
    counted(tab, qtbot)
    assert list(shown_pixels(tab)) == [1, 2, 3]
    words = {"index": [1, 2], "phase": ["pore", "binder"]}  # as napari shows them under the mouse
    other = viewer.add_labels(
        np.zeros((6, 64, 64), int), scale=image.scale, translate=image.translate, features=words
    )
    panel.header.choose_labels(other)
    assert [row.text(1) for row in tab.classes._rows.values()] == ["pore", "binder"]
    panel.header.choose_labels(labels)
    counted(tab, qtbot)
    assert [row.text(1) for row in tab.classes._rows.values()] == ["class 1", "grain"]
    assert tab._request().verb.keywords["names"] == ("class 1", "grain")


def test_zero_can_be_a_class(
    viewer: Viewer, image: Image, panel: SegmentPanel, tab: SegmentTrainTab, qtbot: QtBot
) -> None:
    values = np.zeros((6, 64, 64), "u1")
    values[0, :, 32:] = 1
    viewer.add_labels(values, scale=image.scale, translate=image.translate, units="um")
    counted(tab, qtbot)
    assert "only one class" in tab.controls.warnings.text()
    tab.form.zero.setCurrentIndex(1)
    assert "5 of 6 slices contain only 0" in tab.controls.warnings.text()
    chosen = tab._request().verb.keywords
    assert chosen["unlabelled"] is None
    assert chosen["names"] == ("class 0", "class 1")


def test_slices_are_learned_from_along_the_axis_that_they_were_painted_along(
    viewer: Viewer, image: Image, panel: SegmentPanel, tab: SegmentTrainTab, qtbot: QtBot
) -> None:
    labels = panel.header.make_labels()
    assert labels is not None
    for value in (1, 2):
        paint(labels, 3, 20 * value, value)
    viewer.dims.order = (1, 0, 2)
    counted(tab, qtbot)
    qtbot.waitUntil(lambda: panel.state.source.axis == 1, timeout=TIMEOUT)
    assert tab._request().verb.keywords["axis"] == 0
    assert tab.summary.text() == "Learns from 1 slice along z."
    dense = count_labels(np.ones((5, 64, 64), int), Event())
    assert dense.learned_axis(2, 0) == 2  # no direction of their own


def test_counts_are_those_of_numpy_whatever_the_type() -> None:
    rng = np.random.default_rng(0)
    for dtype in (bool, "u1", "i4", ">u2", "u8"):
        labels = rng.integers(0, 2 if dtype is bool else 90, (4, 30, 20)).astype(dtype)
        labels[1] = 0
        labels[:, 3] = 0
        if dtype == "u8":
            labels[0, 0, 0] = 2**40  # too large for a table of all values
        values, counts = np.unique(labels, return_counts=True)
        found = count_labels(labels, Event())
        assert found.pixels == dict(zip(values.tolist(), counts.tolist(), strict=True))
        assert found.labelled == (3, 29, 20)


# -- settings --------------------------------------------------------------------------------------


def test_presets_are_whole_recipes_and_a_change_shows(qtbot: QtBot) -> None:
    form = SegmentTrainForm()
    qtbot.addWidget(form)
    assert form.recipe == SegmentationRecipe()
    form.preset.setCurrentIndex(1)
    assert form.recipe == PAPER
    form.settings["epochs"].setValue(7)
    form.dice.setChecked(True)
    form.settings["distortions"].setValue(50)
    assert form.preset.currentText() == "changed"
    assert form.recipe == replace(PAPER, epochs=7, dice_weight=1.0, distortions=0.5)
    assert form.encoder_weights.isEnabled()
    form.encoder_weights.set_path("resnet34.safetensors")
    form.settings["width"].setValue(0.5)
    assert form.recipe.encoder_weights == ""  # they would not fit
    form.preset.setCurrentIndex(0)
    assert form.recipe == SegmentationRecipe()


def test_what_cannot_be_trained_on_is_said_in_a_sentence(
    viewer: Viewer, panel: SegmentPanel, tab: SegmentTrainTab, qtbot: QtBot
) -> None:
    def refusal() -> str:
        assert not tab.train()
        return tab.message.text()

    assert "no image to learn from" in refusal()
    viewer.add_image(halves(), name="cell")
    assert "no labels to learn from" in refusal()
    labels = panel.header.make_labels()
    assert labels is not None
    counted(tab, qtbot)
    assert "Nothing is painted yet" in refusal()
    paint(labels, 0, 10, 1)
    counted(tab, qtbot)
    assert "only one class" in refusal()
    paint(labels, 0, 50, 2)
    counted(tab, qtbot)
    tab.form.output.set_path("")
    assert "Choose where to save the model" in refusal()
    labels.data = np.zeros((2, 9, 9), "u1")
    assert tab.train()  # once they are counted
    qtbot.waitUntil(lambda: "2 x 9 x 9 voxels" in tab.message.text(), timeout=TIMEOUT)
    assert not tab.job.state.busy


# -- training --------------------------------------------------------------------------------------


@pytest.mark.own_viewer
def test_from_strokes_to_the_docks_model_though_napari_was_closed_on_the_way(
    viewer: Viewer,
    image: Image,
    open_dock: OpenDock,
    job: TrainingJob,
    qtbot: QtBot,
    tmp_path: Path,
) -> None:
    panel = open_dock()
    tab = train_tab(panel)
    labels = panel.header.make_labels()
    assert labels is not None
    for index in (1, 4):
        for column, value in ((10, 1), (22, 1), (42, 2), (54, 2)):
            paint(labels, index, column, value)
    tab.form.settings["crop"].setValue(64)
    tab.form.settings["epochs"].setValue(EPOCHS)
    tab.form.output.set_path(tmp_path / "mine.tiqa")
    assert tab.train()  # what is painted is counted first
    qtbot.waitUntil(lambda: job.state.busy, timeout=TIMEOUT)
    assert not tab.form.isEnabled()
    labels.data[:] = 0  # the training has its own
    qtbot.waitUntil(lambda: epochs_drawn(tab) >= 1, timeout=TIMEOUT)
    assert not tab.train()
    assert "'mine' is still being trained" in tab.message.text()
    assert not tab.plot.isHidden()
    assert not tab.settings.isExpanded()
    viewer.layers.remove(labels)
    assert job.state.cancellable
    assert f"⚠ '{labels.name}' was removed; the training goes on" in tab.controls.warnings.text()

    window = viewer.window._qt_window
    asked = answer_next_question(QMessageBox.StandardButton.No)
    assert not window.close()
    assert "'mine' is still being trained" in asked[0]
    assert job.state is JobState.RUNNING
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)  # the fixture closes it once more
    answer_next_question(QMessageBox.StandardButton.Yes)
    assert window.close()
    qtbot.waitUntil(lambda: not job.state.busy, timeout=TIMEOUT)
    assert job.state is JobState.CANCELLED
    assert "is kept; the Segment tab uses it now" in tab.message.text()
    assert panel.state.model == tmp_path / "mine.tiqa"
    assert not segmenter_card(tmp_path / "mine.tiqa")["training"]["finished"]
    (run,) = job.runs.all()
    done = epochs_drawn(tab)

    viewer.window.remove_dock_widget("all")
    viewer.layers.clear()  # the run folder has all that is needed
    panel = open_dock()
    tab = train_tab(panel)
    assert f"The training of 'mine' stopped after epoch {done} of {EPOCHS}" in tab.offer.text.text()
    with qtbot.waitSignal(job.ended, timeout=TIMEOUT):
        assert tab.resume()
        assert epochs_drawn(tab) == done
    assert job.state is JobState.DONE
    assert job.runs.all() == []
    assert recent_models("segmentation") == [run.output]
    assert panel.state.model == run.output
    assert "'mine' is trained; the Segment tab uses it now" in tab.message.text()
    assert epochs_drawn(tab) == EPOCHS
    card = segmenter_card(run.output)
    assert classes_of(card).values == (1, 2)
    assert card["training"]["slices"] == [1, 4]
    assert card["training"]["best"]["iou"] > 0.8


def test_a_closed_dock_lets_go_of_the_labels(
    viewer: Viewer, image: Image, panel: SegmentPanel, tab: SegmentTrainTab, qtbot: QtBot
) -> None:
    labels = panel.header.make_labels()
    assert labels is not None
    counted(tab, qtbot)
    before = tab.count
    viewer.window.remove_dock_widget("all")
    paint(labels, 0, 10, 1)
    viewer.dims.set_current_step(0, 1)
    qtbot.wait(300)
    assert tab.count is before
    assert not tab.count_job.state.busy


# -- how it looks ----------------------------------------------------------------------------------


@pytest.mark.own_viewer
def test_the_dock_fits_a_small_window(viewer: Viewer, image: Image, panel: SegmentPanel) -> None:
    tab = train_tab(panel)
    viewer.window._qt_window.resize(1280, 720)
    panel.header.make_labels()
    panel.header.problem.say("A sentence that is longer than the dock is wide. " * 3)
    tab.form.more.expand()
    tab.controls.show_warnings(["A sentence that is longer than the dock is wide. " * 3])
    assert viewer.window._qt_window.minimumSizeHint().height() <= 720
    assert panel.minimumSizeHint().width() <= 400


def test_every_control_says_what_it_does(panel: SegmentPanel, tab: SegmentTrainTab) -> None:
    controls = [
        widget
        for kind in (QAbstractButton, QComboBox, QLineEdit, QAbstractSpinBox)
        for part in (panel.header, tab)
        for widget in part.findChildren(kind)
        if not widget.objectName().startswith("qt_")
    ]
    assert len(controls) > 15
    assert [widget for widget in controls if not widget.toolTip()] == []
