"""napari's window asks before it closes on a training."""

from typing import Protocol

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QMainWindow, QMessageBox, QWidget

_NAME = "napari-tiqa asks before closing"


class Unfinished(Protocol):
    """Work that somebody may not want to lose."""

    @property
    def question_of_closing(self) -> str:
        """What to ask, "" where nothing stands against closing."""

    def interrupt(self) -> None:
        """Stop: napari is closing."""


def ask_before_closing(widget: QWidget, work: Unfinished) -> None:
    """Have the window that a widget is in, also a floating one, ask before it closes on unfinished work.

    The work is asked for its question each time, and told once, however often this is called.
    """
    window: QWidget | None = widget
    while window is not None and not isinstance(window, QMainWindow):
        window = window.parentWidget()
    if window is None:
        return
    guard = window.findChild(_AskBeforeClosing, _NAME) or _AskBeforeClosing(window)
    guard.add(work)


class _AskBeforeClosing(QObject):
    """An event filter on a window; it belongs to the window and so outlives the dock that made it."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self.setObjectName(_NAME)
        self._window = window
        self._all: list[Unfinished] = []
        window.installEventFilter(self)

    def add(self, work: Unfinished) -> None:
        """Ask about this work too."""
        if work not in self._all:
            self._all.append(work)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Hold the close event back where the answer is no."""
        if event is None or watched is not self._window or event.type() != QEvent.Type.Close:
            return False
        if self._is_taken_apart():
            return False
        asking = {work: work.question_of_closing for work in self._all}
        if not all(self._confirmed(question) for question in asking.values() if question):
            event.ignore()
            return True
        for work, question in asking.items():
            if question:
                work.interrupt()
        return False

    def _is_taken_apart(self) -> bool:
        """Whether a script has called viewer.close(), which closes the canvas first: too late to ask."""
        parts = self._window.centralWidget().findChildren(
            QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly
        )
        return all(part.isHidden() for part in parts)

    def _confirmed(self, question: str) -> bool:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        return QMessageBox.question(self._window, "Training under way", question, yes | no, no) == yes
