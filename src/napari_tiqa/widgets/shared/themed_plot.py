"""The base of every plot that follows a job as it runs, by pyqtgraph, which redraws it in milliseconds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from napari.utils.theme import Theme
from qtpy.QtCore import QEvent, QObject, QPointF, QRect, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QImage, QKeyEvent, QPainter, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget
from superqt import QElidingLabel

from napari_tiqa.widgets.shared.forms import column

FEW_POINTS = 60
"""Up to here each point of a curve is drawn as a dot of its own."""

_KEYS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End)
_EXPORT_SCALE = 4  # pixels per screen pixel: some 1500 across, enough for a column at 300 dpi


class ThemedPlot(QWidget):
    """Plots in a grid on one ground, without menus; their axes follow napari's theme.

    `least` and `usual` are width and height in px.
    """

    def __init__(
        self,
        tooltip: str,
        least: tuple[int, int] = (220, 200),
        usual: tuple[int, int] = (380, 280),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.graphics = pg.GraphicsLayoutWidget()
        self.graphics.ci.setContentsMargins(2, 4, 6, 2)
        self.graphics.ci.setSpacing(2)
        self.graphics.setToolTip(tooltip)
        self.text, self.ground = QColor("white"), QColor("black")
        self._usual = QSize(*usual)
        self._pen_scale = 1
        self._plots: list[pg.PlotItem] = []
        column((self.graphics, 1), parent=self).setSpacing(0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(*least)

    def sizeHint(self) -> QSize:
        """Return the usual size."""
        return self._usual

    def add_plot(self, row: int, column: int = 0, plot: pg.PlotItem | None = None) -> pg.PlotItem:
        """Add a plot, a new one unless given, that can neither be moved nor zoomed."""
        plot = plot or pg.PlotItem(enableMenu=False)
        self.graphics.addItem(plot, row=row, col=column)
        plot.hideButtons()
        plot.setMouseEnabled(x=False, y=False)
        plot.showGrid(y=True, alpha=0.15)
        for side in ("left", "bottom"):
            plot.getAxis(side).enableAutoSIPrefix(False)  # "Score (x0.001)" would mean nothing
        self._plots.append(plot)
        return plot

    def set_theme(self, theme: Theme) -> None:
        """Take napari's colours."""
        self.text, self.ground = (
            QColor(*colour.as_rgb_tuple()[:3]) for colour in (theme.text, theme.background)
        )
        self.paint()

    def paint(self) -> None:
        """Draw axes and ground in the colours of `text` and `ground`."""
        self.graphics.setBackground(self.ground)
        for plot in self._plots:
            for side in ("left", "bottom"):
                plot.getAxis(side).setPen(self.pen(faint(self.text)))
                plot.getAxis(side).setTextPen(self.text)

    def pen(self, colour: QColor | str, width: float = 1) -> QPen:
        """Return a pen, wider on paper, where Qt would draw it as wide as on the screen."""
        return pg.mkPen(colour, width=width * self._pen_scale)

    def draw_curve(
        self, curve: pg.PlotDataItem, x: Any, y: Any, colour: str, width: float = 2, **options: Any
    ) -> None:
        """Draw a curve, with a dot for each point where there are few."""
        if not np.isfinite(y).any():
            x, y = np.empty(0), np.empty(0)  # else pyqtgraph warns of each look at its range
        curve.setPen(self.pen(colour, width))
        curve.setSymbol("o" if len(x) <= FEW_POINTS else None)
        curve.setSymbolSize(5)
        curve.setSymbolBrush(colour)
        curve.setSymbolPen(None)
        curve.setData(x, y, **options)


class SlicePlot(ThemedPlot):
    """Plots along a volume's slices: a readout above, a marker at napari's slice, clicks to go to one."""

    slice_clicked = Signal(int)  # the slice nearest to the click

    def __init__(
        self, tooltip: str, least: tuple[int, int] = (220, 200), usual: tuple[int, int] = (380, 280)
    ) -> None:
        super().__init__(tooltip, least, usual)
        self.readout = QElidingLabel()
        self.readout.setToolTip("The slice below the pointer, else the one at napari's slider.")
        self.layout().insertWidget(0, self.readout)
        self._marked: int | None = None
        self._hovered: int | None = None
        self.graphics.scene().sigMouseClicked.connect(self._on_click)
        self.graphics.scene().sigMouseMoved.connect(self._on_hover)
        self.graphics.installEventFilter(self)
        self.graphics.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Forget the pointer when it leaves; go along the slices with the arrow keys, Home and End."""
        if event is not None and event.type() == QEvent.Type.Leave:
            self._hovered = None
            self.read_out()
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            index = self._slice_by_key(event.key())
            if index is not None:
                self.slice_clicked.emit(index)
                return True
        return False

    def _slice_by_key(self, key: int) -> int | None:
        """Return the slice that a key goes to from the one marked; None where it is not such a key."""
        slices = sorted(self.slices()[0])
        if not slices or key not in _KEYS:
            return None
        place = 0 if self._marked is None else int(np.searchsorted(slices, self._marked))
        wanted = {Qt.Key.Key_Left: place - 1, Qt.Key.Key_Home: 0, Qt.Key.Key_End: len(slices)}
        return slices[min(max(wanted.get(Qt.Key(key), place + 1), 0), len(slices) - 1)]

    def slices(self) -> tuple[Sequence[int], np.ndarray]:
        """Return the slices that can be pointed at, and their abscissas."""
        raise NotImplementedError

    def pointed_plots(self) -> Sequence[pg.PlotItem]:
        """Return the plots along whose abscissa the slices lie, all with the same range."""
        raise NotImplementedError

    def describe(self, index: int | None) -> str:
        """Return what is known of a slice; empty where nothing is."""
        raise NotImplementedError

    def place_marker(self) -> None:
        """Put the marker at the slice `_marked`; None hides it."""
        raise NotImplementedError

    @property
    def marked(self) -> int | None:
        """The slice that napari shows; None where it shows none."""
        return self._marked

    def set_marker(self, index: int | None) -> None:
        """Mark the slice that napari shows; None where it shows none."""
        self._marked = index
        self.place_marker()
        self.read_out()

    def read_out(self) -> None:
        """Write what is known of the slice below the pointer, else of the one marked."""
        self.readout.setText(self.describe(self._hovered) or self.describe(self._marked))

    def save_png(self, path: str, titles: Sequence[tuple[str, str]] = ()) -> None:
        """Write the plots as a picture for a paper: sharp, dark on white, without the marker.

        Each of `titles`, colour and title, is a line above, behind a square of its colour. Raises OSError.
        """
        high = int(1.6 * self.fontMetrics().height())
        width, height, above = self.graphics.width(), self.graphics.height(), high * len(titles)
        picture = QImage(QSize(width, above + height) * _EXPORT_SCALE, QImage.Format.Format_RGB32)
        picture.setDevicePixelRatio(_EXPORT_SCALE)
        picture.fill(QColor("white"))
        marked, colours = self._marked, (self.text, self.ground)
        self.set_marker(None)
        self._pen_scale, self.text, self.ground = _EXPORT_SCALE, QColor("black"), QColor("white")
        self.paint()
        painter = QPainter(picture)
        painter.setFont(self.font())
        for row, (colour, title) in enumerate(titles):
            painter.fillRect(QRect(12, row * high + high // 2 - 5, 10, 10), QColor(colour))
            painter.drawText(QRect(30, row * high, width - 34, high), Qt.AlignmentFlag.AlignVCenter, title)
        self.graphics.render(painter, QRectF(0, above, width, height), self.graphics.viewport().rect())
        painter.end()
        self._pen_scale, self.text, self.ground = 1, *colours
        self.paint()
        self.set_marker(marked)
        if not picture.save(path, "PNG"):
            raise OSError(f"{path} is not writable")

    def _slice_at(self, pointer: QPointF) -> int | None:
        """Return the slice nearest to a place in a plot; None elsewhere."""
        slices, places = self.slices()
        for view in (plot.getViewBox() for plot in self.pointed_plots()):
            if len(slices) and view.sceneBoundingRect().contains(pointer):
                return slices[int(np.argmin(np.abs(places - view.mapSceneToView(pointer).x())))]
        return None

    def _on_click(self, event: Any) -> None:
        index = self._slice_at(event.scenePos())
        if event.button() == Qt.MouseButton.LeftButton and index is not None:
            self.slice_clicked.emit(index)

    def _on_hover(self, pointer: QPointF) -> None:
        self._hovered = self._slice_at(pointer)
        self.read_out()


def faint(colour: QColor, opacity: int = 130) -> QColor:
    """Return a colour that the ground shines through; 255 is opaque."""
    fainter = QColor(colour)
    fainter.setAlpha(opacity)
    return fainter
