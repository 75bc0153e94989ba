"""The Tune tab in a real viewer with a real model process: vary, follow, cancel, try, save, fail well."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPointF, Qt
from qtpy.QtWidgets import QFileDialog

from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.jobs.filtering.trial import Trial
from napari_tiqa.jobs.filtering.tune import TuneProgress
from napari_tiqa.jobs.filtering.variables import Variable, with_values
from napari_tiqa.widgets.filtering.state import FilterState
from napari_tiqa.widgets.filtering.tune.axis import VariableAxis
from napari_tiqa.widgets.filtering.tune.tab import FilterTuneTab
from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.read_layer import read_layer
from napari_tiqa.widgets.shared.slice_source import SliceSource

TIMEOUT = 200_000  # ms, for a model process that has to import Keras on a busy machine
SIGMA = "gaussian.sigma"
GAUSSIAN = Pipeline([Step("gaussian", {"sigma": 3})])
BILATERAL = Pipeline([Step("bilateral"), Step("gaussian")])


def noisy_blocks(slices: int = 7, side: int = 64) -> np.ndarray:
    """Return squares with noise, float32."""
    rng = np.random.default_rng(0)
    blocks = np.kron(rng.random((slices, side // 8, side // 8)), np.ones((1, 8, 8)))
    return (blocks + rng.normal(0, 0.15, blocks.shape)).astype("f4")


@pytest.fixture
def state(viewer: Viewer, untrained_model: Path) -> FilterState:
    """Return what the dock shares: slice 3 of a small noisy volume."""
    layer = viewer.add_image(noisy_blocks(), name="blocks")
    state = FilterState()
    state.set_model(untrained_model)
    state.set_source(SliceSource(layer, layer.name, read_layer(layer), axis=0, index=3))
    return state


@pytest.fixture
def tab(viewer: Viewer, state: FilterState, qtbot: QtBot) -> FilterTuneTab:
    tab = FilterTuneTab(state, viewer)
    viewer.window.add_dock_widget(tab, name="Tune")
    return tab


@pytest.fixture
def tune(tab: FilterTuneTab, qtbot: QtBot) -> Callable[[], None]:
    def to_the_end() -> None:
        with qtbot.waitSignal(tab.job.ended, timeout=TIMEOUT):
            assert tab.start(), tab.message.text()

    return to_the_end


def trial(pipeline: Pipeline, values: tuple[float, ...], score: float, loss: float = 5) -> Trial:
    """Return a setting as `tune` would report it."""
    return Trial(values, pipeline, (score,), (score,), (loss,), (0.01,))


# -- choosing --------------------------------------------------------------------------------------


def test_an_empty_pipeline_offers_where_to_start(tab: FilterTuneTab, state: FilterState) -> None:
    assert not tab.form.run_row.start_button.isEnabled()
    assert tab.form.start.isVisibleTo(tab)
    offered = [tab.form.start.box.itemData(place) for place in range(tab.form.start.box.count())]
    assert {"gaussian", "median", "bilateral"} <= set(offered)
    assert "gamma" not in offered
    tab.form.start.box.setCurrentIndex(offered.index("gaussian"))
    tab.form.start.button.click()
    assert [step.filter for step in state.pipeline.steps] == ["gaussian"]
    assert not tab.form.start.isVisibleTo(tab)
    assert tab.form.variables.ticked() == (Variable(0, "sigma", 0.1, 20),)
    assert tab.form.run_row.start_button.isEnabled()


def test_ranges_stay_when_a_value_changes_and_are_new_for_other_filters(
    tab: FilterTuneTab, state: FilterState
) -> None:
    state.set_pipeline(GAUSSIAN)
    tab.form.variables.row(SIGMA).set_range(0.5, 2)
    state.set_pipeline(GAUSSIAN.with_parameter(0, "sigma", 1))
    assert tab.form.variables.ticked() == (Variable(0, "sigma", 0.5, 2),)
    state.set_pipeline(Pipeline([Step("median"), *GAUSSIAN.steps]))
    assert [row.name for row in tab.form.variables.rows] == ["median.radius", SIGMA]
    assert tab.form.variables.row(SIGMA).variable == Variable(1, "sigma", 0.1, 20)


@pytest.mark.parametrize(("filter", "main"), [("ring_removal", "ring_width"), ("bilateral", "contrast")])
def test_the_parameter_that_matters_is_ticked_at_first(
    tab: FilterTuneTab, state: FilterState, filter: str, main: str
) -> None:
    state.set_pipeline(Pipeline([Step(filter), *GAUSSIAN.steps]))
    assert [variable.parameter for variable in tab.form.variables.ticked()] == [main]


def test_varying_a_step_that_is_off_switches_it_on(tab: FilterTuneTab, state: FilterState) -> None:
    state.set_pipeline(Pipeline([Step("gaussian", on=False), Step("median", on=False)]))
    assert [step.on for step in tab.form.request(state).args[1].steps] == [True, False]


def test_slices_are_this_one_a_few_or_typed_ones(tab: FilterTuneTab, state: FilterState) -> None:
    state.set_pipeline(GAUSSIAN)
    assert tab.form.request(state).keywords["slices"] == [3]
    assert tab.form.slices.box.itemText(0) == "this one, slice 3"
    tab.form.slices.choose()
    assert tab.form.request(state).keywords["slices"] is None
    tab.form.slices.choose("5, 0-2")
    assert tab.form.request(state).keywords["slices"] == [0, 1, 2, 5]


def test_what_cannot_be_tuned_is_said(tab: FilterTuneTab, state: FilterState) -> None:
    state.set_pipeline(GAUSSIAN)
    tab.form.variables.row(SIGMA).set_range(5, 2)
    assert not tab.start()
    assert "The range of gaussian.sigma is 5 to 2: give the lower end first." in tab.message.text()
    tab.form.variables.row(SIGMA).tick.setChecked(False)
    assert not tab.start()
    assert "Nothing is ticked" in tab.message.text()
    state.set_source(None)
    tab.form.variables.row(SIGMA).tick.setChecked(True)
    assert not tab.start()
    assert "There is no image layer to tune on" in tab.message.text()


# -- tuning ----------------------------------------------------------------------------------------


def test_a_sweep_draws_the_curve_and_applies_the_best(
    tab: FilterTuneTab, state: FilterState, tune: Callable[[], None]
) -> None:
    state.set_pipeline(GAUSSIAN)
    tab.form.variables.row(SIGMA).set_range(0.3, 5)
    tab.form.trials_box.setValue(6)
    tab.form.slices.choose("1-5")
    bars = []
    tab.job.progressed.connect(
        lambda _: bars.append((tab.form.run_row.bar.value(), tab.form.run_row.bar.maximum()))
    )
    tune()
    assert tab.job.state is JobState.DONE, tab.message.text()
    tuning = tab.tuning
    assert tuning is not None
    assert tuning.slices == (1, 2, 3, 4, 5)
    assert tab.message.text() == tuning.sentence()
    assert bars[-1] == (7, 7)  # six settings and the slices unfiltered
    curves = tab.plot.curve.curves
    x, y = curves["objective"].curve.getData()
    np.testing.assert_allclose(10**x, sorted(one.values[0] for one in tuning.trials), rtol=1e-6)
    assert max(y) == tuning.leader.objective
    assert curves["objective"].unfiltered.value() == tuning.nothing.objective
    assert sorted(curves["score"].curve.getData()[1]) == sorted(one.score for one in tuning.trials)
    assert tuning.best is not tuning.nothing
    assert state.pipeline == tuning.best.pipeline
    state.undo()  # all that the tuning has set, in one go
    assert state.pipeline == GAUSSIAN
    state.redo()
    tab.before_button.click()
    assert state.pipeline == GAUSSIAN
    tab.best_button.click()
    assert state.pipeline != GAUSSIAN
    assert "keras" not in sys.modules


def test_a_filter_that_is_not_better_than_none_is_switched_off(
    tab: FilterTuneTab, state: FilterState, tune: Callable[[], None]
) -> None:
    state.set_pipeline(GAUSSIAN)
    tab.form.variables.row(SIGMA).set_range(0.1, 0.12)  # changes nothing
    tab.form.trials_box.setValue(4)
    tune()
    assert tab.message.text().startswith("Nothing beats leaving the slices unfiltered")
    assert state.pipeline.steps == (Step("gaussian", {"sigma": 3}, on=False),)
    assert tab.form.variables.ticked()[0].high == 0.12  # to be tried again with another range


def test_the_best_so_far_is_applied_as_it_is_found(
    tab: FilterTuneTab, state: FilterState, qtbot: QtBot
) -> None:
    state.set_pipeline(GAUSSIAN)
    tab.form.variables.row(SIGMA).set_range(0.4, 0.9)
    tab.form.trials_box.setValue(200)
    shown = []

    def look(news: TuneProgress) -> None:
        if news.best.values:  # better than the slices unfiltered
            shown.append((state.pipeline, news.best.pipeline))
        if news.done == 6:
            tab.form.run_row.cancel_button.click()

    tab.job.progressed.connect(look)
    with qtbot.waitSignal(tab.job.ended, timeout=TIMEOUT):
        tab.start()
        assert not tab.form.run_row.start_button.isEnabled()
    assert tab.job.state is JobState.DONE
    assert tab.message.text().startswith("Stopped after ")
    assert tab.tuning is not None
    assert not tab.tuning.complete
    assert shown
    assert all(pipeline == best for pipeline, best in shown)
    assert tab.form.run_row.start_button.isEnabled()


def test_a_pipeline_changed_meanwhile_is_left_alone(
    tab: FilterTuneTab, state: FilterState, qtbot: QtBot
) -> None:
    state.set_pipeline(GAUSSIAN)
    tab.form.trials_box.setValue(8)
    mine = Pipeline([Step("median")])
    tab.job.progressed.connect(lambda news: state.set_pipeline(mine) if news.done == 2 else None)
    with qtbot.waitSignal(tab.job.ended, timeout=TIMEOUT):
        tab.start()
    assert tab.job.state is JobState.DONE, tab.message.text()
    assert state.pipeline == mine
    tab.best_button.click()
    assert state.pipeline.steps[0].filter == "gaussian"


def test_a_tuning_ends_with_its_layer_and_nothing_is_applied_to_another(
    viewer: Viewer, tab: FilterTuneTab, state: FilterState, qtbot: QtBot
) -> None:
    other = viewer.add_image(noisy_blocks(), name="other")
    state.set_pipeline(GAUSSIAN)
    tab.form.variables.row(SIGMA).set_range(0.4, 0.9)
    tab.form.trials_box.setValue(500)
    applied = []

    def remove(news: TuneProgress) -> None:
        if news.done == 6:
            applied.append(state.pipeline)
            viewer.layers.remove(viewer.layers["blocks"])
            state.set_source(SliceSource(other, other.name, read_layer(other), axis=0, index=3))

    tab.job.progressed.connect(remove)
    with qtbot.waitSignal(tab.job.ended, timeout=TIMEOUT):
        tab.start()
    assert applied[0] != GAUSSIAN  # the best so far, which is of the layer that is gone
    assert tab.message.text() == "⚠ 'blocks' was removed, so the tuning was stopped."
    assert tab.tuning is None
    assert state.pipeline == GAUSSIAN


def test_the_best_of_a_layer_is_not_applied_while_another_is_shown(
    viewer: Viewer, tab: FilterTuneTab, state: FilterState, qtbot: QtBot
) -> None:
    other = viewer.add_image(noisy_blocks(), name="other")
    state.set_pipeline(GAUSSIAN)
    tab.form.trials_box.setValue(6)
    seen = []

    def turn_away(news: TuneProgress) -> None:
        if news.done == 1:
            state.set_source(SliceSource(other, other.name, read_layer(other), axis=0, index=3))
        seen.append(state.pipeline)

    tab.job.progressed.connect(turn_away)
    with qtbot.waitSignal(tab.job.ended, timeout=TIMEOUT):
        tab.start()
    assert tab.tuning is not None
    assert tab.tuning.best.pipeline != GAUSSIAN
    assert {pipeline == GAUSSIAN for pipeline in [*seen, state.pipeline]} == {True}
    assert tab.message.text().startswith("Of 'blocks', not applied here: Best is Sigma")


def test_closing_the_dock_ends_a_tuning(tab: FilterTuneTab, state: FilterState, qtbot: QtBot) -> None:
    state.set_pipeline(GAUSSIAN)
    tab.form.trials_box.setValue(2000)
    with qtbot.waitSignal(tab.job.ended, timeout=TIMEOUT):
        tab.start()
        tab.close_down()


# -- looking ---------------------------------------------------------------------------------------


def test_two_parameters_give_a_map_and_three_a_search(tab: FilterTuneTab, state: FilterState) -> None:
    state.set_pipeline(BILATERAL)
    everything = tuple(row.variable for row in tab.form.variables.rows)
    assert len(everything) == 3
    for number, plot in ((1, tab.plot.curve), (2, tab.plot.map), (3, tab.plot.search)):
        varied = everything[:number]
        tab.plot.begin(BILATERAL, varied, "score")
        assert plot.isVisibleTo(tab)
        nothing = trial(Pipeline(), (), 2.5)
        tab.plot.add(TuneProgress(1, 5, None, nothing, nothing))
        best = nothing
        for done, score in enumerate((2.0, 4.0, 3.0), start=2):
            values = (done, 10 * done, 1.5 * done)[:number]
            one = trial(with_values(BILATERAL, varied, values), values, score)
            best = max(best, one, key=lambda each: each.score)
            tab.plot.add(TuneProgress(done, 5, None, one, best))
        tab.plot.shown.show_tried(tab.plot.tried)
        [star] = plot._best.points()
        assert (star.pos().x(), star.pos().y()) == plot.place(best)
    assert tab.plot.search.best_so_far.getData()[1].tolist() == [2, 4, 4]
    image = tab.plot.map.image.image
    assert image.min() == 2
    assert image.max() == 4


def test_a_setting_can_be_read_and_tried_by_a_click(
    tab: FilterTuneTab, state: FilterState, qtbot: QtBot
) -> None:
    tab.window().resize(900, 700)
    qtbot.waitExposed(tab.window())
    state.set_pipeline(GAUSSIAN)
    varied = (Variable(0, "sigma", 0.5, 8),)
    tab.plot.begin(GAUSSIAN, varied, "score")
    nothing = trial(Pipeline(), (), 2.5, 0)
    tab.plot.add(TuneProgress(1, 3, None, nothing, nothing))
    for value, score in ((1.0, 3.0), (4.0, 3.5)):
        one = trial(with_values(GAUSSIAN, varied, (value,)), (value,), score, loss=10 * value)
        tab.plot.add(TuneProgress(2, 3, None, one, one))
    qtbot.waitUntil(lambda: len(tab.plot.curve._best.points()) == 1)
    view = tab.plot.curve.main_plot.getViewBox()
    scene = tab.plot.curve.graphics.scene()
    above = view.mapViewToScene(QPointF(0.02, 3.3))  # 10 ** 0.02 px: beside the first one, above its dot
    scene.sigMouseMoved.emit(above)
    assert tab.plot.readout.text() == "Sigma 1 px: score 3.00, detail lost 10 %"
    canvas = tab.plot.curve.graphics
    qtbot.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=canvas.mapFromScene(above))
    assert state.pipeline == GAUSSIAN.with_parameter(0, "sigma", 1.0)
    scene.sigMouseMoved.emit(QPointF(-5, -5))
    assert "Point at a setting" in tab.plot.readout.text()


def test_axes_are_as_the_parameter_is() -> None:
    pipeline = Pipeline([Step("gaussian"), Step("bilateral")])
    sigma = VariableAxis(Variable(0, "sigma", 0.1, 10), pipeline)
    assert sigma.label == "Sigma of Gaussian (px)"
    assert [text for _, text in sigma.ticks] == ["0.1", "0.2", "0.5", "1", "2", "5", "10"]
    assert sigma.share(1.0) == pytest.approx(0.5)
    radius = VariableAxis(Variable(1, "radius", 1, 8), pipeline)
    assert [place for place, _ in radius.ticks] == [1, 2, 3, 4, 5, 6, 7, 8]
    narrow = VariableAxis(Variable(0, "sigma", 1.1, 1.4), pipeline)
    assert len(narrow.ticks) >= 2


# -- keeping ---------------------------------------------------------------------------------------


def test_settings_are_saved_and_what_cannot_be_written_is_said(
    tab: FilterTuneTab,
    state: FilterState,
    tune: Callable[[], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state.set_pipeline(GAUSSIAN)
    tab.form.trials_box.setValue(4)
    assert not tab.save_button.isEnabled()
    tune()
    assert "1 of 4 settings could not be tried: Gaussian (sigma 20 px)" in tab.message.text()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "tuning.csv"), ""))
    tab.save_button.click()
    table = pd.read_csv(tmp_path / "tuning.csv")
    assert len(table) == 5
    assert {"setting", SIGMA, "score", "detail_loss", "score_3"} <= set(table)
    tab.save(tmp_path / "no such folder" / "tuning.csv")
    assert "cannot be written" in tab.message.text()
