"""The Segment tab in a real viewer with a real model process: layers, threshold, truth, curves, bad input."""

import itertools
import json
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from napari import Viewer
from napari.layers import Image, Labels
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPointF, Qt
from skimage.io import imread

from napari_tiqa.scoring.bundle import DEFAULT_MODEL
from napari_tiqa.scoring.table import ScoredSlice
from napari_tiqa.segmentation.agreement import IOU_COLOURS, agreement_table, iou_map
from napari_tiqa.segmentation.segmenter import classes_of, segmenter_card
from napari_tiqa.widgets.quality.score_run import ScoreRun, save_runs
from napari_tiqa.widgets.segmentation.header import SegmentState
from napari_tiqa.widgets.segmentation.layers import SegmentView
from napari_tiqa.widgets.segmentation.plot import F1, SCORE, UNCERTAINTY
from napari_tiqa.widgets.segmentation.predict.tab import SegmentPredictTab
from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.result_layers import Result, is_result
from napari_tiqa.widgets.shared.slider import go_to_slice
from napari_tiqa.widgets.shared.source_follower import SourceFinder

TIMEOUT = 200_000  # ms, for a model process that has to import Keras on a busy machine
SEGMENTATION, UNSURE, LIKELY, IOU = SegmentView
CLASSES = classes_of(segmenter_card())
_SEEDS = itertools.count()


def pixels(count: int = 4, side: int = 64) -> np.ndarray:
    """Return noisy slices, each with a bright particle in its middle; each time others.

    What was segmented of a volume is found again, so that tests would find each other's slices.
    """
    rows, columns = np.indices((side, side)) - side / 2
    particle = 0.8 * (np.hypot(rows, columns) < side / 4) + 0.1
    noise = np.random.default_rng(next(_SEEDS)).standard_normal((count, side, side))
    return (particle + 0.03 * noise).astype(np.float32)


def truth_of(image: Image) -> np.ndarray:
    return np.where(image.data > 0.5, 2, 1).astype(np.uint8)


class Bench:
    """The tab, docked, and the part of the dock's header that follows the viewer's slider."""

    def __init__(self, viewer: Viewer, image: Image) -> None:
        self.viewer, self.image = viewer, image
        self.state = SegmentState()
        self._finder = SourceFinder(viewer)
        self.follow()
        self.tab = SegmentPredictTab(self.state, viewer)
        viewer.window.add_dock_widget(self.tab, name="Segment")

    def follow(self) -> None:
        self.state.set_source(self._finder.find(self.image)[1])

    def show_slice(self, index: int) -> None:
        go_to_slice(self.viewer, self.image, self.image.ndim - 3, index)
        self.follow()

    def segment(self, qtbot: QtBot, typed: str = "") -> None:
        """Segment the slice shown, or typed ones, and wait until all that follows is there."""
        if typed:
            self.tab.form.slices.choose(typed)
        with qtbot.waitSignal(self.tab.job.ended, timeout=TIMEOUT):
            self.tab.form.run_row.start_button.click()
        qtbot.waitUntil(lambda: self.layer(SEGMENTATION) is not None, timeout=TIMEOUT)

    def ask(self, view: SegmentView, qtbot: QtBot) -> None:
        """Ask for a view, and wait until its layer is there."""
        self.tab.form.views[view].click()
        qtbot.waitUntil(lambda: self.layer(view) is not None)

    def layer(self, view: SegmentView) -> Image | Labels | None:
        shown = self.tab.shown
        return shown.layers.layer(view) if shown is not None else None

    def plane(self, view: SegmentView, index: int) -> np.ndarray:
        layer = self.layer(view)
        assert layer is not None
        return np.asarray(layer.data[..., index, :, :]).reshape(layer.data.shape[-2:])


@pytest.fixture
def bench(viewer: Viewer) -> Iterator[Bench]:
    image = viewer.add_image(
        pixels(), name="cell", scale=(2, 0.65, 0.65), translate=(10, 0, 0), units=("um",) * 3
    )
    bench = Bench(viewer, image)
    bench.show_slice(0)
    yield bench
    bench.tab.close_down()


# -- layers --------------------------------------------------------------------------------------------


def test_the_slice_shown_is_segmented_into_layers_that_lie_on_the_image(bench: Bench, qtbot: QtBot) -> None:
    bench.show_slice(2)
    bench.segment(qtbot)
    assert bench.tab.message.text().startswith("Slice 2 is segmented: mean uncertainty 0.")
    ours = [layer for layer in bench.viewer.layers if is_result(layer, Result.SEGMENTATION)]
    assert [layer.name for layer in ours] == ["segmentation of cell"]
    for view, name in ((UNSURE, "uncertainty of cell"), (LIKELY, f"probability of {CLASSES.names[-1]}")):
        bench.ask(view, qtbot)
        ours.append(bench.layer(view))
        assert ours[-1].name == name
        assert [layer for layer in ours if layer.visible] == [ours[-1]]
    for layer in ours:
        assert layer.data.shape == bench.image.data.shape
        assert np.array_equal(layer.scale, bench.image.scale)
        assert np.array_equal(layer.translate, bench.image.translate)
        assert layer.units == bench.image.units
    assert bench.viewer.layers.selection.active is bench.image  # what was selected before
    assert set(np.unique(bench.plane(SEGMENTATION, 2))) <= {1, 2}
    assert not bench.plane(SEGMENTATION, 1).any()
    assert np.isnan(bench.plane(UNSURE, 1)).all()
    unsure = bench.layer(UNSURE)
    assert unsure.contrast_limits == pytest.approx([0, math.log(2)])
    colours = unsure.colormap.map(np.array([0.0, 0.5, 1.0, np.nan]))
    assert (unsure.opacity, unsure.blending[:11]) == (1, "translucent")  # drawn as in the bar beside it
    assert colours[:, 3].tolist() == [1, 1, 1, 0]
    bench.tab.form.views[SEGMENTATION].click()
    assert [layer.visible for layer in ours] == [True, False, False]


def test_slices_come_one_by_one_and_the_threshold_takes_their_probabilities(
    bench: Bench, qtbot: QtBot
) -> None:
    bench.segment(qtbot, "1")
    bench.ask(LIKELY, qtbot)
    first = bench.plane(LIKELY, 1)
    bench.ask(UNSURE, qtbot)
    bench.viewer.layers.remove(bench.layer(UNSURE))
    bench.segment(qtbot, "2-3")
    qtbot.waitUntil(lambda: bench.layer(UNSURE) is not None)  # it comes back
    assert bench.tab.shown.segmentation.done.tolist() == [False, True, True, True]
    assert np.array_equal(bench.plane(LIKELY, 1), first)
    assert "3 slices are segmented" in bench.tab.message.text()
    bench.show_slice(3)
    bench.tab.form.views[LIKELY].click()
    seen = bench.layer(LIKELY)._slice.image.raw  # what napari draws
    assert np.array_equal(seen, bench.plane(LIKELY, 3))
    likely = bench.plane(LIKELY, 3)
    for percent in (0, 30, 100):
        bench.tab.form.threshold.setValue(percent)
        expected = np.where(likely >= percent / 100, 2, 1)
        qtbot.waitUntil(lambda expected=expected: np.array_equal(bench.plane(SEGMENTATION, 3), expected))
        assert bench.tab.job.state is JobState.DONE  # no network
    assert not bench.layer(SEGMENTATION).editable


def test_three_classes_have_no_threshold(bench: Bench, three_classes: Path, qtbot: QtBot) -> None:
    bench.state.set_model(three_classes)
    assert bench.tab.form.model_box.path == three_classes
    qtbot.waitUntil(lambda: "“pores”, “active”, “wire”" in bench.tab.form.facts.text(), timeout=TIMEOUT)
    bench.segment(qtbot)
    assert not bench.tab.form.threshold.isVisibleTo(bench.tab)
    bench.ask(UNSURE, qtbot)
    assert bench.layer(UNSURE).contrast_limits == pytest.approx([0, math.log(3)])
    bench.ask(LIKELY, qtbot)
    box = bench.tab.form.likely_box
    assert box.isVisibleTo(bench.tab)
    each = []
    for row, name in enumerate(("pores", "active", "wire")):
        box.setCurrentIndex(row)
        box.activated.emit(row)
        assert bench.layer(LIKELY).name == f"probability of {name}"
        each.append(bench.plane(LIKELY, 0))
    each = np.stack(each)
    assert np.array_equal(bench.plane(SEGMENTATION, 0), np.array([1, 2, 7])[each.argmax(0)])
    bench.state.set_model(None)
    bench.tab.form.views[SEGMENTATION].click()
    bench.segment(qtbot)  # two classes: their layers take the place of the three
    assert "probability of wire" not in bench.viewer.layers
    assert bench.tab.form.threshold.isVisibleTo(bench.tab)


def test_a_time_step_and_a_single_image(viewer: Viewer, qtbot: QtBot) -> None:
    series = viewer.add_image(np.stack([pixels(2)] * 3), name="series")
    viewer.dims.set_point(0, 1)
    bench = Bench(viewer, series)
    bench.segment(qtbot)
    assert bench.layer(SEGMENTATION).data.shape == (1, 2, 64, 64)
    assert bench.layer(SEGMENTATION).translate[0] == 1
    bench.tab.close_down()
    image = viewer.add_image(pixels(1)[0], name="image")
    single = Bench(viewer, image)
    single.segment(qtbot)
    assert single.tab.message.text().startswith("The image is segmented: mean uncertainty 0.")
    assert single.layer(SEGMENTATION).data.shape == (64, 64)
    assert not single.tab.plot.isVisibleTo(single.tab)  # a curve of one slice says nothing
    single.tab.close_down()


def test_phase_fractions_with_their_spread_come_first(bench: Bench, qtbot: QtBot) -> None:
    bench.segment(qtbot, "0-1")
    table = bench.tab.fractions
    qtbot.waitUntil(lambda: table.rowCount() == 2 and table.columnCount() == 2)
    assert table.isVisibleTo(bench.tab)
    titles = [table.verticalHeaderItem(row).text().replace("\n", " ") for row in range(2)]
    assert titles == list(CLASSES.names)
    found = bench.plane(SEGMENTATION, 0)
    likely = np.asarray(bench.tab.shown.segmentation.probabilities[1, 0], np.float32)
    share, least, largest = (100 * np.mean(part) for part in (found == 2, likely >= 0.75, likely >= 0.25))
    assert table.item(1, 0).text() == f"{share:.1f} % ({least:.1f}–{largest:.1f})"
    layout = bench.tab.layout()
    assert layout.indexOf(table) < layout.indexOf(bench.tab.plot)


def test_segmenting_another_image_hides_what_belongs_to_the_first(bench: Bench, qtbot: QtBot) -> None:
    bench.segment(qtbot)
    first = bench.layer(SEGMENTATION)
    assert first.visible
    other = bench.viewer.add_image(pixels(2), name="other")
    bench.image = other
    bench.show_slice(0)
    bench.segment(qtbot)
    assert not first.visible
    assert bench.layer(SEGMENTATION).visible
    assert first in bench.viewer.layers


# -- with a truth --------------------------------------------------------------------------------------


def save(tab: SegmentPredictTab, path: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(tab.save.job.ended, timeout=TIMEOUT):
        tab.save.save_csv(str(path))


def test_the_truth_gives_the_iou_map_and_the_tables(bench: Bench, tmp_path: Path, qtbot: QtBot) -> None:
    tab, truth = bench.tab, truth_of(bench.image)
    truth[:, :8] = 0  # not labelled
    labels = bench.viewer.add_labels(truth.copy(), name="truth", scale=bench.image.scale, units=("um",) * 3)
    labels.translate = bench.image.translate
    bench.segment(qtbot, "0-1")
    assert not tab.form.views[IOU].isEnabled()
    bench.state.set_labels(labels)
    qtbot.waitUntil(lambda: len(tab.judge.slices) == 2, timeout=TIMEOUT)
    assert bench.layer(IOU) is None  # until it is asked for
    bench.ask(IOU, qtbot)
    assert bench.layer(IOU).visible
    found = bench.plane(SEGMENTATION, 0)
    assert np.array_equal(bench.plane(IOU, 0), iou_map(found, truth[0], 2))
    for code, colour in IOU_COLOURS.items():
        drawn = bench.layer(IOU).colormap.map(np.array([code], np.uint8))[0]
        assert drawn[:3] == pytest.approx([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)], abs=0.01)
    assert bench.layer(IOU).colormap.map(np.array([0], np.uint8))[0][3] == 0
    tab.agreement.class_box.setCurrentIndex(0)
    tab.agreement.class_box.activated.emit(0)
    assert np.array_equal(bench.plane(IOU, 0), iou_map(found, truth[0], 1))
    expected = agreement_table(found, truth[0], CLASSES)
    table = tab.agreement.table
    qtbot.waitUntil(
        lambda: table.item(0, 0) is not None and table.item(0, 0).text() == f"{expected.iat[0, 0]:.3f}"
    )
    assert [table.item(2, column).text() for column in range(4)] == [
        f"{value:.3f}" for value in expected.loc["mean"].iloc[:4]
    ]
    said = "over 3,584 labelled pixels of 'truth' in slice 0"
    qtbot.waitUntil(lambda: said in tab.agreement.message.text(), timeout=TIMEOUT)
    tab.agreement.slices_box.setCurrentIndex(1)
    both = "over 7,168 labelled pixels of 'truth' in 2 slices"
    qtbot.waitUntil(lambda: both in tab.agreement.message.text())  # the other slice is judged meanwhile
    assert set(tab.plot.curves.values[F1]) == {0, 1}
    save(tab, tmp_path / "slices.csv", qtbot)
    saved = pd.read_csv(tmp_path / "slices.csv")
    assert saved["slice"].tolist() == [0, 1]
    assert saved["mean f1"][0] == pytest.approx(expected.at["mean", "f1"])
    assert saved["active material taken for active material"][0] == np.sum((found == 2) & (truth[0] == 2))
    assert json.loads((tmp_path / "slices.csv.json").read_text())["truth"] == "truth"
    save(tab, tmp_path / "nowhere" / "slices.csv", qtbot)
    assert "choose another place" in tab.message.text()
    # The opposite is painted over all of it.
    labels.data[0] = np.where(found == 1, 2, 1)
    bench.state.labels_edited.emit()
    qtbot.waitUntil(lambda: tab.plot.curves.values.get(F1, {}).get(0) == 0, timeout=TIMEOUT)
    bench.state.set_labels(None)
    qtbot.waitUntil(lambda: bench.layer(IOU) is None)
    assert not tab.agreement.isVisibleTo(tab)


def test_a_warning_stands_beside_what_the_model_was_trained_on(
    bench: Bench, trained_on: Callable[[Iterable[np.ndarray]], Path], qtbot: QtBot
) -> None:
    bench.state.set_model(trained_on(bench.image.data[1:2]))
    place = {"scale": bench.image.scale, "units": ("um",) * 3, "translate": bench.image.translate}
    bench.state.set_labels(bench.viewer.add_labels(truth_of(bench.image), name="truth", **place))
    bench.segment(qtbot, "0-1")
    agreement = bench.tab.agreement
    qtbot.waitUntil(lambda: len(bench.tab.judge.slices) == 2, timeout=TIMEOUT)
    qtbot.waitUntil(lambda: "in slice 0" in agreement.message.text(), timeout=TIMEOUT)
    assert not agreement.caution.isVisibleTo(bench.tab)
    agreement.slices_box.setCurrentIndex(1)
    assert "trained on 1 of these 2 slices (1)" in agreement.caution.text()
    bench.show_slice(1)
    agreement.slices_box.setCurrentIndex(0)
    qtbot.waitUntil(lambda: "in slice 1" in agreement.message.text(), timeout=TIMEOUT)
    assert agreement.caution.text().startswith("⚠ The model was trained on slice 1:")
    assert agreement.caution.isVisibleTo(bench.tab)


# -- curves --------------------------------------------------------------------------------------------


def test_curves_of_uncertainty_and_quality_lead_to_their_slices(
    bench: Bench, tmp_path: Path, qtbot: QtBot
) -> None:
    rows = [ScoredSlice(index, 2.0 * index, score) for index, score in enumerate([4.5, 3.0, 2.0, 1.5])]
    run = ScoreRun("cell, axis z", "z", "µm", 2.0, 0, {}, 4, rows, ended="done")
    save_runs(bench.image.metadata, [run])
    bench.segment(qtbot, "0-3")
    plot = bench.tab.plot
    qtbot.waitUntil(lambda: len(plot.curves.values.get(UNCERTAINTY, {})) == 4, timeout=TIMEOUT)
    assert plot.curves.values[SCORE] == {0: 4.5, 1: 3.0, 2: 2.0, 3: 1.5}
    assert "slice 0: uncertainty 0." in plot.readout.text()
    assert plot.readout.text().endswith("score 4.50")
    view = plot._panels[SCORE].getViewBox()
    place = plot.graphics.mapFromScene(view.mapViewToScene(QPointF(2.1, view.viewRange()[1][0] + 0.1)))
    qtbot.mouseClick(plot.graphics.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: bench.viewer.dims.current_step[0] == 2)
    bench.tab.save.save_png(str(tmp_path / "curves.png"))
    picture = imread(tmp_path / "curves.png")
    assert picture.shape[1] == 4 * plot.graphics.width()
    assert picture[0, 0].min() == 255  # on white


# -- what goes wrong -----------------------------------------------------------------------------------


def test_a_cancelled_run_keeps_its_slices_and_is_gone_on_with(viewer: Viewer, qtbot: QtBot) -> None:
    image = viewer.add_image(pixels(60, 160), name="long")
    bench = Bench(viewer, image)
    tab = bench.tab
    tab.form.slices.choose()
    tab.form.run_row.start_button.click()
    qtbot.waitUntil(lambda: bench.layer(SEGMENTATION) is not None, timeout=TIMEOUT)
    with qtbot.waitSignal(tab.job.ended, timeout=TIMEOUT):
        tab.form.run_row.cancel_button.click()
    done = int(tab.shown.segmentation.done.sum())
    assert 0 < done < 60
    assert tab.message.text() == f"Cancelled; {done} slices are segmented, and Segment resumes from there."
    assert bench.plane(SEGMENTATION, 0).all()
    tab.form.run_row.start_button.click()
    qtbot.waitUntil(lambda: tab.form.run_row.bar.value() > 0 or not tab.job.state.busy, timeout=TIMEOUT)
    with qtbot.waitSignal(tab.job.ended, timeout=TIMEOUT):
        viewer.layers.remove(image)
    assert tab.message.text() == "⚠ 'long' was removed, so segmenting was stopped."
    tab.close_down()


def test_what_does_not_fit_is_told_in_a_sentence(bench: Bench, tmp_path: Path, qtbot: QtBot) -> None:
    tab, viewer = bench.tab, bench.viewer
    bench.segment(qtbot)
    place = {"scale": bench.image.scale, "translate": bench.image.translate, "units": ("um",) * 3}
    smaller = viewer.add_labels(np.ones((4, 64, 32), np.uint8), name="smaller", **place)
    bench.state.set_labels(smaller)
    assert "choose the labels of this image" in tab.agreement.message.text()
    strange = viewer.add_labels(np.full((4, 64, 64), 5), name="strange", **place)
    bench.state.set_labels(strange)
    qtbot.waitUntil(
        lambda: "5, which is not one of the classes 1, 2" in tab.agreement.message.text(), timeout=TIMEOUT
    )
    assert not tab.form.views[IOU].isEnabled()
    qtbot.waitUntil(lambda: bench.layer(IOU) is None)
    bench.state.set_labels(bench.layer(SEGMENTATION))
    assert "is a result itself" in tab.agreement.message.text()
    strange.data = truth_of(bench.image)  # put right
    bench.state.set_labels(strange)
    qtbot.waitUntil(lambda: len(tab.judge.slices) == 1, timeout=TIMEOUT)
    tab.form.slices.choose("2-9")
    tab.form.run_row.start_button.click()
    assert "There is no slice 9: choose from 0 to 3" in tab.message.text()
    tab.form.slices.choose()
    for model, sentence in ((tmp_path / "no.tiqa", "There is no model"), (DEFAULT_MODEL, "another purpose")):
        bench.state.set_model(model)
        qtbot.waitUntil(lambda sentence=sentence: sentence in tab.form.facts.text(), timeout=TIMEOUT)
        with qtbot.waitSignal(tab.job.ended, timeout=TIMEOUT):
            tab.form.run_row.start_button.click()
        assert sentence in tab.message.text()
    bench.state.set_source(None)
    assert not tab.form.run_row.start_button.isEnabled()
