"""A label that says what a dock is doing, what there is to know, and what went wrong."""

from collections.abc import Iterable

from napari.utils.notifications import notification_manager, show_error
from qtpy.QtWidgets import QLabel, QSizePolicy

_DESCENDERS = 4  # px; else the last line lacks the foot of its letters


class SentenceLabel(QLabel):
    """Shows sentences as wide as the dock is, on as many lines as they take; room is kept for `lines`."""

    def __init__(self, tooltip: str, *, lines: int = 0) -> None:
        super().__init__()
        self.setWordWrap(True)
        # A long sentence must make neither the dock wider nor the window taller.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setMinimumHeight(lines * self.fontMetrics().lineSpacing() + _DESCENDERS * bool(lines))
        self.setToolTip(tooltip)

    def say(self, sentence: str, *, problem: bool = False) -> None:
        """Show one sentence; a problem stands out."""
        self.setText(_as_problem(sentence) if problem else sentence)

    def warn(self, sentences: Iterable[str]) -> None:
        """Show problems, a line each."""
        self.setText("\n".join(map(_as_problem, sentences)))

    def complain(self, sentence: str, error: Exception | None = None) -> None:
        """Show what went wrong here and as a notification of napari; a fault of ours with its traceback."""
        self.say(sentence, problem=True)
        if error is not None:
            notification_manager.receive_error(type(error), error, error.__traceback__)
        else:
            show_error(sentence)


def _as_problem(sentence: str) -> str:
    return f"⚠ {sentence}"
