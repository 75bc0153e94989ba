"""One step of the pipeline: switch it on or off, move it, remove it, set its parameters."""

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QFrame, QGridLayout, QLabel, QToolButton, QWidget

from napari_tiqa.filtering.parameter import Value
from napari_tiqa.filtering.pipeline import Step
from napari_tiqa.filtering.ring_centre import CENTRE_PARAMETERS
from napari_tiqa.widgets.filtering.parameter import NumberEditor, ParameterEditor, parameter_editor
from napari_tiqa.widgets.shared.forms import DOCK_MARGINS, button, column, line, quietly

_INDENT = 18  # px, of the parameters below the filter's name


class StepCard(QFrame):
    """The name of a filter, its switch and its parameters."""

    parameter_changed = Signal(str, object)  # name, Value
    switched = Signal(bool)
    up_clicked = Signal()
    down_clicked = Signal()
    remove_clicked = Signal()
    defaults_clicked = Signal()
    find_centre_clicked = Signal()

    def __init__(self, step: Step, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        definition = step.definition
        self.filter = step.filter
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.switch = QCheckBox(definition.title)
        font = self.switch.font()
        font.setBold(True)
        self.switch.setFont(font)
        self.switch.setToolTip(
            f"<p>{definition.summary}</p><p>Untick it to see the slice without this step.</p>"
        )
        defaults = "Set all parameters of this step to their defaults."
        self.defaults = tool("Defaults", defaults, self.defaults_clicked)
        self.up = tool("▲", "Apply this step earlier.", self.up_clicked)
        self.down = tool("▼", "Apply this step later.", self.down_clicked)
        self.remove = tool("✕", "Remove this step from the pipeline.", self.remove_clicked)
        self.find_centre = button(
            "Find centre",
            "<p>Find the centre of the rings in this slice, mark it and use it for all slices.</p>",
            self.find_centre_clicked.emit,
        )
        self.editors: dict[str, ParameterEditor] = {
            name: parameter_editor(parameter) for name, parameter in definition.parameters.items()
        }
        self._lay_out()
        self.switch.toggled.connect(self.switched)
        for name, editor in self.editors.items():
            editor.changed.connect(lambda value, name=name: self.parameter_changed.emit(name, value))
        self.show_step(step)

    def show_step(self, step: Step) -> None:
        """Show the step's switch and parameters as they are now."""
        with quietly(self.switch):
            self.switch.setChecked(step.on)
        for name, editor in self.editors.items():
            editor.show_value(step.parameters[name])
        self._body.setEnabled(step.on)

    def show_found(self, found: dict[str, Value]) -> None:
        """Show what the filter found by itself where it was asked to."""
        for name, value in found.items():
            editor = self.editors[name]
            if isinstance(editor, NumberEditor) and value is not None:
                editor.show_number(float(value))

    def allow_moves(self, *, up: bool, down: bool) -> None:
        """Say whether there is a step before and after this one."""
        self.up.setEnabled(up)
        self.down.setEnabled(down)

    def _lay_out(self) -> None:
        self._body = QWidget()
        head = line((self.switch, 1), self.defaults, self.up, self.down, self.remove)
        column(head, self._body, parent=self, margins=DOCK_MARGINS)
        body = QGridLayout(self._body)
        body.setContentsMargins(_INDENT, 0, 0, 0)
        body.setVerticalSpacing(1)
        body.setColumnStretch(1, 1)
        for row, editor in enumerate(self.editors.values()):
            label = QLabel(editor.parameter.title)
            label.setToolTip(editor.toolTip())
            body.addWidget(label, row, 0)
            body.addWidget(editor, row, 1)
        if set(CENTRE_PARAMETERS) <= set(self.editors):
            body.addWidget(self.find_centre, body.rowCount(), 1)


def tool(text: str, tooltip: str, clicked: Any) -> QToolButton:
    """Return a flat button; `clicked` is a signal or a function that takes no argument."""
    made = QToolButton()
    made.setText(text)
    made.setToolTip(tooltip)
    made.setAutoRaise(True)
    made.clicked.connect(clicked)
    return made
