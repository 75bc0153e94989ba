"""The tab that builds a pipeline: add filters, set, order, switch and remove them, save and load them all."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QLabel, QMenu, QWidget

from napari_tiqa.errors import FilterError
from napari_tiqa.filtering.catalogue import FILTERS
from napari_tiqa.filtering.filter import GROUPS
from napari_tiqa.filtering.parameter import Value
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.widgets.filtering.card import StepCard, tool
from napari_tiqa.widgets.filtering.state import FilterState
from napari_tiqa.widgets.host.shortcuts import key_of
from napari_tiqa.widgets.shared.forms import TAB_MARGINS, ask_save_path, button, column, line

_KIND = "Filter pipeline (*.json)"
_HINT = "No filter yet. Add one: its effect on this slice and on the score is shown at once."


class FilterSteps(QWidget):
    """A card for each step, in the order in which they are applied."""

    find_centre_clicked = Signal(int)  # number of the step
    notified = Signal(str)
    problem = Signal(str)

    def __init__(self, state: FilterState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.cards: list[StepCard] = []
        self.add_button = button("Add filter", "Add a filter at the end.")
        self.menu = _filter_menu(self)
        self.menu.triggered.connect(lambda action: self.add(action.data()))
        self.add_button.setMenu(self.menu)
        self.load_button = button(
            "Load…", "Load a pipeline from a JSON file in place of this one.", self._ask_load
        )
        self.save_button = button(
            "Save…", "Save the pipeline as JSON, for Python, the shell and other tomograms.", self._ask_save
        )
        self.undo_button = tool("↶", f"Undo the last change ({key_of('undo')}).", state.undo)
        self.redo_button = tool("↷", f"Redo it ({key_of('redo')}).", state.redo)
        self._hint = QLabel(_HINT)
        self._hint.setWordWrap(True)
        self._cards = column()
        buttons = line(
            (self.add_button, 1), self.undo_button, self.redo_button, self.load_button, self.save_button
        )
        column(buttons, self._hint, self._cards, parent=self, margins=TAB_MARGINS)
        state.pipeline_changed.connect(self._show)
        self._show(state.pipeline)

    # -- what the user does ------------------------------------------------------------------------

    def add(self, name: str) -> None:
        """Add a filter with its defaults at the end."""
        self._state.set_pipeline(Pipeline([*self._state.pipeline.steps, Step(name)]))

    def load(self, path: str) -> None:
        """Use the pipeline of a file."""
        try:
            self._state.set_pipeline(Pipeline.load(path))
        except FilterError as error:
            self.problem.emit(str(error))
        else:
            self.notified.emit(f"Pipeline loaded from {path}.")

    def save(self, path: str) -> None:
        """Write the pipeline to a file; one of that name is replaced."""
        try:
            self._state.pipeline.save(path)
        except FilterError as error:
            self.problem.emit(str(error))
        else:
            self.notified.emit(f"Pipeline saved to {path}.")

    def show_found(self, settled: Pipeline) -> None:
        """Show what filters found by themselves, in the steps that were asked to find it."""
        steps = self._state.pipeline.steps
        if [step.filter for step in steps] != [step.filter for step in settled.steps]:
            return
        for card, step, found in zip(self.cards, steps, settled.steps, strict=True):
            card.show_found({n: found.parameters[n] for n, value in step.parameters.items() if value is None})

    def _set_parameter(self, card: StepCard, name: str, value: Value) -> None:
        self._state.set_pipeline(self._state.pipeline.with_parameter(self.cards.index(card), name, value))

    def _change(self, card: StepCard, change: Callable[[Step], list[Step]], by: int = 0) -> None:
        """Put steps in place of that of a card, moved `by` places."""
        steps = list(self._state.pipeline.steps)
        number = self.cards.index(card)
        changed = change(steps.pop(number))
        steps[number + by : number + by] = changed
        self._state.set_pipeline(Pipeline(steps))

    def _switch(self, card: StepCard, on: bool) -> None:
        self._change(card, lambda step: [replace(step, on=on)])

    # -- what is shown -----------------------------------------------------------------------------

    def _show(self, pipeline: Pipeline) -> None:
        steps = pipeline.steps
        # Cards stay as long as the filters do: a slider must not vanish under the mouse.
        if [card.filter for card in self.cards] != [step.filter for step in steps]:
            self._make_cards(steps)
        for card, step in zip(self.cards, steps, strict=True):
            card.show_step(step)
        self._hint.setVisible(not steps)
        self.save_button.setEnabled(bool(steps))
        self.undo_button.setEnabled(self._state.can_undo)
        self.redo_button.setEnabled(self._state.can_redo)

    def _make_cards(self, steps: tuple[Step, ...]) -> None:
        for card in self.cards:
            self._cards.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards = [StepCard(step) for step in steps]
        for number, card in enumerate(self.cards):
            card.parameter_changed.connect(partial(self._set_parameter, card))
            card.switched.connect(partial(self._switch, card))
            change = partial(self._change, card)
            card.up_clicked.connect(partial(change, lambda step: [step], -1))
            card.down_clicked.connect(partial(change, lambda step: [step], 1))
            card.remove_clicked.connect(partial(change, lambda step: []))
            card.defaults_clicked.connect(partial(change, lambda step: [Step(step.filter, on=step.on)]))
            card.find_centre_clicked.connect(partial(self.find_centre_clicked.emit, number))
            card.allow_moves(up=number > 0, down=number < len(steps) - 1)
            self._cards.addWidget(card)

    # -- files -------------------------------------------------------------------------------------

    def _ask_load(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Load a pipeline", "", _KIND)
        if path:
            self.load(path)

    def _ask_save(self) -> None:
        if path := ask_save_path(self, "Save the pipeline", "pipeline.json", _KIND):
            self.save(path)


def _filter_menu(parent: QWidget) -> QMenu:
    """List all filters under the headings of their groups."""
    menu = QMenu(parent)
    menu.setToolTipsVisible(True)
    for group in GROUPS:
        menu.addAction(group).setEnabled(False)
        for member in FILTERS.values():
            if member.group == group:
                action = menu.addAction(f"    {member.title}")
                action.setData(member.name)
                action.setToolTip(member.summary)
    return menu
