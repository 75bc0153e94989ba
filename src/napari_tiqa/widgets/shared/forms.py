"""Parts that every form of a dock is made of: one layout, one spacing, quiet updates."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeAlias

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QBoxLayout,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLayout,
    QMessageBox,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

SPACING = 4
"""Pixels between the rows of a form, and between the parts of a line or a column."""

DOCK_MARGINS = (6, 4, 6, 4)
"""Pixels around the content of a dock: left, top, right, bottom."""

TAB_MARGINS = (0, 6, 0, 0)
"""Pixels around a page behind a tab."""

STRETCH = 1
"""Among the parts of a layout: takes the room that is left."""

Part: TypeAlias = QWidget | QLayout | tuple[QWidget | QLayout, int] | int
"""A part of a layout, with its share of the room where that is not none, or empty room (``STRETCH``)."""

quietly = QSignalBlocker
"""``with quietly(box): box.clear()``: the box tells nobody of what is done to it."""


def form_layout(
    *rows: QWidget | QLayout | tuple[str, QWidget | QLayout], parent: QWidget | None = None
) -> QFormLayout:
    """Return a form without margins; a row is a field with its label, or what takes the whole width."""
    form = QFormLayout() if parent is None else QFormLayout(parent)
    form.setContentsMargins(0, 0, 0, 0)
    form.setHorizontalSpacing(2 * SPACING)
    form.setVerticalSpacing(SPACING)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    for row in rows:
        form.addRow(*(row if isinstance(row, tuple) else (row,)))
    return form


def column(
    *parts: Part, parent: QWidget | None = None, margins: tuple[int, int, int, int] = (0, 0, 0, 0)
) -> QVBoxLayout:
    """Return a layout of parts below one another; the layout of `parent` where given."""
    return _filled(QVBoxLayout() if parent is None else QVBoxLayout(parent), parts, margins)


def line(*parts: Part) -> QHBoxLayout:
    """Return a layout of parts side by side, without margins; ``(part, 2)`` gets two shares of the room."""
    return _filled(QHBoxLayout(), parts)


def page(*parts: Part, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> QWidget:
    """Return a widget that holds parts below one another."""
    holder = QWidget()
    column(*parts, parent=holder, margins=margins)
    return holder


def row(*widgets: QWidget) -> QWidget:
    """Return a widget that holds widgets side by side, each as wide as the others."""
    holder = QWidget()
    holder.setLayout(line(*((widget, 1) for widget in widgets)))
    return holder


def button(text: str, tooltip: str, action: Callable[[], Any] | None = None) -> QPushButton:
    """Return a push button; `action` is called without arguments when it is clicked."""
    made = QPushButton(text)
    made.setToolTip(tooltip)
    if action is not None:
        made.clicked.connect(lambda _checked: action())
    return made


def choice_box(choices: Iterable[tuple[str, Any] | tuple[str, Any, str]], tooltip: str = "") -> QComboBox:
    """Return a box of choices that never widens the dock; ``currentData()`` is the value of the one shown."""
    box = QComboBox()
    for title, value, *tip in choices:
        box.addItem(title, value)
        if tip:
            box.setItemData(box.count() - 1, tip[0], Qt.ItemDataRole.ToolTipRole)
    box.setToolTip(tooltip)
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return box


def spin_box(value: int, low: int, high: int, tooltip: str, suffix: str = "") -> QSpinBox:
    """Return a box for a whole number from `low` to `high`."""
    box = QSpinBox()
    narrow(box)
    box.setRange(low, high)
    box.setValue(value)
    box.setSuffix(suffix)
    box.setToolTip(tooltip)
    return box


def narrow(box: QAbstractSpinBox) -> None:
    """Let a box for a number be narrower than Qt wants it, which is for all digits of the largest."""
    box.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)


def ask_save_path(parent: QWidget, title: str, name: str, kind: str) -> str:
    """Ask for a file to write, whose suffix is that of `name`; "" for none. Asks before one is replaced."""
    dialog = QFileDialog(parent, title, name, kind)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(name.rpartition(".")[2])
    return dialog.selectedFiles()[0] if dialog.exec() else ""


def ask_report_folder(parent: QWidget, title: str, files: Iterable[str]) -> str:
    """Ask for a folder to save a report in, "" for none; asks before files there are replaced."""
    folder = QFileDialog.getExistingDirectory(parent, "Save tables and figures in a folder")
    replaced = ", ".join(name for name in files if folder and (Path(folder) / name).exists())
    question = f"Replace {replaced} in {folder}?"
    yes = QMessageBox.StandardButton.Yes
    return folder if not replaced or QMessageBox.question(parent, title, question) == yes else ""


def collapsible(title: str, tooltip: str, content: QWidget | QLayout) -> QCollapsible:
    """Return a part of a form that is folded away until its title is clicked."""
    holder = content if isinstance(content, QWidget) else QWidget()
    if isinstance(content, QLayout):
        holder.setLayout(content)
    part = QCollapsible(title)
    part.setDuration(0)
    part.toggleButton().setToolTip(tooltip)
    part.layout().setContentsMargins(0, 0, 0, 0)
    part.addWidget(holder)
    return part


def _filled(layout: Any, parts: Iterable[Part], margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> Any:
    """Fill a box layout."""
    box: QBoxLayout = layout
    box.setContentsMargins(*margins)
    box.setSpacing(SPACING)
    for part in parts:
        if isinstance(part, int):
            box.addStretch(part)
            continue
        content, stretch = part if isinstance(part, tuple) else (part, 0)
        if isinstance(content, QLayout):
            box.addLayout(content, stretch)
        else:
            box.addWidget(content, stretch)
    return layout
