"""A line to type a path in, with a button that opens a dialog for it."""

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLineEdit, QWidget

from napari_tiqa.widgets.shared.forms import button, line
from napari_tiqa.wording import expanded


class FileRow(QWidget):
    """A path, typed or chosen; `choose` opens a dialog and returns the path, empty where it was cancelled."""

    changed = Signal()
    edited = Signal()  # by the user, not by `set_path`

    def __init__(
        self, choose: Callable[[], str], placeholder: str, tooltip: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._choose = choose
        self.line = QLineEdit()
        self.line.setPlaceholderText(placeholder)
        self.line.setToolTip(tooltip)
        self.button = button("Choose…", tooltip, self._ask)
        self.setLayout(line((self.line, 1), self.button))
        self.line.textChanged.connect(lambda _: self.changed.emit())
        self.line.textEdited.connect(lambda _: self.edited.emit())

    @property
    def path(self) -> Path | None:
        """The path, None where the line is empty."""
        text = self.line.text().strip()
        return expanded(text) if text else None

    def set_path(self, path: str | Path) -> None:
        """Write a path into the line."""
        self.line.setText(str(path))

    def _ask(self) -> None:
        path = self._choose()
        if path:
            self.line.setText(path)
            self.edited.emit()
