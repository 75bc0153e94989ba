"""A label that says what a dock is doing, what there is to know, and what went wrong."""

from collections.abc import Iterable
from html import escape

from napari.utils.notifications import notification_manager
from qtpy.QtCore import QRect, Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QLabel, QSizePolicy

_DESCENDERS = 4  # px; else the last line lacks the foot of its letters
_ENDLESS = 10_000  # px


class SentenceLabel(QLabel):
    """Shows sentences as wide as the dock is, on as many lines as they take; room is kept for `lines`.

    A `fixed` one never takes more than these lines, so that what lies below it never moves; where a sentence
    is longer, its end is in the tooltip. Sentences are plain text: they hold names of files and layers.
    """

    def __init__(self, tooltip: str, *, lines: int = 0, fixed: bool = False) -> None:
        super().__init__()
        self._sentence = ""
        self._standing = ""
        self._refusal = ""
        self._lines = lines if fixed else 0
        self._tooltip = tooltip
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        # A long sentence must make neither the dock wider nor the window taller.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        if fixed:
            self.setAlignment(Qt.AlignmentFlag.AlignTop)
            self._fit()
        else:
            self.setMinimumHeight(lines * self.fontMetrics().lineSpacing() + _DESCENDERS * bool(lines))
        self.setToolTip(tooltip)

    def hasHeightForWidth(self) -> bool:
        """Return whether the sentence may take more lines in a narrower dock."""
        return not self._lines and super().hasHeightForWidth()

    def text(self) -> str:
        """Return the whole sentence, also where there is no room for all of it."""
        return self._sentence or self._standing

    def setText(self, text: str) -> None:
        """Show a sentence."""
        self._sentence = text
        self._fit()

    def say(self, sentence: str, *, problem: bool = False) -> None:
        """Show one sentence; a problem stands out."""
        self.setText(_as_problem(sentence) if problem else sentence)

    def caution(self, sentence: str) -> None:
        """Show a problem whenever there is nothing else to say; an empty sentence ends that."""
        self._standing = _as_problem(sentence) if sentence else ""
        self._fit()

    def warn(self, sentences: Iterable[str]) -> None:
        """Show problems, a line each."""
        self.setText("\n".join(map(_as_problem, sentences)))

    def complain(self, sentence: str, error: Exception | None = None) -> None:
        """Show what went wrong, here and nowhere else: a notification would lie over the picture.

        A fault of ours is told to napari too, whose notification has the traceback to report.
        """
        self.say(sentence, problem=True)
        if error is not None:
            notification_manager.receive_error(type(error), error, error.__traceback__)

    def refuse(self, sentence: str) -> None:
        """Complain of what a form asks for; ``retract`` takes it back once the form changes."""
        self.complain(sentence)
        self._refusal = self.text()

    def retract(self, *_: object) -> None:
        """Take back a refusal that is still shown: the form has changed."""
        refusal, self._refusal = self._refusal, ""
        if refusal and self.text() == refusal:
            self.say("")

    def forget_problem(self) -> None:
        """Take back a problem that is still shown: what it was of is gone."""
        if self._sentence.startswith(_as_problem("")):
            self.say("")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the sentence into another width."""
        super().resizeEvent(event)
        if self._lines:
            self._fit()

    def _fit(self) -> None:
        text = self.text()
        if not self._lines:
            super().setText(text)
            return
        room = self._height_of("\n".join("M" * self._lines))
        self.setFixedHeight(room + _DESCENDERS)  # here, since napari's style sheet may have changed the font
        words, shown = text.split(" "), text
        while len(words) > 1 and self._height_of(shown) > room:
            words.pop()
            shown = " ".join(words) + " …"
        super().setText(shown)
        whole = f"<p>{escape(text)}</p><p>{escape(self._tooltip)}</p>"
        self.setToolTip(self._tooltip if shown == text else whole)

    def _height_of(self, text: str) -> int:
        place = QRect(0, 0, max(self.contentsRect().width(), 1), _ENDLESS)
        return int(self.fontMetrics().boundingRect(place, int(Qt.TextFlag.TextWordWrap), text).height())


def _as_problem(sentence: str) -> str:
    return f"⚠ {sentence}"
