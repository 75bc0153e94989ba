"""The window that images are rated in: one image after the other without its name, five buttons, keys 1 to 5.

A window of its own instead of napari's canvas: no layer names and no contrast limits that tell images apart
or change them, nothing bright beside the image, and napari's own keys stay napari's.
"""

from collections.abc import Callable
from functools import partial

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QCloseEvent, QKeyEvent
from qtpy.QtWidgets import QLabel, QProgressBar, QPushButton, QWidget

from napari_tiqa.errors import RatingError
from napari_tiqa.learning.ratings.session import RaterProgress, RatingSession
from napari_tiqa.learning.ratings.table import LEVELS
from napari_tiqa.widgets.rating.canvas import GROUND, TEXT, RatingCanvas
from napari_tiqa.widgets.shared.forms import STRETCH, button, column, line

# Empty ground between two images: they are not compared by their flicker, and the second click of a double
# click does not rate an image that nobody has seen.
_PAUSE = 250  # ms
_HINT = (
    "How good is the image, whatever it shows? Keys 1 to 5 rate, Backspace undoes, S skips, Esc pauses. "
    "Every click is saved."
)
_STYLE = f"""
    RatingWindow, QLabel {{ background: {GROUND}; color: {TEXT}; }}
    QPushButton {{ background: #4a4a4a; color: #f0f0f0; border: none; border-radius: 3px; }}
    QPushButton {{ padding: 6px 14px; }}
    QPushButton:hover {{ background: #5a5a5a; }}
    QPushButton:pressed {{ background: #6a6a6a; }}
    QPushButton:disabled {{ background: #3c3c3c; color: #7a7a7a; }}
    QProgressBar {{ background: #4a4a4a; color: #f0f0f0; border: none; border-radius: 3px; }}
    QProgressBar {{ text-align: center; min-height: 20px; }}
    QProgressBar::chunk {{ background: #6f7f8f; border-radius: 3px; }}
"""


class RatedBar(QProgressBar):
    """How far a rater is."""

    def __init__(self, tooltip: str) -> None:
        super().__init__()
        self.setToolTip(tooltip)

    def show_progress(self, progress: RaterProgress) -> None:
        """Show images rated, all, and skipped."""
        self.setMaximum(max(progress.total, 1))
        self.setValue(progress.done)
        skipped = f", {progress.skipped} skipped" if progress.skipped else ""
        self.setFormat(f"{progress.done} of {progress.total}{skipped}")


class RatingWindow(QWidget):
    """Shows a rater the images of a session and keeps every score at once; it closes with its parent."""

    changed = Signal()  # a score or a skip was kept or taken back
    closed = Signal()

    def __init__(self, session: RatingSession, rater: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setWindowTitle(f"How good is this image? Rated by {rater}")
        self.setStyleSheet(_STYLE)
        self._session = session
        self._rater = rater
        self._image: str | None = None
        self.canvas = RatingCanvas()
        self.canvas.set_largest(session.largest)
        self.score_buttons = {
            score: self._button(
                f"{score}  {word}", f"The image is {word} (key {score}).", partial(self.rate, score)
            )
            for score, word in LEVELS.items()
        }
        self.undo_button = self._button(
            "Undo", "Take back the last score or skip (Backspace); the image comes back.", self.undo
        )
        self.skip_button = self._button(
            "Skip", "Leave this image out (S); the skipped images can be shown again at the end.", self.skip
        )
        self.skipped_button = self._button(
            "Show the skipped ones", "Go through the images that you have skipped.", self.ask_again
        )
        self.pause_button = self._button(
            "Pause", "Close this window (Esc); you continue from here when you come back.", self.close
        )
        self.bar = RatedBar("Images that you have rated; some are shown a second time.")
        self.message = QLabel(_HINT)
        self.message.setToolTip("What the keys do, or what went wrong.")
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE)
        self._pause.timeout.connect(self._show_next)
        self._lay_out()
        self._show_next()

    @property
    def image(self) -> str | None:
        """The image to rate now; None between two images and at the end."""
        return self._image

    def rate(self, score: int) -> None:
        """Keep a score of the image shown and go on."""
        image = self._image
        if image is not None and self.canvas.image is not None:
            self._do(lambda: self._session.rate(self._rater, image, score))

    def skip(self) -> None:
        """Leave out the image shown and go on."""
        image = self._image
        if image is not None:
            self._do(lambda: self._session.skip(self._rater, image))

    def undo(self) -> None:
        """Take back the last score or skip."""
        if not self._pause.isActive():
            self._do(lambda: self._session.undo(self._rater))

    def ask_again(self) -> None:
        """Show what was skipped."""
        self._do(lambda: self._session.ask_again(self._rater))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the keys that rate; a key that is held down rates once."""
        if event.isAutoRepeat():
            return
        if event.text() in map(str, LEVELS):
            self.rate(int(event.text()))
        elif event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Z):
            self.undo()
        elif event.key() == Qt.Key.Key_S:
            self.skip()
        elif event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Tell the dock that the rater is gone."""
        self._pause.stop()
        self.closed.emit()
        super().closeEvent(event)

    def _do(self, change: Callable[[], object]) -> None:
        try:
            change()
        except RatingError as error:
            self.message.setText(f"⚠ {error}")
            return
        self._image = None
        self.message.setText(_HINT)
        self.canvas.show_text("")
        self._allow(False)
        self._pause.start()
        self.bar.show_progress(self._session.progress(self._rater))
        self.changed.emit()

    def _show_next(self) -> None:
        self._image = self._session.current(self._rater)
        self.bar.show_progress(self._session.progress(self._rater))
        if self._image is None:
            self.canvas.show_text(f"All images are rated. Thank you, {self._rater}.")
        else:
            try:
                self.canvas.show_image(self._session.image(self._image))
            except RatingError as error:
                self.canvas.show_text(f"{error}\nSkip it to go on.")
        self._allow(True)

    def _allow(self, allowed: bool) -> None:
        progress = self._session.progress(self._rater)
        for score_button in self.score_buttons.values():
            score_button.setEnabled(allowed and self.canvas.image is not None)
        self.skip_button.setEnabled(allowed and self._image is not None)
        self.undo_button.setEnabled(allowed and bool(progress.done or progress.skipped))
        at_the_end = allowed and self._image is None
        self.skipped_button.setVisible(at_the_end and progress.skipped > 0)
        self.pause_button.setText("Close" if at_the_end else "Pause")

    def _button(self, text: str, tooltip: str, action: Callable[[], object]) -> QPushButton:
        made = button(text, tooltip, action)
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys are this window's, not the last button's
        return made

    def _lay_out(self) -> None:
        for score_button in self.score_buttons.values():
            score_button.setMinimumSize(120, 44)
        self.bar.setFixedWidth(220)
        self.message.setWordWrap(True)
        self.message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        scores = line(STRETCH, *((made, 2) for made in self.score_buttons.values()), STRETCH)
        others = (self.skipped_button, self.undo_button, self.skip_button, self.pause_button)
        below = line(self.bar, (self.message, 1), *others)
        for row in (scores, below):
            row.setContentsMargins(12, 0, 12, 0)
            row.setSpacing(8)
        column((self.canvas, 1), scores, below, parent=self, margins=(0, 0, 0, 10)).setSpacing(10)
