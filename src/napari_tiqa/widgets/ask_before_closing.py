"""napari's window asks before it closes on a training."""

from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QMessageBox, QWidget

_NAME = "napari-tiqa asks before closing"


class AskBeforeClosing(QObject):
    """An event filter on a window; it belongs to the window and so outlives the dock that made it."""

    def __init__(
        self, window: QWidget, canvas: QWidget, question: Callable[[], str], on_yes: Callable[[], None]
    ) -> None:
        super().__init__(window)
        self.setObjectName(_NAME)
        self._window = window
        self._canvas = canvas
        self._question = question
        self._on_yes = on_yes
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Hold the close event back where the answer is no."""
        if event is None or watched is not self._window or event.type() != QEvent.Type.Close:
            return False
        # A script that calls viewer.close() has taken the viewer apart by now: nothing is left to ask.
        question = "" if self._canvas.isHidden() else self._question()
        if not question:
            return False
        if self._confirmed(question):
            self._on_yes()
            return False
        event.ignore()
        return True

    def _confirmed(self, question: str) -> bool:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        return QMessageBox.question(self._window, "Training under way", question, yes | no, no) == yes


def ask_before_closing(
    window: QWidget, canvas: QWidget, question: Callable[[], str], on_yes: Callable[[], None]
) -> None:
    """Have a window ask before it closes; it is set up once, however often this is called.

    Parameters
    ----------
    window : QWidget
        napari's main window.
    canvas : QWidget
        Its part that napari closes first when a script closes the viewer.
    question : callable
        Returns what to ask, "" where nothing stands against closing.
    on_yes : callable
        Called where the answer is yes, before the window closes.
    """
    if window.findChild(QObject, _NAME) is None:
        AskBeforeClosing(window, canvas, question, on_yes)
