"""What happens in the middle of jobs: to their layer, to their docks, to napari."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from pytestqt.qtbot import QtBot

from napari_tiqa.widgets.shared import background_job
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.result_layers import Result, is_result
from tests.textures import grainy
from tests.widgets.all_docks import AllDocks, notifications
from tests.widgets.gate import Gate


class Scan:
    """A viewer with a layer that jobs can be held back on, its labels, another layer, and all docks."""

    def __init__(self, viewer: Viewer, qtbot: QtBot, folder: Path) -> None:
        self.viewer, self.qtbot, self.gate = viewer, qtbot, Gate()
        viewer.add_image(grainy(3, 48, 48, seed=2), name="other")
        self.layer = viewer.add_image(self.gate, name="scan", contrast_limits=(0, 1))
        viewer.add_labels(np.indices(Gate.shape)[2] // 24 + 1, name="truth")
        self.docks = AllDocks(viewer, qtbot, folder)
        self.quality = self.docks.panels["Slice quality"]
        _, self.tune, self.compare, self.apply = self.docks.filters.pages
        _, self.segment, self.study = self.docks.segmentation.pages
        self.docks.prepare()
        self.docks.wait()

    def start_all(self) -> dict[str, BackgroundJob]:
        """Start what can run at once; return the jobs."""
        self.study.form.slices.choose("1")
        self.quality.score_all()
        for tab in (self.tune, self.compare, self.segment, self.study):
            assert tab.start()
        self.apply.export()
        return {
            "score": self.quality.job,
            "tune": self.tune.job,
            "compare": self.compare.job,
            "segment": self.segment.job,
            "study": self.study.job,
            "export": self.apply.export_job,
        }

    def start_others(self) -> dict[str, BackgroundJob]:
        """Start what shares a job, or a message, with one of those; return the jobs."""
        assert self.quality.map_this_slice()
        self.apply.show_filtered()
        return {"map": self.quality.job, "apply": self.apply.show_job}

    @contextmanager
    def held_back(self, start: Callable[[], dict[str, BackgroundJob]]) -> Iterator[dict[str, JobOutcome]]:
        """Hold jobs back until the end of the block; then their outcomes are known."""
        outcomes: dict[str, JobOutcome] = {}
        self.gate.reached.clear()
        self.gate.opened.clear()
        jobs = start()
        for name, job in jobs.items():
            job.ended.connect(lambda outcome, name=name: outcomes.update({name: outcome}))
        try:
            self.qtbot.waitUntil(self.gate.reached.is_set)
            yield outcomes
            self.qtbot.wait(20)  # what follows a change follows in the next turns of the event loop
        finally:
            self.gate.opened.set()
        self.docks.wait()

    def results(self) -> list[str]:
        """Return the layers that docks have added; the filter dock's preview is of what is shown now."""
        ours = [layer.name for layer in self.viewer.layers if is_result(layer, *RESULTS)]
        return [*ours, *(layer.name for layer in self.viewer.layers if layer.name.endswith("filtered"))]


RESULTS = [result for result in Result if result is not Result.FILTER_PREVIEW]


@pytest.fixture
def scan(viewer: Viewer, qtbot: QtBot, tmp_path: Path) -> Scan:
    return Scan(viewer, qtbot, tmp_path)


def removed(viewer: Viewer, layer: Image) -> str:
    viewer.layers.remove(layer)
    return f"'{layer.name}' was removed, so "


def of_another_shape(_viewer: Viewer, layer: Image) -> str:
    layer.data = grainy(3, 40, 56)
    return f"'{layer.name}' has other data now, so "


def of_other_values(_viewer: Viewer, layer: Image) -> str:
    layer.data = grainy(*Gate.shape, seed=1)
    return f"'{layer.name}' has other data now, so "


@pytest.mark.parametrize("change", [removed, of_another_shape, of_other_values])
def test_jobs_end_with_their_layer_or_its_data(change: Callable[[Viewer, Image], str], scan: Scan) -> None:
    pipeline = scan.tune.state.pipeline
    with notifications() as shown:
        with scan.held_back(scan.start_others if change is of_other_values else scan.start_all) as outcomes:
            sentence = change(scan.viewer, scan.layer)
        assert len(outcomes) in (2, 6)
        problems = scan.docks.problems()
        said = set().union(*problems.values())
        for name, outcome in outcomes.items():
            assert outcome.state is JobState.CANCELLED, (name, outcome)
            assert outcome.message.startswith(sentence), (name, outcome)
            assert f"⚠ {outcome.message}" in said, (name, problems)
    assert scan.results() == []
    assert scan.tune.state.pipeline == pipeline
    assert len(scan.quality.shelf) == 0
    assert scan.segment.shown is None
    assert shown == []


def test_jobs_go_on_when_layers_are_renamed_moved_and_painted(scan: Scan) -> None:
    with notifications() as shown:
        with scan.held_back(scan.start_all) as outcomes:
            scan.layer.name = "renamed"
            scan.viewer.layers.move(2, 0)
            scan.viewer.layers["truth"].paint((1, 5, 5), 2)
        assert {outcome.state for outcome in outcomes.values()} == {JobState.DONE}, outcomes
    assert len(outcomes) == 6
    assert len(scan.quality.shelf) == 1
    assert scan.results() == ["segmentation of scan"]
    assert all(len(said) == 1 for said in scan.docks.problems().values()), scan.docks.problems()
    assert shown == []


def test_docks_closed_in_the_middle_open_again(scan: Scan) -> None:
    with notifications() as shown:
        with scan.held_back(scan.start_all) as outcomes:
            scan.viewer.window.remove_dock_widget("all")
        scan.docks.open()
        scan.docks.wait()
        assert scan.docks.panels["Slice quality"].score_this_slice()
        scan.docks.wait()
    assert {outcome.state for outcome in outcomes.values()} <= {JobState.CANCELLED, JobState.DONE}
    assert scan.docks.problems() == {}
    assert scan.docks.panels["Slice quality"].message.text().startswith("Slice 1:")
    assert shown == []


@pytest.mark.own_viewer
@pytest.mark.parametrize("state", ["jobs", "rating"])
def test_napari_closes_while_jobs_run_and_people_rate(state: str, scan: Scan, qtbot: QtBot) -> None:
    with notifications() as shown:
        if state == "jobs":
            with scan.held_back(scan.start_all):
                scan.viewer.close()
        else:
            rating = scan.docks.panels["Rate images"]
            assert rating.begin()
            scan.docks.wait()
            rating.rater_box.setEditText("Ada")
            rating.rate()
            assert rating.window_of_rater.isVisible()
            scan.viewer.close()
    qtbot.waitUntil(lambda: not background_job._under_way)
    assert shown == []


def test_two_viewers_keep_to_their_own_layers(
    scan: Scan, make_napari_viewer: Callable[[], Viewer], qtbot: QtBot, tmp_path: Path
) -> None:
    other = Scan(make_napari_viewer(), qtbot, tmp_path / "other")
    with notifications() as shown:
        with scan.held_back(scan.start_all) as outcomes:
            removed(other.viewer, other.layer)
            assert other.quality.score_this_slice()
        assert {outcome.state for outcome in outcomes.values()} == {JobState.DONE}, outcomes
    assert other.quality.message.text().startswith("Slice 1:")
    assert not any("scan" in layer.name for layer in other.viewer.layers)
    assert shown == []
