"""Parts that every form of a dock is made of."""

from collections.abc import Callable

from qtpy.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QSpinBox,
    QWidget,
)


def form_layout(parent: QWidget) -> QFormLayout:
    """Return a form layout as all docks have it: no margins, fields as wide as there is room."""
    form = QFormLayout(parent)
    form.setContentsMargins(0, 0, 0, 0)
    form.setHorizontalSpacing(8)
    form.setVerticalSpacing(4)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form


def row(*widgets: QWidget) -> QWidget:
    """Return widgets side by side, each as wide as the others."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        layout.addWidget(widget, 1)
    return row


def button(text: str, tooltip: str, action: Callable[[], None]) -> QPushButton:
    """Return a push button that calls `action`."""
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.clicked.connect(lambda _checked: action())
    return button


def spin_box(value: int, low: int, high: int, tooltip: str) -> QSpinBox:
    """Return a box for a whole number."""
    box = QSpinBox()
    box.setRange(low, high)
    box.setValue(value)
    box.setToolTip(tooltip)
    return box
