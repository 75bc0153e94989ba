"""One step of the pipeline: switch it on or off, move it, take it away, set its parameters."""

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QWidget,
)

from napari_tiqa.filtering.parameter import Value
from napari_tiqa.filtering.pipeline import Step
from napari_tiqa.filtering.ring_centre import CENTRE_PARAMETERS
from napari_tiqa.widgets.filtering.parameter import NumberEditor, ParameterEditor, parameter_editor


class StepCard(QFrame):
    """The name of a filter, its switch and its parameters.

    Parameters
    ----------
    step : Step
        What is shown first.
    """

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
        self.defaults = _button("Defaults", "Set all parameters of this step to their defaults.")
        self.up = _button("▲", "Apply this step earlier.")
        self.down = _button("▼", "Apply this step later.")
        self.remove = _button("✕", "Take this step out of the pipeline.")
        self.find_centre = QPushButton("Find centre")
        self.find_centre.setToolTip(
            "<p>Find the centre of the rings in this slice, mark it and use it for all slices.</p>"
        )
        self.editors: dict[str, ParameterEditor] = {
            name: parameter_editor(parameter) for name, parameter in definition.parameters.items()
        }
        self._lay_out()
        self.switch.toggled.connect(self.switched)
        self.up.clicked.connect(self.up_clicked)
        self.down.clicked.connect(self.down_clicked)
        self.remove.clicked.connect(self.remove_clicked)
        self.defaults.clicked.connect(self.defaults_clicked)
        self.find_centre.clicked.connect(self.find_centre_clicked)
        for name, editor in self.editors.items():
            editor.changed.connect(lambda value, name=name: self.parameter_changed.emit(name, value))
        self.show_step(step)

    def show_step(self, step: Step) -> None:
        """Show the step's switch and parameters as they are now."""
        blocked = self.switch.blockSignals(True)
        self.switch.setChecked(step.on)
        self.switch.blockSignals(blocked)
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
        grid = QGridLayout(self)
        grid.setContentsMargins(6, 4, 6, 4)
        grid.setVerticalSpacing(2)
        head = QHBoxLayout()
        head.setSpacing(2)
        head.addWidget(self.switch, 1)
        for button in (self.defaults, self.up, self.down, self.remove):
            head.addWidget(button)
        grid.addLayout(head, 0, 0)
        self._body = QWidget()
        body = QGridLayout(self._body)
        body.setContentsMargins(18, 0, 0, 0)
        body.setVerticalSpacing(1)
        body.setColumnStretch(1, 1)
        parameters = {name: editor.parameter for name, editor in self.editors.items()}
        for row, (name, editor) in enumerate(self.editors.items()):
            label = QLabel(parameters[name].title)
            label.setToolTip(editor.toolTip())
            body.addWidget(label, row, 0)
            body.addWidget(editor, row, 1)
        if set(CENTRE_PARAMETERS) <= set(self.editors):
            body.addWidget(self.find_centre, body.rowCount(), 1)
        grid.addWidget(self._body, 1, 0)


def _button(text: str, tooltip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tooltip)
    button.setAutoRaise(True)
    return button
