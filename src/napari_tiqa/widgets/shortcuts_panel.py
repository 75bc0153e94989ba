"""The dock that lists every key of ours, as it is bound now."""

from collections import defaultdict
from typing import Any

from qtpy.QtWidgets import QGroupBox, QLabel, QWidget

from napari_tiqa.widgets.host.shortcuts import SHORTCUTS, keys_in_use
from napari_tiqa.widgets.shared.dock_panel import DockPanel
from napari_tiqa.widgets.shared.forms import DOCK_MARGINS, SPACING, STRETCH, column, form_layout

_HOW = (
    "Press these over the picture while the dock is open. All are commands in napari's command palette; "
    "other keys are chosen in napari's Preferences, Shortcuts, among those of the viewer."
)
_WITHIN = {
    "Slice quality": (
        ("← → Home End", "Other slice, while the curve has the focus"),
        ("↑ ↓", "Other slice, while the list of worst slices has the focus"),
    ),
    "Rate images": (
        ("1 to 5", "Score the image, 1 worst, 5 best"),
        ("S", "Skip the image"),
        ("Backspace, Z", "Take the last rating back"),
        ("Escape", "Close the rating window"),
    ),
}
"""What only parts of a dock, or windows of its own, listen to."""


class ShortcutsPanel(DockPanel):
    """Shows which key does what, dock by dock."""

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(viewer, parent)
        rows: dict[str, list[tuple[str, QWidget]]] = defaultdict(list)
        for shortcut in SHORTCUTS.values():
            rows[shortcut.dock].append((keys_in_use(shortcut.name), _sentence(shortcut.title)))
        for dock, keys in _WITHIN.items():
            rows[dock] += [(key, _sentence(title)) for key, title in keys]
        column(_sentence(_HOW), *map(_box, rows.items()), STRETCH, parent=self, margins=DOCK_MARGINS)
        self._use_theme()

    def reset_choices(self, _event: object = None) -> None:
        """Do nothing: layers do not matter here."""


def _box(item: tuple[str, list[tuple[str, QWidget]]]) -> QGroupBox:
    title, rows = item
    box = QGroupBox(title)
    form = form_layout(*rows, parent=box)
    form.setContentsMargins(*[2 * SPACING] * 4)
    return box


def _sentence(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    return label
