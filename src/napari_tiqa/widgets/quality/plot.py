"""The plots of the quality dock: score curves with their uncertainty, a box for each, and what is lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from napari.utils.theme import Theme
from qtpy.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QImage, QPainter, QPen
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget
from superqt import QElidingLabel

from napari_tiqa.scoring.scale import SCORE_RANGE
from napari_tiqa.scoring.sentence import score_sentence
from napari_tiqa.scoring.table import ScoredSlice
from napari_tiqa.widgets.quality.parts_plot import FLAG, PartsPlot
from napari_tiqa.widgets.quality.score_run import SINGLE_IMAGE, ScoreRun
from napari_tiqa.widgets.shared.filled_area import FilledArea
from napari_tiqa.widgets.shared.score_box import score_box

_SCORE_TICKS = [(1, "1"), (2, "2"), (3, "3"), (4, "4"), (5, "5")]
_SHOWN_SCORES = (0.75, 5.4)
_BOX_WIDTH = 0.55
_BAND_OPACITY = 0.3
_BETWEEN_PLOTS = 18  # px
_BOTTOM_AXIS_HEIGHT = 36  # px
_EXPORT_SCALE = 4  # pixels per screen pixel: some 1500 across, enough for a column at 300 dpi
_FEW_POINTS = 60  # up to here each slice is drawn as a dot of its own
_MANY_POINTS = 500  # from here a thick curve hides itself


@dataclass(frozen=True)
class Curve:
    """A run and the colour it is drawn in."""

    run: ScoreRun
    colour: str


class ScorePlot(QWidget):
    """Curves of score against slice, and their box plots, on a common axis from 1 to 5."""

    slice_clicked = Signal(int)  # the slice of the current run nearest to the click

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._graphics = pg.GraphicsLayoutWidget()
        self._graphics.ci.setContentsMargins(2, 6, 4, 2)
        self._graphics.ci.setSpacing(4)
        self._curve_plot = self._graphics.addPlot(row=0, col=0, enableMenu=False)
        self._box_plot = self._graphics.addPlot(row=0, col=1, enableMenu=False)
        self._parts_plot = PartsPlot()
        self._graphics.addItem(self._parts_plot, row=1, col=0)
        self._graphics.addItem(self._parts_plot.legend, row=1, col=1)
        for line, stretch in enumerate((5, 3)):
            self._graphics.ci.layout.setRowStretchFactor(line, stretch)
        for line, stretch in enumerate((4, 1)):
            self._graphics.ci.layout.setColumnStretchFactor(line, stretch)
        self._curves: dict[str, pg.PlotDataItem] = {}
        self._bands: dict[str, FilledArea] = {}
        self._boxes: list[pg.BoxplotItem] = []
        self._current: ScoreRun | None = None
        self._by_position = False
        self._shown: Sequence[Curve] = ()
        self._ground_colours = QColor("white"), QColor("black")
        self._text_colour = QColor("white")
        self._pen_scale = 1
        self._marker_slice: int | None = None
        self._zoomed = False
        self._hovered_row: ScoredSlice | None = None
        self._flags = pg.ScatterPlotItem(symbol="t1", size=8, pen=None)
        self._marker = pg.InfiniteLine(angle=90)
        self._marker_dot = pg.ScatterPlotItem(size=9)
        self._readout = QElidingLabel()
        self._readout.setToolTip(
            "The score of the slice below the pointer, else of the one at napari's slider."
        )
        self._prepare_axes()
        self._curve_plot.addItem(self._marker, ignoreBounds=True)
        self._curve_plot.addItem(self._marker_dot, ignoreBounds=True)
        self._curve_plot.addItem(self._flags, ignoreBounds=True)
        self._flags.setZValue(2)
        self._marker_dot.setZValue(2)
        self._graphics.scene().sigMouseClicked.connect(self._on_click)
        self._graphics.scene().sigMouseMoved.connect(self._on_hover)

        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._readout)
        layout.addWidget(self._graphics, 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(QSize(220, 165))
        self._graphics.setToolTip(
            "Score of each slice (left) and the spread of the scores (right): the box holds the middle half, "
            "its line is the median.\nThe band around a curve holds the true score nine times in ten. Below: "
            "what pulls the scores of the selected run down.\nClick to go to a slice; drag to move, wheel to "
            "zoom, double-click for the whole range again."
        )

    def sizeHint(self) -> QSize:
        """Return a size that leaves room for the lists below in a 1280 x 720 window."""
        return QSize(380, 280)

    def _prepare_axes(self) -> None:
        for plot in (self._curve_plot, self._box_plot):
            plot.getAxis("bottom").setHeight(_BETWEEN_PLOTS)  # of one height, so that the scores align
            plot.getAxis("bottom").setTicks([[]])
            plot.setYRange(*_SHOWN_SCORES, padding=0)
            plot.setLimits(yMin=_SHOWN_SCORES[0], yMax=_SHOWN_SCORES[1])
            plot.showGrid(y=True, alpha=0.15)
            plot.getAxis("bottom").enableAutoSIPrefix(False)  # "Spread (x0.001)" would mean nothing
            plot.hideButtons()
            plot.getAxis("left").setTicks([_SCORE_TICKS])
        for plot in (self._curve_plot, self._parts_plot):
            plot.getAxis("left").setWidth(34)  # of one width, so that the slices align
        self._curve_plot.setLabel("left", "Score (5 best)")
        self._curve_plot.setMouseEnabled(x=True, y=False)
        self._parts_plot.getAxis("bottom").setHeight(_BOTTOM_AXIS_HEIGHT)
        self._parts_plot.setLabel("bottom", "Slice")
        self._parts_plot.setXLink(self._curve_plot)
        self._box_plot.setLabel("bottom", "Spread")
        self._box_plot.getAxis("left").setStyle(showValues=False, tickLength=0)
        self._box_plot.setMouseEnabled(x=False, y=False)
        self._box_plot.setMinimumWidth(60)
        self._box_plot.setYLink(self._curve_plot)
        for plot in (self._curve_plot, self._parts_plot):
            plot.getViewBox().sigRangeChangedManually.connect(self._on_zoomed)

    def show_runs(self, curves: Sequence[Curve], current: ScoreRun | None) -> None:
        """Draw these runs and no others; the marker and clicks refer to the current one."""
        self._current = current
        self._shown = curves
        self._choose_abscissa([curve.run for curve in curves])
        wanted = {curve.run.key for curve in curves}
        for key in [key for key in self._curves if key not in wanted]:
            self._curve_plot.removeItem(self._curves.pop(key))
            self._curve_plot.removeItem(self._bands.pop(key))
        for curve in curves:
            self._draw_curve(curve)
        self._draw_flags()
        self._draw_parts()
        self._draw_boxes(curves)
        if not self._zoomed:
            self._show_whole_range()
        self._place_marker()

    def set_marker(self, index: int | None) -> None:
        """Put the marker at a slice of the current run; None hides it."""
        self._marker_slice = index
        self._place_marker()

    def set_theme(self, theme: Theme) -> None:
        """Take napari's colours."""
        text, ground = (QColor(*colour.as_rgb_tuple()[:3]) for colour in (theme.text, theme.background))
        self._ground_colours = text, ground
        self._paint(text, ground)

    def _paint(self, text: QColor, ground: QColor) -> None:
        self._graphics.setBackground(ground)
        for plot in (self._curve_plot, self._box_plot, self._parts_plot):
            for side in ("left", "bottom"):
                axis = plot.getAxis(side)
                axis.setPen(self._pen(_faint(text), 1))
                axis.setTextPen(text)
        self._marker.setPen(self._pen(_faint(text), 1.5))
        self._marker_dot.setPen(self._pen(text, 1.5))
        self._text_colour = text
        for curve in self._shown:
            self._draw_curve(curve)
        self._draw_boxes(self._shown)
        self._draw_flags()

    def _pen(self, colour: QColor | str, width: float) -> QPen:
        return pg.mkPen(colour, width=width * self._pen_scale)

    def save_png(self, path: str) -> None:
        """Write the plot as a picture for a paper: sharp, on white, with the names of its runs.

        Raises
        ------
        OSError
            The file cannot be written.
        """
        line = int(1.6 * self.fontMetrics().height())
        plot_height = self._graphics.height()
        size = QSize(self._graphics.width(), plot_height + line * len(self._shown))
        picture = QImage(size * _EXPORT_SCALE, QImage.Format.Format_RGB32)
        picture.setDevicePixelRatio(_EXPORT_SCALE)
        picture.fill(QColor("white"))
        painter = QPainter(picture)
        painter.setFont(self.font())
        for row, curve in enumerate(self._shown):
            y = row * line
            painter.fillRect(QRect(12, y + line // 2 - 5, 10, 10), QColor(curve.colour))
            painter.setPen(QColor("black"))
            painter.drawText(
                QRect(30, y, size.width() - 34, line), Qt.AlignmentFlag.AlignVCenter, curve.run.title()
            )
        for item in (self._marker, self._marker_dot):
            item.hide()
        self._pen_scale = _EXPORT_SCALE  # Qt draws a plot's pens as wide on paper as on the screen
        self._paint(QColor("black"), QColor("white"))
        below = QRectF(0, size.height() - plot_height, size.width(), plot_height)
        self._graphics.render(painter, below, self._graphics.viewport().rect())
        painter.end()
        self._pen_scale = 1
        self._paint(*self._ground_colours)
        self._place_marker()
        if not picture.save(path, "PNG"):
            raise OSError(f"{path} is not writable")

    def _choose_abscissa(self, runs: list[ScoreRun]) -> None:
        """Plot against the position where all runs have one in the same unit, else against the slice."""
        scales = {(run.axis, run.unit) for run in runs}
        axes = {run.axis for run in runs}
        self._by_position = len(scales) == 1 and scales.isdisjoint({(axis, "pixel") for axis in axes})
        if self._by_position:
            [(axis, unit)] = scales
            label = f"Position along {axis} ({unit})"
        else:
            label = f"Slice along {axes.pop()}" if len(axes) == 1 and SINGLE_IMAGE not in axes else "Slice"
        axis_item = self._parts_plot.getAxis("bottom")
        if label != axis_item.labelText:
            self._parts_plot.setLabel("bottom", label)
            axis_item.resizeEvent()  # else pyqtgraph centres a label only at a change of size

    def _abscissa(self, run: ScoreRun) -> np.ndarray:
        return run.positions if self._by_position else run.slices.astype(float)

    def _show_whole_range(self) -> None:
        """Show all of every curve, and of one that grows the room for the rest too."""
        ends: list[float] = []
        for run in (curve.run for curve in self._shown):
            if not run.ended:
                ends += [0, (run.asked - 1) * (run.spacing if self._by_position else 1)]
            elif run.rows:
                abscissa = self._abscissa(run)
                ends += [float(abscissa.min()), float(abscissa.max())]
        if ends:
            alone = min(ends) == max(ends)  # a single image
            self._curve_plot.setXRange(min(ends) - alone, max(ends) + alone, padding=0.02)

    def _on_zoomed(self) -> None:
        self._zoomed = True

    def _draw_curve(self, curve: Curve) -> None:
        run = curve.run
        item = self._curves.get(run.key)
        if item is None:
            item = self._curves[run.key] = self._curve_plot.plot(connect="finite", useCache=False)
            band = self._bands[run.key] = FilledArea(curve.colour, _BAND_OPACITY)
            band.setZValue(-1)
            self._curve_plot.addItem(band, ignoreBounds=True)
        is_current = self._current is not None and run.key == self._current.key
        item.setPen(self._pen(curve.colour, 2 if is_current and len(run.rows) <= _MANY_POINTS else 1.2))
        item.setSymbol("o" if len(run.rows) <= _FEW_POINTS else None)
        item.setSymbolSize(5 if len(run.rows) > 1 else 9)
        item.setSymbolBrush(curve.colour)
        item.setSymbolPen(None)
        item.setZValue(1 if is_current else 0)
        abscissa, scores, uncertainty = self._abscissa(run), run.scores, run.column("uncertainty")
        item.setData(abscissa, scores)
        low, high = np.clip([scores - uncertainty, scores + uncertainty], *SCORE_RANGE)
        self._bands[run.key].set_data(abscissa, low, high, self._spacing(run))

    def _spacing(self, run: ScoreRun) -> float:
        return run.spacing if self._by_position else 1.0

    def _draw_flags(self) -> None:
        """Mark, at the bottom, the slices whose score should not be relied on."""
        flagged = [(self._abscissa(c.run)[c.run.flagged], pg.mkBrush(c.colour)) for c in self._shown]
        x = np.concatenate([np.empty(0), *(places for places, _ in flagged)])
        brushes = [brush for places, brush in flagged for _ in places]
        self._flags.setData(x, np.full(len(x), SCORE_RANGE[0]), brush=brushes)
        self._parts_plot.show_legend(self._text_colour, flags=bool(len(x)))

    def _draw_parts(self) -> None:
        run = self._current
        if run is None or all(curve.run.key != run.key for curve in self._shown):
            self._parts_plot.show_run(None, np.empty(0), 1.0)
        else:
            self._parts_plot.show_run(run, self._abscissa(run), self._spacing(run))

    def _draw_boxes(self, curves: Sequence[Curve]) -> None:
        for box in self._boxes:
            self._box_plot.removeItem(box)
        self._boxes = []
        for place, curve in enumerate(curves):
            scores = curve.run.valid_scores
            if not scores.size:
                continue
            box = score_box(place, scores, curve.colour, _BOX_WIDTH, self._pen_scale)
            self._box_plot.addItem(box)
            self._boxes.append(box)
        self._box_plot.setXRange(-0.6, max(len(curves), 1) - 0.4, padding=0)

    def _place_marker(self) -> None:
        run, index = self._current, self._marker_slice
        self._marker.setVisible(run is not None and index is not None)
        if run is not None and index is not None:
            self._marker.setValue(index * run.spacing if self._by_position else index)
        row = self._marked_row()
        if row is None or not np.isfinite(row.score) or run is None:
            self._marker_dot.setData([], [])
        else:
            colour = next((c.colour for c in self._shown if c.run.key == run.key), None)
            self._marker_dot.setData([self._marker.value()], [row.score], brush=pg.mkBrush(colour))
            self._marker_dot.setVisible(colour is not None)
        self._read_out()

    def _marked_row(self) -> ScoredSlice | None:
        """Return the current run's row at napari's slider, None where it has not been scored."""
        if self._current is None or self._marker_slice is None:
            return None
        return next((row for row in self._current.rows if row.slice == self._marker_slice), None)

    def _read_out(self) -> None:
        """Write out the score below the pointer, else the one at napari's slider."""
        row = self._hovered_row or self._marked_row()
        if row is None or self._current is None:
            self._readout.setText("")
            return
        position = "" if self._current.unit == "pixel" else f" ({row.position:.4g} {self._current.unit})"
        mark = f"{FLAG} " if row.flagged else ""
        self._readout.setText(f"{mark}slice {row.slice}{position}: {score_sentence(row)}")

    def _nearest_row(self, scene_position: QPointF) -> ScoredSlice | None:
        """Return the slice of the current run below the pointer, None where the pointer is elsewhere."""
        if self._current is None or not self._current.rows:
            return None
        views = [plot.getViewBox() for plot in (self._curve_plot, self._parts_plot)]
        if not any(view.sceneBoundingRect().contains(scene_position) for view in views):
            return None
        x = views[0].mapSceneToView(scene_position).x()
        return self._current.rows[int(np.argmin(np.abs(self._abscissa(self._current) - x)))]

    def _on_click(self, event: Any) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if event.double():
            self._zoomed = False
            self._show_whole_range()
        elif (row := self._nearest_row(event.scenePos())) is not None:
            self.slice_clicked.emit(row.slice)

    def _on_hover(self, scene_position: QPointF) -> None:
        self._hovered_row = self._nearest_row(scene_position)
        self._read_out()


def _faint(colour: QColor) -> QColor:
    fainter = QColor(colour)
    fainter.setAlpha(130)
    return fainter
