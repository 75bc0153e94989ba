"""What a user chose in docks is there in the next session; a broken file is as good as none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot

from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.widgets.host.remembered import write_now

TIMEOUT = 300_000  # ms
RINGS = Step("ring_removal", {"centre_y": 4.0, "centre_x": -2.0})
Open = Callable[[str], Any]


@pytest.fixture
def file(user_folders: Path) -> Path:
    return user_folders / "user data" / "docks.json"


@pytest.fixture
def open_dock(viewer: Viewer, qtbot: QtBot) -> Open:
    def open_named(name: str) -> Any:
        viewer.window.remove_dock_widget("all")
        write_now()  # as the end of a session does
        dock = viewer.window.add_plugin_dock_widget("napari-tiqa", name)[1]
        with qtbot.waitSignal(dock.ready, timeout=TIMEOUT):
            pass
        return dock.panel

    return open_named


def page(panel: Any, name: str) -> Any:
    (found,) = [each for each in panel.tabs.pages if type(each).__name__ == name]
    return found


def test_quality_opens_as_it_was_left(open_dock: Open, file: Path, untrained_model: Path) -> None:
    panel = open_dock("Slice quality")
    assert panel.form.view == "pyramid"
    panel.form.view_box.value = "native"
    panel.form.model_box.choose(untrained_model)
    panel = open_dock("Slice quality")
    assert (panel.form.view, panel.form.model) == ("native", untrained_model)
    kept = json.loads(file.read_text())
    assert kept["quality"] == {"view": "native", "model": str(untrained_model)}
    file.write_text(json.dumps({"quality": {"view": "sideways", "model": str(file.parent / "gone.tiqa")}}))
    panel = open_dock("Slice quality")
    assert (panel.form.view, panel.form.model) == ("pyramid", None)


def test_filter_and_tune_opens_as_it_was_left_without_what_belongs_to_a_layer(open_dock: Open) -> None:
    panel = open_dock("Filter and tune")
    panel.state.set_pipeline(Pipeline([RINGS, Step("median", on=False)]))
    tune = page(panel, "FilterTuneTab").form
    tune.trials_box.setValue(7)
    tune.method_box.setCurrentIndex(1)
    tune.slices.choose("0-90:10")
    page(panel, "FilterApplyTab").form.format_box.setCurrentIndex(1)
    panel.tabs.setCurrentIndex(2)
    panel = open_dock("Filter and tune")
    assert panel.state.pipeline == Pipeline([Step("ring_removal"), Step("median", on=False)])
    assert panel.layers.layer is None
    assert panel.tabs.tabText(panel.tabs.currentIndex()) == "Compare"
    tune = page(panel, "FilterTuneTab").form
    assert (tune.trials_box.value(), tune.method_box.currentData()) == (7, "optimise")
    assert tune.slices.line.text() == "0-90:10"
    assert tune.slices.line.isVisibleTo(tune)
    assert page(panel, "FilterApplyTab").form.format == "tiff"


def test_segment_and_train_keep_the_settings_of_trainings(open_dock: Open) -> None:
    form = page(open_dock("Segment"), "SegmentTrainTab").form
    form.settings["epochs"].setValue(3)
    form.dice.setChecked(not form.dice.isChecked())
    chosen = form.recipe
    panel = open_dock("Segment")
    assert page(panel, "SegmentTrainTab").form.recipe == chosen
    form = open_dock("Train a model").form
    form.settings["slices"].setValue(5)
    form.source_box.setCurrentIndex(1)
    form = open_dock("Train a model").form
    assert form.settings["slices"].value() == 5
    assert form.source == "Files"


@pytest.mark.parametrize("text", ["{", "[1, 2]", '{"rate": 3}', '{"rate": {"images": "many", "crop": [1]}}'])
def test_a_broken_file_is_as_good_as_none(text: str, open_dock: Open, file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(text)
    form = open_dock("Rate images").form
    assert (form.count_box.value(), form.crop_box.currentText()) == (12, "whole slices")
    form.count_box.setValue(9)
    write_now()
    assert json.loads(file.read_text())["rate"]["images"] == 9


def test_a_file_that_cannot_be_written_disturbs_nobody(open_dock: Open, file: Path) -> None:
    file.parent.write_text("a file where the folder should be")
    form = open_dock("Evaluate a model").form
    box = form.baselines["brisque"]
    box.setChecked(not box.isChecked())
    write_now()
    assert not file.exists()
