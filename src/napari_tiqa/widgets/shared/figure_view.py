"""A matplotlib figure in a dock: the same that a file gets, in napari's colours and the dock's size."""

from collections.abc import Callable

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from napari.utils.theme import Theme
from qtpy.QtCore import QSize, QTimer
from qtpy.QtGui import QImage, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_tiqa.figure_style import Sheet
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState

_WAIT = 60  # ms in which a dock settles: laying out calls Python often, which a thread that draws slows down
_PX_PER_INCH = 90  # so that a figure's 10 points are as large as the dock's own writing


class FigureView(QWidget):
    """Shows a figure; it is drawn in a thread, since that takes up to 200 ms, and only while it is seen.

    Not matplotlib's own canvas for Qt, which draws in the thread of napari's window. `least` and `usual` are
    width and height in px.
    """

    def __init__(
        self,
        tooltip: str,
        least: tuple[int, int] = (220, 200),
        usual: tuple[int, int] = (380, 300),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._make: Callable[[Sheet], Figure] | None = None
        self._colours = ("white", "black")
        self._image = QImage()
        self._stale = False
        self._usual = QSize(*usual)
        self._job = BackgroundJob("drawing a figure")
        self._job.ended.connect(self._on_drawn)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_WAIT)
        self._soon.timeout.connect(self._draw)
        self.setToolTip(tooltip)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(*least)

    def sizeHint(self) -> QSize:
        """Return the usual size."""
        return self._usual

    def show_figure(self, make: Callable[[Sheet], Figure]) -> None:
        """Show what `make` draws on a sheet of the view's size and napari's colours, at the latest when seen.

        It is called in a thread, again for each new size and theme.
        """
        self._make = make
        self._redraw()

    def set_theme(self, theme: Theme) -> None:
        """Take napari's colours."""
        self._colours = theme.text.as_hex(), theme.background.as_hex()
        self._redraw()

    def figure(self) -> Figure:
        """Return what is to be seen, drawn here and now."""
        if self._make is None:
            raise ValueError("no figure has been shown")
        return self._make(self._sheet())

    @property
    def is_drawn(self) -> bool:
        """Whether what is to be seen is on the screen."""
        return not (self._stale or self._job.state.busy or self._image.isNull())

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what has changed while nobody saw it."""
        super().showEvent(event)
        self._draw_if_stale()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw at the new size; until then the old picture is stretched."""
        super().resizeEvent(event)
        self._redraw()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(self.rect(), self._image)
        painter.end()

    def _redraw(self) -> None:
        self._stale = self._make is not None
        self._draw_if_stale()

    def _sheet(self) -> Sheet:
        return Sheet(*self._colours, (self.width() / _PX_PER_INCH, self.height() / _PX_PER_INCH))

    def _draw_if_stale(self) -> None:
        if self._stale and self.isVisible():
            self._soon.start()

    def _draw(self) -> None:
        make = self._make
        if make is None or not self._stale or not self.isVisible() or self._job.state.busy:
            return
        self._stale = False
        sheet, dpi = self._sheet(), _PX_PER_INCH * self.devicePixelRatioF()
        self._job.start(lambda _progress, _cancel: _picture(make(sheet), dpi))

    def _on_drawn(self, outcome: JobOutcome) -> None:
        if outcome.state is JobState.DONE:
            self._image = outcome.result
            self.update()
        self._draw_if_stale()


def _picture(figure: Figure, dpi: float) -> QImage:
    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    width, height = canvas.get_width_height()
    pixels = bytes(canvas.buffer_rgba())
    return QImage(pixels, width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()
