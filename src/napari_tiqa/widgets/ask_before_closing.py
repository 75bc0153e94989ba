"""napari's window asks before it closes on a training."""

from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QMainWindow, QMessageBox, QWidget

_NAME = "napari-tiqa asks before closing"


def ask_before_closing(window: QMainWindow, question: Callable[[], str], on_yes: Callable[[], None]) -> None:
    """Have a window ask before it closes; it is set up once, however often this is called.

    Parameters
    ----------
    window : QMainWindow
        napari's.
    question : callable
        Returns what to ask, "" where nothing stands against closing.
    on_yes : callable
        Called where the answer is yes, before the window closes.
    """
    if window.findChild(QObject, _NAME) is None:
        _AskBeforeClosing(window, question, on_yes)


class _AskBeforeClosing(QObject):
    """An event filter on a window; it belongs to the window and so outlives the dock that made it."""

    def __init__(self, window: QMainWindow, question: Callable[[], str], on_yes: Callable[[], None]) -> None:
        super().__init__(window)
        self.setObjectName(_NAME)
        self._window = window
        self._question = question
        self._on_yes = on_yes
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Hold the close event back where the answer is no."""
        if event is None or watched is not self._window or event.type() != QEvent.Type.Close:
            return False
        question = "" if self._is_taken_apart() else self._question()
        if not question:
            return False
        if self._confirmed(question):
            self._on_yes()
            return False
        event.ignore()
        return True

    def _is_taken_apart(self) -> bool:
        """Whether a script has called viewer.close(), which closes the canvas first: too late to ask."""
        parts = self._window.centralWidget().findChildren(
            QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly
        )
        return all(part.isHidden() for part in parts)

    def _confirmed(self, question: str) -> bool:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        return QMessageBox.question(self._window, "Training under way", question, yes | no, no) == yes
