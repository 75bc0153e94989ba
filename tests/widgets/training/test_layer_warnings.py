"""What is warned of before a training from layers, and the way from it to ratings and back."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from pytestqt.qtbot import QtBot

from napari_tiqa.volumes.simulation.acquisition import Acquisition, acquire
from napari_tiqa.volumes.simulation.microstructures import microstructure
from napari_tiqa.widgets.docks import TrainingDock
from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.result_layers import METADATA_KEY
from napari_tiqa.widgets.training.form import Source
from napari_tiqa.widgets.training.layer_warnings import layer_warnings
from napari_tiqa.widgets.training.panel import TrainingPanel
from tests.widgets.gate import Gate

TIMEOUT = 300_000  # ms


def scan(score: float | None = None, name: str = "scan") -> Image:
    runs = [{"score": [5.0]}, {"score": [score, None, score]}]
    kept = {} if score is None else {METADATA_KEY: {"runs": runs}}
    return Image(np.zeros((12, 48, 48), np.float32), name=name, metadata=kept)


def test_nothing_is_warned_of_clean_scans_of_which_some_are_left_out() -> None:
    assert layer_warnings([scan(4.6), scan()], [12, 12], 0.2, rated=False) == []
    assert layer_warnings([], [], 0.2, rated=False) == []


def test_too_few_slices_and_none_to_validate_with_are_warned_of() -> None:
    (few,) = layer_warnings([scan()], [1], 0.2, rated=False)
    assert few.startswith("1 slice is too few to learn from: take at least 5")
    (none_left,) = layer_warnings([scan()], [5], 0.2, rated=False)
    assert "left to validate with" in none_left
    assert "0 %" not in none_left
    (none_left,) = layer_warnings([scan(), scan()], [12, 12], 0, rated=False)
    assert "above 0 %" in none_left


def test_faulty_originals_are_warned_of_by_their_own_score_unless_people_have_rated_them() -> None:
    layers = [scan(2.1, "ringed"), scan(4.6, "clean")]
    (faulty,) = layer_warnings(layers, [12, 12], 0.2, rated=False)
    assert "would learn as a 5: ringed." in faulty
    assert layer_warnings(layers, [12, 12], 0.2, rated=True) == []


@pytest.fixture
def panel(viewer: Viewer, qtbot: QtBot) -> TrainingPanel:
    dock: TrainingDock = viewer.window.add_plugin_dock_widget("napari-tiqa", "Train a model")[1]
    qtbot.waitUntil(lambda: dock.panel is not None, timeout=TIMEOUT)
    made: TrainingPanel = dock.panel
    return made


def open_panel(viewer: Viewer, name: str) -> Callable[[], object]:
    return lambda: viewer.window.add_plugin_dock_widget("napari-tiqa", name)[1].panel


def test_the_warning_stands_there_before_train_is_pressed(
    viewer: Viewer, panel: TrainingPanel, qtbot: QtBot
) -> None:
    viewer.add_layer(scan(2.1, "ringed"))
    qtbot.waitUntil(lambda: "ringed" in panel.controls.warnings.text(), timeout=5000)
    assert not panel.controls.warnings.isHidden()


def test_originals_that_nobody_has_scored_are_judged_before_the_training(
    viewer: Viewer, panel: TrainingPanel, qtbot: QtBot
) -> None:
    ringed, clean = electrodes(gain_error=0.06), electrodes(gain_error=0)
    viewer.add_image(ringed, name="ringed")
    kept = viewer.add_layer(scan(4.6, "scored"))
    viewer.add_image(np.full((12, 64, 64), np.nan), name="of nothing")
    qtbot.waitUntil(lambda: "a 5: ringed." in panel.controls.warnings.text(), timeout=TIMEOUT)
    qtbot.waitUntil(lambda: not panel.scores.job.state.busy, timeout=TIMEOUT)
    assert panel.scores.of(viewer.layers["ringed"]) < 4
    assert panel.scores.of(kept) == 4.6
    assert panel.scores.of(viewer.layers["of nothing"]) is None
    assert panel.message.text() == ""
    viewer.layers["ringed"].data = clean
    qtbot.waitUntil(lambda: panel.scores.of(viewer.layers["ringed"]) is not None, timeout=TIMEOUT)
    assert panel.scores.of(viewer.layers["ringed"]) > 4
    kept.data = ringed
    qtbot.waitUntil(lambda: "a 5: scored." in panel.controls.warnings.text(), timeout=TIMEOUT)
    assert "ringed" not in panel.controls.warnings.text()


def test_judging_originals_ends_when_they_are_not_wanted(
    viewer: Viewer, panel: TrainingPanel, qtbot: QtBot
) -> None:
    gate = Gate()
    layer = viewer.add_image(gate, name="slow", contrast_limits=(0, 1))
    gate.opened.clear()
    qtbot.waitUntil(gate.reached.is_set, timeout=TIMEOUT)
    panel.form.layer_list.tick_only(())
    qtbot.waitUntil(lambda: panel.scores.job.state is JobState.CANCELLING, timeout=TIMEOUT)
    gate.opened.set()
    qtbot.waitUntil(lambda: not panel.scores.job.state.busy, timeout=TIMEOUT)
    assert panel.scores.of(layer) is None
    assert panel.message.text() == ""


def electrodes(**faults: float) -> np.ndarray:
    """Return six scanned slices of an electrode, with faults of the acquisition."""
    material = microstructure("electrode", (6, 96, 96), 3)
    scan = Acquisition(projections=180, **faults)
    return np.stack([acquire(plane, scan, 0) for plane in material])


def test_rate_these_leads_to_train_from_these_ratings(
    viewer: Viewer, panel: TrainingPanel, qtbot: QtBot, tmp_path: Path
) -> None:
    noise = np.random.default_rng(0).random((6, 48, 48), np.float32)
    viewer.add_image(noise, name="left out")
    chosen = viewer.add_image(noise, name="chosen")
    panel.form.layer_list.tick_only([chosen.unique_id])
    panel.rate_button.click()
    get_rating = open_panel(viewer, "Rate images")
    qtbot.waitUntil(lambda: get_rating() is not None, timeout=TIMEOUT)
    rating = viewer.window.add_plugin_dock_widget("napari-tiqa", "Rate images")[1].panel
    qtbot.waitUntil(lambda: rating.form.layer_list.ticked() == [chosen], timeout=5000)
    rating.form.place.set_path(tmp_path / "session")
    with qtbot.waitSignal(rating.job.ended, timeout=TIMEOUT):
        assert rating.begin()
    rating.results.train_button.click()
    assert panel.form.source is Source.FOLDER
    assert panel.form.paths == (str(tmp_path / "session"),)
