"""The training dock in a real viewer with a real training process: choose, preview, train, go on."""

import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QApplication, QComboBox, QLineEdit, QMessageBox
from scipy.ndimage import gaussian_filter

from napari_tiqa.errors import TrainingError
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.scoring.bundle import load_card
from napari_tiqa.scoring.recent_models import recent_models
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.widgets.docks import TrainingDock
from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.training.form import Source
from napari_tiqa.widgets.training.job import TrainingJob
from napari_tiqa.widgets.training.panel import TrainingPanel
from napari_tiqa.widgets.training.request import shared_training_job, write_layer_slices
from napari_tiqa.widgets.training.runs import is_interrupted
from tests.processes import model_processes
from tests.widgets.not_originals import not_originals

WIDGET = ("napari-tiqa", "Train a model")
TIMEOUT = 900_000  # ms, for a process that has to import Keras and build its graph on a busy machine

OpenDock = Callable[[], TrainingPanel]


def tomogram(slices: int, seed: int = 0) -> np.ndarray:
    """Return blobs without noise, float32."""
    noise = np.random.default_rng(seed).normal(size=(slices, 224, 224)).astype("f4")
    return np.sign(gaussian_filter(noise, (0, 6, 6)))


@pytest.fixture
def job(viewer: Viewer, qtbot: QtBot) -> Iterator[TrainingJob]:
    """Return the training of this process, and end it."""
    shared_training_job.cache_clear()
    job = shared_training_job()
    yield job
    job.cancel()
    qtbot.waitUntil(lambda: not job.state.busy, timeout=TIMEOUT)


@pytest.fixture
def open_dock(viewer: Viewer, job: TrainingJob, qtbot: QtBot) -> OpenDock:
    def open_it() -> TrainingPanel:
        dock: TrainingDock = viewer.window.add_plugin_dock_widget(*WIDGET)[1]
        with qtbot.waitSignal(dock.ready, timeout=TIMEOUT):
            pass
        assert isinstance(dock.panel, TrainingPanel)
        return dock.panel

    return open_it


@pytest.fixture
def panel(open_dock: OpenDock) -> TrainingPanel:
    return open_dock()


@pytest.fixture
def short(viewer: Viewer, panel: TrainingPanel, tmp_path: Path) -> TrainingPanel:
    """Return the panel with six originals, one of them for validation, set to train for a few steps."""
    viewer.add_image(tomogram(5), name="first")
    viewer.add_image(tomogram(1, seed=1)[0], name="second")
    panel.form.settings["slices"].setValue(5)
    panel.form.settings["ranking_epochs"].setValue(1)
    panel.form.settings["regression_epochs"].setValue(1)
    for name, box in panel.form.observers.items():
        box.setChecked(name == "ssim")  # the quickest
    panel.form.output.set_path(tmp_path / "mine.tiqa")
    return panel


@contextmanager
def question_answered(answer: QMessageBox.StandardButton) -> Iterator[list[str]]:
    """Answer the next question as a user would; yields what was asked."""
    asked: list[str] = []

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, QMessageBox) and not asked:
            asked.append(dialog.text())
            dialog.button(answer).click()

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(20)
    yield asked
    timer.stop()


def epochs_drawn(panel: TrainingPanel, stage: str) -> list[int]:
    return sorted(panel.plot.stages[stage].points)


# -- what the form says ----------------------------------------------------------------------------


def test_layers_to_learn_from_are_ticked_and_their_ticks_stay(viewer: Viewer, panel: TrainingPanel) -> None:
    viewer.add_image(tomogram(3), name="good")
    viewer.layers.extend(not_originals())
    bad = viewer.add_image(tomogram(3, 1), name="bad")
    assert [layer.name for layer in panel.form.layers] == ["bad", "good"]
    panel.form.layer_list.topLevelItem(0).setCheckState(0, Qt.CheckState.Unchecked)
    bad.name = "worse"
    assert [item.text(0) for item in panel.form.layer_list.items()] == ["worse", "good"]
    assert [layer.name for layer in panel.form.layers] == ["good"]


def test_a_new_user_needs_no_setting(viewer: Viewer, panel: TrainingPanel, user_folders: Path) -> None:
    viewer.add_image(tomogram(6))
    request = panel._request()
    recipe, run, volumes = request.verb.args
    assert recipe == TrainingRecipe(originals=recipe.originals, slices=12)
    assert run is request.run
    assert run.output == user_folders / "documents/napari-tiqa models/my model.tiqa"
    assert [volume.slice_count(0) for volume in volumes] == [6]


def test_observers_are_a_set_or_single_ones(panel: TrainingPanel) -> None:
    form = panel.form
    form.observer_set.setCurrentText("2020 report")
    assert form.recipe(("x.tif",)).observers == ("ssim", "gmsd", "mdsi", "mse", "psnr")
    form.observers["psnr"].setChecked(False)
    assert form.observer_set.currentText() == "chosen below"
    assert "psnr" not in form.recipe(("x.tif",)).observers


def test_the_ratings_of_a_rated_session_are_found(panel: TrainingPanel, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "session.json").write_text("{}")
    rows = "".join(f"{n}.tif,Anna,{n % 5 + 1},\n" for n in range(6))
    (tmp_path / "ratings.csv").write_text("image,rater,score,time\n" + rows)
    panel.form.source_box.setCurrentText(Source.FOLDER)
    panel.form.folder.set_path(tmp_path)
    assert panel.form.recipe().ratings == (str(tmp_path / "ratings.csv"),)
    assert "ratings.csv" in panel.form.ratings_row.line.placeholderText()
    qtbot.waitUntil(lambda: "Only 6 images are rated" in panel.controls.warnings.text())
    assert "All ratings are by Anna" in panel.controls.warnings.text()
    (tmp_path / "ratings.csv").write_text("image,rater,score,time\n1.tif,Anna,7,\n")
    panel.form.changed.emit()
    qtbot.waitUntil(lambda: "the score '7'" in panel.controls.warnings.text())


def test_what_cannot_be_trained_on_is_said_in_a_sentence(
    viewer: Viewer, panel: TrainingPanel, tmp_path: Path
) -> None:
    def refusal() -> str:
        assert not panel.train()
        assert panel.job.state is JobState.IDLE or not panel.job.state.busy
        return panel.controls.message.text()

    assert "There is no image layer to learn from" in refusal()
    viewer.add_image(tomogram(3))
    assert "3 slices are too few" in refusal()
    panel.form.source_box.setCurrentText(Source.FILES)
    assert "no originals to train on" in refusal()
    panel.form.source_box.setCurrentText(Source.LAYERS)
    panel.form.output.set_path("")
    assert "Choose where to save the model" in refusal()
    for box in panel.form.observers.values():
        box.setChecked(False)
    viewer.add_image(tomogram(3))
    panel.form.output.set_path(tmp_path / "m.tiqa")
    assert "no observer" in refusal()
    assert not panel.show_preview()


def test_a_model_that_is_there_is_replaced_only_when_asked(short: TrainingPanel, tmp_path: Path) -> None:
    (tmp_path / "mine.tiqa").write_bytes(b"precious")
    with question_answered(QMessageBox.StandardButton.No) as asked:
        assert not short.train()
    assert "mine.tiqa" in asked[0]
    assert (tmp_path / "mine.tiqa").read_bytes() == b"precious"


# -- preview ---------------------------------------------------------------------------------------


def test_the_preview_shows_sixteen_versions_with_their_scores(
    viewer: Viewer, short: TrainingPanel, qtbot: QtBot
) -> None:
    viewer.layers["second"].visible = False
    short.form.layer_list.setCurrentItem(short.form.layer_list.topLevelItem(1))
    with qtbot.waitSignal(short.preview_job.ended, timeout=TIMEOUT):
        assert short.show_preview()
    picture, scores = viewer.layers[-2:]
    assert picture.name == "Versions of first"
    assert [layer.name for layer in viewer.layers if layer.visible] == [picture.name, scores.name]
    said = list(scores.text.values)
    assert len(said) == 16
    assert said[0] == "original: 5.0"
    assert said[5].startswith("blur 5: 1.")
    assert [layer.name for layer in short.form.layers] == ["second", "first"]  # a preview is no original
    viewer.layers.remove(picture)
    assert viewer.layers.selection == {viewer.layers["second"]}
    assert viewer.layers["first"].visible
    assert not viewer.layers["second"].visible


# -- training --------------------------------------------------------------------------------------


@pytest.mark.own_viewer
def test_from_layers_to_a_model_in_the_quality_dock_though_killed_and_closed_on_the_way(
    viewer: Viewer, short: TrainingPanel, open_dock: OpenDock, job: TrainingJob, qtbot: QtBot, tmp_path: Path
) -> None:
    states: list[JobState] = []
    ticks: list[JobState] = []
    short.form.settings["regression_epochs"].setValue(2)
    job.state_changed.connect(states.append)
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(job.state))
    timer.start(10)
    with qtbot.waitSignal(job.progressed, timeout=TIMEOUT):
        assert short.train()
    timer.stop()
    assert ticks.count(JobState.STARTING) > 10  # napari went on while Keras was imported
    assert not short.form.isEnabled()
    assert not short.train()
    assert "'mine' is still being trained" in short.controls.message.text()
    viewer.layers.clear()  # the training has its slices
    assert "'first' was removed; the training goes on" in short.controls.warnings.text()

    qtbot.waitUntil(lambda: epochs_drawn(short, "rank") == [1])
    with qtbot.waitSignal(job.ended, timeout=TIMEOUT):
        model_processes()[-1].kill()
    assert states == [JobState.STARTING, JobState.RUNNING, JobState.FAILED]
    assert "SIGKILL" in short.controls.message.text()
    assert short.offer.run is not None
    assert short.form.isEnabled()

    viewer.window.remove_dock_widget("all")
    panel = open_dock()
    assert "after ranking epoch 1 of 1" in panel.offer.text.text()
    assert panel.resume()
    qtbot.waitUntil(lambda: epochs_drawn(panel, "regress") == [1])
    close_napari_in_the_middle(viewer, panel, job, qtbot)
    assert "regression epoch 1, is kept as 'mine'" in panel.controls.message.text()
    assert not load_card(tmp_path / "mine.tiqa")["training"]["finished"]
    assert recent_models() == [tmp_path / "mine.tiqa"]
    (run,) = job.runs.all()
    assert run.name == "mine"
    assert is_interrupted(run)

    viewer.window.remove_dock_widget("all")
    panel = open_dock()
    with qtbot.waitSignal(job.ended, timeout=TIMEOUT):
        assert panel.resume()
        assert epochs_drawn(panel, "rank") == [1]
    assert job.state is JobState.DONE
    assert (epochs_drawn(panel, "rank"), epochs_drawn(panel, "regress")) == ([1], [1, 2])
    assert np.isfinite(panel.plot.stages["regress"].points[1][0])
    assert panel.offer.run is None
    assert job.runs.all() == []
    card = load_card(tmp_path / "mine.tiqa")
    assert card["training"]["finished"]
    assert [Path(specimen).name for specimen in card["training"]["left_out"]] == ["second.tif"]
    assert "left out of training" in panel.result.text.text()
    assert "mine.tiqa" in panel.result.text.text()
    assert recent_models() == [tmp_path / "mine.tiqa"]
    assert "tensorflow" not in sys.modules
    assert "keras" not in sys.modules

    viewer.window.remove_dock_widget("all")
    panel = open_dock()
    assert "'mine' is trained" in panel.controls.message.text()
    assert epochs_drawn(panel, "rank") == [1]
    panel.use_in_quality_dock()
    dock = viewer.window.add_plugin_dock_widget("napari-tiqa", "Slice quality")[1]
    qtbot.waitUntil(lambda: dock.panel is not None and dock.panel.form.model == tmp_path / "mine.tiqa")


def close_napari_in_the_middle(viewer: Viewer, panel: TrainingPanel, job: TrainingJob, qtbot: QtBot) -> None:
    """Close the window: refuse when asked, then agree."""
    window = viewer.window._qt_window
    with question_answered(QMessageBox.StandardButton.No) as asked:
        assert not window.close()
    assert "'mine' is still being trained" in asked[0]
    assert job.state is JobState.RUNNING
    assert viewer.window._task_status_manager.get_status() == ["TIQA image quality: training"]
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)  # the fixture closes it once more
    with question_answered(QMessageBox.StandardButton.Yes) as asked:
        assert window.close()
    assert len(asked) == 1  # napari does not ask a second time
    assert viewer.window._task_status_manager.get_status() == []
    qtbot.waitUntil(lambda: not job.state.busy)
    assert job.state is JobState.CANCELLED


# -- how it looks ----------------------------------------------------------------------------------


@pytest.mark.own_viewer
def test_the_dock_fits_a_small_window(viewer: Viewer, short: TrainingPanel) -> None:
    window = viewer.window._qt_window
    window.resize(1280, 720)
    short.form.advanced.expand()
    short.controls.show_warnings(["A sentence that is longer than the dock is wide. " * 3] * 3)
    assert window.minimumSizeHint().height() <= 720
    assert short.minimumSizeHint().width() <= 400


def test_every_control_says_what_it_does(panel: TrainingPanel) -> None:
    controls = [
        widget
        for kind in (QAbstractButton, QComboBox, QLineEdit, QAbstractSpinBox)
        for widget in panel.findChildren(kind)
        if not widget.objectName().startswith("qt_")
    ]
    assert len(controls) > 20
    assert [widget for widget in controls if not widget.toolTip()] == []


def test_the_plot_follows_the_theme(viewer: Viewer, panel: TrainingPanel) -> None:
    grounds = {}
    for theme in ("dark", "light"):
        viewer.theme = theme
        grounds[theme] = panel.plot.graphics.backgroundBrush().color().lightness()
    assert grounds["dark"] < 100 < grounds["light"]


def test_slices_of_a_layer_are_written_evenly_spaced_under_names_of_their_own(tmp_path: Path) -> None:
    data = np.arange(8, dtype="f4")[:, None, None] * np.ones((1, 16, 16), "f4")
    volumes = [replace(as_volume(data), name=name) for name in ("a/b", "a:b")]
    paths = write_layer_slices(volumes, 4, tmp_path / "new")
    assert [Path(path).name for path in paths] == ["a_b.tif", "a_b 2.tif"]
    assert tifffile.imread(paths[0])[:, 0, 0].tolist() == [1, 3, 5, 7]


def test_a_full_disk_is_said_in_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))  # as on a full disk
    try:
        with pytest.raises(TrainingError, match="'scan' cannot be written"):
            write_layer_slices([replace(as_volume(tomogram(2)), name="scan")], 2, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []
