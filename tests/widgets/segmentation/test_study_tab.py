"""The Study tab in a real viewer with a real model process: study, look at a version, save, bad input."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QFileDialog

from napari_tiqa.jobs.study.study import FILES
from napari_tiqa.segmentation.native_distortions import native_fields, native_version
from napari_tiqa.widgets.segmentation.header import SegmentState
from napari_tiqa.widgets.segmentation.study.tab import SegmentStudyTab
from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.figure_view import FigureView
from napari_tiqa.widgets.shared.result_layers import is_original
from napari_tiqa.widgets.shared.slider import go_to_slice
from napari_tiqa.widgets.shared.source_follower import SourceFinder

TIMEOUT = 200_000  # ms, for a model process that has to import Keras on a busy machine
PLACE = {"scale": (2, 0.65, 0.65), "translate": (10, 0, 0), "units": ("um",) * 3}


def pixels(count: int = 3, side: int = 64) -> np.ndarray:
    """Return noisy slices, each with a bright particle in its middle."""
    rows, columns = np.indices((side, side)) - side / 2
    particle = 0.8 * (np.hypot(rows, columns) < side / 4) + 0.1
    noise = np.random.default_rng(0).standard_normal((count, side, side))
    return (particle + 0.03 * noise).astype(np.float32)


class Bench:
    """The tab, docked, an image of three slices, and its labels, which leave out the middle one."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.image: Image = viewer.add_image(pixels(), name="cell", **PLACE)
        truth = np.where(self.image.data > 0.5, 2, 1).astype(np.uint8)
        truth[1] = 0
        self.labels = viewer.add_labels(truth, name="phases", visible=False, **PLACE)
        self.state = SegmentState()
        self.state.set_source(SourceFinder(viewer).find(self.image)[1])
        self.state.set_labels(self.labels)
        self.tab = SegmentStudyTab(self.state, viewer)
        self.results = self.tab.results
        viewer.window.add_dock_widget(self.tab, name="Study")

    def study(self, qtbot: QtBot, typed: str) -> None:
        self.tab.form.slices.choose(typed)
        with qtbot.waitSignal(self.tab.job.ended, timeout=TIMEOUT):
            self.tab.form.run_row.start_button.click()

    def look_at(self, qtbot: QtBot, version: str) -> None:
        self.results.version_box.setCurrentText(version)
        with qtbot.waitSignal(self.tab.looking.ended, timeout=TIMEOUT):
            self.results.show_button.click()


@pytest.fixture
def bench(viewer: Viewer) -> Iterator[Bench]:
    bench = Bench(viewer)
    yield bench
    bench.tab.close_down()


def test_study_look_at_a_version_and_save(
    bench: Bench,
    trained_on: Callable[[Iterable[np.ndarray]], Path],
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tab, results = bench.tab, bench.results
    bench.state.set_model(trained_on(bench.image.data[2:]))
    assert not results.isVisibleTo(tab)
    qtbot.waitUntil(lambda: tab.form.phase_box.count() == 2, timeout=TIMEOUT)
    assert tab.form.phase_box.currentText() == "active material"
    bench.study(qtbot, "0, 2")
    found = results.found
    assert found is not None
    assert found.table["slice"].tolist() == [0] * 16 + [2] * 16
    assert results.isVisibleTo(tab)
    assert found.sentence() == results.sentence.text()
    assert found.record["trained_on"] == [2]
    assert "trained on 1 of these 2 slices (2)" in results.caution.text()
    assert results.caution.isVisibleTo(tab)
    assert "slices 0 and 2" in results.caption.text()
    assert bench.state.source.window.low == found.record["window"]["low"]
    _each_page_shows_what_was_found(bench)
    _a_version_is_shown_as_layers(bench, qtbot)
    folder = tmp_path / "study"
    folder.mkdir()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    with qtbot.waitSignal(tab.saving.ended, timeout=TIMEOUT):
        results.save_button.click()
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert "Saved table.csv" in tab.message.text()


def _each_page_shows_what_was_found(bench: Bench) -> None:
    results = bench.results
    found = results.found
    x, y = _line(results.levels, 1, "blur")
    assert x.tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose(y, found.levels("blur")["f1"])
    results.slice_box.setCurrentText("slice 2")
    np.testing.assert_allclose(_line(results.levels, 0, "ring")[1], found.levels("ring", 2)["score"])
    results.tabs.setCurrentIndex(1)
    of_noise = found.table.query("slice == 2 and distortion == 'noise'")
    clouds = {cloud.get_label(): cloud.get_offsets() for cloud in results.f1.figure().axes[0].collections}
    np.testing.assert_allclose(clouds["noise"], of_noise[["score", "f1"]])
    results.tabs.setCurrentIndex(2)
    results.distortion_box.setCurrentText("noise")
    shown = _line(results.two_point, 0, "4")
    np.testing.assert_allclose(shown, found.curve("noise", 4, "x", 2))
    assert shown[0][-1] == pytest.approx(32 * 0.65)
    scores = results.two_point.figure().axes[0].texts
    assert scores[4].get_text().strip() == f"{found.levels('noise', 2)['score'][4]:.2f}"
    heights = sorted(text.get_position()[1] for text in scores)
    assert np.all(np.diff(heights) > 0.01)  # no score lies upon another
    results.tabs.setCurrentIndex(3)
    assert results.correlations.rowCount() == 4
    assert results.versions.rowCount() == 16
    assert results.versions.item(0, 0).text() == f"{found.levels('blur', 2)['score'][0]:.2f}"


def _line(view: FigureView, panel: int, label: str) -> np.ndarray:
    lines = view.figure().axes[panel].lines
    return next(np.asarray(line.get_xydata()).T for line in lines if line.get_label() == label)


def _a_version_is_shown_as_layers(bench: Bench, qtbot: QtBot) -> None:
    tab, viewer, image = bench.tab, bench.viewer, bench.image
    go_to_slice(viewer, image, 0, 1)
    bench.look_at(qtbot, "ring 5")
    distorted, segmentation, uncertainty = viewer.layers[-3:]
    assert distorted.name == "cell, ring 5"
    window = bench.results.found.record["window"]
    span = window["high"] - window["low"]
    unit = (image.data[2] - window["low"]) / span
    expected = native_version(unit, "ring", 5, native_fields((64, 64), seed=2)) * span + window["low"]
    np.testing.assert_allclose(distorted.data[0], expected, atol=1e-5)
    assert viewer.dims.point[0] == 14  # slice 2, at 10 + 2 x 2 µm
    assert set(np.unique(segmentation.data)) <= {1, 2}
    assert not uncertainty.visible
    for layer in (distorted, segmentation, uncertainty):
        assert layer.data_to_world((0, 3, 4)) == pytest.approx([14, 1.95, 2.6])
        assert layer.units == image.units
        assert not is_original(layer)  # so that the dock's header does not offer it
    segmentation.visible = False
    bench.look_at(qtbot, "blur 1")
    names = [layer.name for layer in viewer.layers]
    assert names[2:] == ["cell, blur 1", "segmentation of cell, blur 1", "uncertainty of cell, blur 1"]
    assert not tab.layers.layers["segmentation"].visible  # as the user left it


def test_what_cannot_be_studied_is_said_in_one_sentence(bench: Bench, qtbot: QtBot) -> None:
    tab, state, viewer = bench.tab, bench.state, bench.viewer
    state.set_labels(viewer.add_labels(np.ones((2, 64, 64), np.uint8), name="two slices"))
    assert not tab.start()
    assert "two slices" in tab.message.text()
    state.set_labels(None)
    assert not tab.form.run_row.start_button.isEnabled()
    state.set_labels(bench.labels)
    tab.form.slices.choose("7")
    assert not tab.start()
    assert "choose from 0 to 2" in tab.message.text()
    bench.study(qtbot, "1")
    assert tab.job.state is JobState.FAILED
    assert "No pixel of these slices is labelled" in tab.message.text()
    bench.labels.data[1] = 5
    bench.study(qtbot, "1")
    assert "the value 5" in tab.message.text()
    assert not bench.results.isVisibleTo(tab)


def test_a_study_that_is_stopped_keeps_what_is_done(bench: Bench, qtbot: QtBot) -> None:
    tab = bench.tab
    tab.job.progressed.connect(lambda news: news.done == 3 and tab.form.run_row.cancel_button.click())
    bench.study(qtbot, "0, 2")
    assert tab.job.state is JobState.DONE
    assert 3 <= len(bench.results.found.table) < 16
    assert "Stopped" in tab.message.text()
    assert tab.form.run_row.start_button.isEnabled()
    with qtbot.waitSignal(tab.job.ended, timeout=TIMEOUT):
        assert tab.start()
        bench.viewer.layers.remove(bench.image)
    assert "'cell' was removed" in tab.message.text()
    assert not tab.look_at("blur", 1)  # of an image that is gone
