"""The steps of the filter dock without a viewer: cards, sliders, order, files."""

import json
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication

from napari_tiqa.filtering.catalogue import FILTERS
from napari_tiqa.filtering.parameter import Parameter, Value
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.widgets.filtering.parameter import (
    ChoiceEditor,
    NumberEditor,
    ParameterEditor,
    TickEditor,
    parameter_editor,
)
from napari_tiqa.widgets.filtering.state import FilterState
from napari_tiqa.widgets.filtering.steps import FilterSteps


@pytest.fixture
def state(qtbot: QtBot) -> FilterState:
    return FilterState()


@pytest.fixture
def steps(state: FilterState, qtbot: QtBot) -> FilterSteps:
    widget = FilterSteps(state)
    qtbot.addWidget(widget)
    return widget


def editor_of(qtbot: QtBot, parameter: Parameter) -> tuple[ParameterEditor, list[Value]]:
    """Return the editor of a parameter and what it tells."""
    editor = parameter_editor(parameter)
    qtbot.addWidget(editor)
    told: list[Value] = []
    editor.changed.connect(told.append)
    return editor, told


def names(state: FilterState) -> list[str]:
    return [step.filter for step in state.pipeline.steps]


# -- one parameter ---------------------------------------------------------------------------------


def test_equal_steps_of_a_logarithmic_slider_multiply_its_value(qtbot: QtBot) -> None:
    editor, told = editor_of(qtbot, Parameter("Sigma", 1.0, 0.1, 10, "px", logarithmic=True))
    assert isinstance(editor, NumberEditor)
    top = editor.slider.maximum()
    for place in (top // 4, top // 2, 3 * top // 4):
        editor.slider.setValue(place)
    assert told == pytest.approx([10**-0.5, 1, 10**0.5], rel=0.02)
    assert editor.number.value() == told[-1]


def test_a_typed_number_moves_the_slider_and_stays_in_range(qtbot: QtBot) -> None:
    editor, told = editor_of(qtbot, Parameter("Strength", 50.0, 0, 100, "% of the window"))
    assert isinstance(editor, NumberEditor)
    editor.number.setValue(25)
    assert editor.slider.value() == editor.slider.maximum() // 4
    editor.number.setValue(1000)
    assert told == [25, 100]
    assert editor.number.suffix() == " %"


def test_whole_numbers_stay_whole(qtbot: QtBot) -> None:
    editor, told = editor_of(qtbot, Parameter("Radius", 1, 1, 9, "px"))
    assert isinstance(editor, NumberEditor)
    editor.slider.setValue(editor.slider.maximum() - 1)
    assert told == [8]
    assert type(told[0]) is int


def test_a_value_set_elsewhere_is_shown_and_not_told_back(qtbot: QtBot) -> None:
    parameter = Parameter("Sigma", 1.0, 0.1, 10, "px", logarithmic=True)
    editor, told = editor_of(qtbot, parameter)
    assert isinstance(editor, NumberEditor)
    editor.show_value(3.14159)
    assert editor.number.value() == pytest.approx(3.14, abs=0.01)
    assert told == []


def test_a_number_that_the_filter_can_find_is_automatic_or_typed(qtbot: QtBot) -> None:
    editor, told = editor_of(qtbot, Parameter("Centre, down", None, -100, 100, "px"))
    assert isinstance(editor, NumberEditor)
    editor.show_value(None)
    assert editor.auto.isChecked()
    assert not editor.number.isEnabled()
    editor.show_number(4.5)  # what was found
    editor.auto.setChecked(False)
    editor.auto.setChecked(True)
    assert told == [4.5, None]


def test_choices_and_ticks(qtbot: QtBot) -> None:
    choice, chosen = editor_of(qtbot, Parameter("Scan", "full", choices=("full", "half")))
    tick, ticked = editor_of(qtbot, Parameter("Clip", True))
    assert isinstance(choice, ChoiceEditor)
    assert isinstance(tick, TickEditor)
    choice.show_value("full")
    choice.box.setCurrentText("half")
    tick.show_value(True)
    tick.box.setChecked(False)
    assert (chosen, ticked) == (["half"], [False])


def test_the_wheel_scrolls_the_dock_not_a_slider_under_the_mouse(qtbot: QtBot) -> None:
    editor, told = editor_of(qtbot, Parameter("Strength", 50.0, 0, 100))
    assert isinstance(editor, NumberEditor)
    editor.show()
    editor.slider.clearFocus()
    middle = QPointF(editor.slider.rect().center())
    wheel = QWheelEvent(
        middle,
        editor.slider.mapToGlobal(middle),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(editor.slider, wheel)
    assert told == []


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_has_a_card_that_shows_its_defaults(
    name: str, steps: FilterSteps, state: FilterState
) -> None:
    steps.add(name)
    before = state.pipeline
    (card,) = steps.cards
    for parameter, editor in card.editors.items():
        if isinstance(editor, NumberEditor) and isinstance(default := editor.parameter.default, (int, float)):
            assert editor.number.value() == pytest.approx(default, rel=0.01), parameter
            editor.slider.setValue(editor.slider.maximum())
            editor.slider.setValue(0)
    card.defaults.click()
    assert state.pipeline == before


# -- the steps -------------------------------------------------------------------------------------


def test_the_menu_offers_every_filter_under_its_group(steps: FilterSteps) -> None:
    offered = [action.data() for action in steps.menu.actions() if action.data()]
    assert sorted(offered) == sorted(FILTERS)
    steps.menu.actions()[1].trigger()
    assert len(steps.cards) == 1


def test_a_slider_sets_its_parameter_and_stays_the_same_widget(
    steps: FilterSteps, state: FilterState
) -> None:
    steps.add("gaussian")
    (card,) = steps.cards
    editor = card.editors["sigma"]
    assert isinstance(editor, NumberEditor)
    editor.slider.setValue(editor.slider.maximum())
    assert state.pipeline == Pipeline([Step("gaussian", {"sigma": 20})])
    assert steps.cards == [card]


def test_steps_are_moved_switched_and_removed(steps: FilterSteps, state: FilterState) -> None:
    for name in ("gaussian", "median", "bilateral"):
        steps.add(name)
    steps.cards[2].up.click()
    steps.cards[0].down.click()
    assert names(state) == ["bilateral", "gaussian", "median"]
    assert not steps.cards[0].up.isEnabled()
    assert not steps.cards[2].down.isEnabled()
    steps.cards[1].switch.click()
    assert [step.on for step in state.pipeline.steps] == [True, False, True]
    steps.cards[0].remove.click()
    assert names(state) == ["gaussian", "median"]


def test_the_cards_follow_a_pipeline_set_by_another_tab(steps: FilterSteps, state: FilterState) -> None:
    steps.add("gaussian")
    state.set_pipeline(Pipeline([Step("gaussian", {"sigma": 3.0}, on=False), Step("median")]))
    editor = steps.cards[0].editors["sigma"]
    assert isinstance(editor, NumberEditor)
    assert editor.number.value() == 3
    assert not steps.cards[0].switch.isChecked()
    assert [card.filter for card in steps.cards] == ["gaussian", "median"]


def test_changes_are_undone_and_redone_a_move_of_a_slider_at_a_time(
    steps: FilterSteps, state: FilterState
) -> None:
    assert not steps.undo_button.isEnabled()
    steps.add("gaussian")
    steps.add("median")
    added = state.pipeline
    editor = steps.cards[0].editors["sigma"]
    assert isinstance(editor, NumberEditor)
    for place in (100, 200, 300):
        editor.slider.setValue(place)  # dragged
    moved = state.pipeline
    steps.cards[1].switch.click()
    steps.undo_button.click()
    assert state.pipeline == moved
    steps.undo_button.click()
    assert state.pipeline == added
    assert editor.number.value() == 1.0
    steps.redo_button.click()
    assert state.pipeline == moved
    steps.cards[1].remove.click()
    assert not steps.redo_button.isEnabled()
    for _ in range(4):
        steps.undo_button.click()
    assert state.pipeline == Pipeline()
    assert not steps.undo_button.isEnabled()
    for _ in range(4):
        steps.redo_button.click()
    assert names(state) == ["gaussian"]


def test_moves_of_a_slider_with_a_rest_between_them_are_undone_one_by_one(
    state: FilterState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_tiqa.widgets.filtering.state._ONE_MOVE", 0.0)
    values = [state.pipeline.steps]
    for sigma in (1.0, 2.0, 3.0):
        state.set_pipeline(Pipeline([Step("gaussian", {"sigma": sigma})]))
        values.append(state.pipeline.steps)
    seen = []
    while state.can_undo:
        state.undo()
        seen.append(state.pipeline.steps)
    assert seen == values[-2::-1]


def test_a_pipeline_is_saved_and_loaded(steps: FilterSteps, state: FilterState, tmp_path: Path) -> None:
    steps.add("gaussian")
    steps.add("median")
    saved = state.pipeline
    steps.save(str(tmp_path / "p.json"))
    state.set_pipeline(Pipeline())
    steps.load(str(tmp_path / "p.json"))
    assert state.pipeline == saved


def test_a_file_that_is_no_pipeline_is_refused_and_the_steps_stay(
    steps: FilterSteps, state: FilterState, tmp_path: Path
) -> None:
    steps.add("gaussian")
    before = state.pipeline
    problems: list[str] = []
    steps.problem.connect(problems.append)
    unknown = {"format": "napari-tiqa pipeline", "format_version": 1}
    (tmp_path / "p.json").write_text(
        json.dumps({**unknown, "steps": [{"filter": "sharpen_all", "parameters": {}}]})
    )
    steps.load(str(tmp_path / "p.json"))
    steps.load(str(tmp_path / "missing.json"))
    assert "There is no filter 'sharpen_all'" in problems[0]
    assert "cannot be read" in problems[1]
    assert state.pipeline == before
