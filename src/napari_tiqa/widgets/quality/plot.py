"""The plots of the quality dock: curves of score or figures, a box for each, and what scores lose."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor

from napari_tiqa.scoring.scale import SCORE_RANGE
from napari_tiqa.scoring.sentence import score_figure, score_sentence
from napari_tiqa.scoring.table import ScoredSlice
from napari_tiqa.widgets.quality.parts_plot import FLAG, FilledArea, PartsPlot
from napari_tiqa.widgets.quality.plotted import SCORE, Plotted
from napari_tiqa.widgets.quality.score_run import SINGLE_IMAGE, ScoreRun
from napari_tiqa.widgets.shared.themed_plot import SlicePlot, faint

_ROOM = 0.08  # of the range of a figure, above and below it
_SCORE_TICKS = [(1, "1"), (2, "2"), (3, "3"), (4, "4"), (5, "5")]
_SHOWN_SCORES = (0.75, 5.4)
_BOX_WIDTH = 0.55
_BAND_OPACITY = 0.3
_BETWEEN_PLOTS = 18  # px
_BOTTOM_AXIS_HEIGHT = 36  # px
_BESIDE_NUMBERS = 26  # px, of an axis: its title and ticks
_WIDEST_FIGURE = "00000"
_FLAT = 0.004  # of the range shown; values closer together are drawn as a line instead of a box
_MANY_POINTS = 500  # from here a thick curve hides itself


@dataclass(frozen=True)
class Curve:
    """A run and the colour it is drawn in."""

    run: ScoreRun
    colour: str


class ScorePlot(SlicePlot):
    """Curves of score or of a physical figure against slice, and their box plots, on a common axis."""

    def __init__(self) -> None:
        super().__init__(
            "Score of each slice (left) and the spread of the scores (right): the box holds the middle half, "
            "its line is the median.\nThe band around a curve holds the true score nine times in ten. Below: "
            "what pulls the scores of the selected run down.\nClick to go to a slice; drag to move, wheel to "
            "zoom, double-click for the whole range again.",
            least=(220, 165),
            usual=(380, 190),  # more where the window has it
        )
        self.graphics.ci.setContentsMargins(2, 6, 4, 2)
        self.graphics.ci.setSpacing(4)
        self._curve_plot = self.add_plot(0, 0)
        self._box_plot = self.add_plot(0, 1)
        self._parts_plot = PartsPlot()
        self.add_plot(1, 0, self._parts_plot)
        self._parts_plot.showGrid(y=False)
        self.graphics.addItem(self._parts_plot.legend, row=1, col=1)
        for line, stretch in enumerate((5, 3)):
            self.graphics.ci.layout.setRowStretchFactor(line, stretch)
        for line, stretch in enumerate((4, 1)):
            self.graphics.ci.layout.setColumnStretchFactor(line, stretch)
        self._curves: dict[str, pg.PlotDataItem] = {}
        self._bands: dict[str, FilledArea] = {}
        self._boxes: list[pg.BoxplotItem] = []
        self._current: ScoreRun | None = None
        self._plotted = SCORE
        self._by_position = False
        self._shown: Sequence[Curve] = ()
        self._zoomed = False
        self._flags = pg.ScatterPlotItem(symbol="t1", size=8, pen=None)
        self._marker = pg.InfiniteLine(angle=90)
        self._marker_dot = pg.ScatterPlotItem(size=9)
        self._prepare_axes()
        for item in (self._marker, self._marker_dot, self._flags):
            self._curve_plot.addItem(item, ignoreBounds=True)
        self._flags.setZValue(2)
        self._marker_dot.setZValue(2)

    def _prepare_axes(self) -> None:
        for plot in (self._curve_plot, self._box_plot):
            plot.getAxis("bottom").setHeight(_BETWEEN_PLOTS)  # of one height, so that the scores align
            plot.getAxis("bottom").setTicks([[]])
        self._parts_plot.getAxis("bottom").setHeight(_BOTTOM_AXIS_HEIGHT)
        self._parts_plot.setLabel("bottom", "Slice")
        self._parts_plot.setXLink(self._curve_plot)
        self._box_plot.setLabel("bottom", "Spread")
        self._box_plot.getAxis("left").setStyle(showValues=False, tickLength=0)
        self._box_plot.setMinimumWidth(60)
        self._box_plot.setYLink(self._curve_plot)
        for plot in (self._curve_plot, self._parts_plot):
            plot.setMouseEnabled(x=True, y=False)
            plot.getViewBox().sigRangeChangedManually.connect(self._on_zoomed)
        self._show_ordinate()
        self._curve_plot.getViewBox().sigResized.connect(self._title_ordinate)

    def set_plotted(self, plotted: Plotted) -> None:
        """Choose the column of numbers that is plotted; drawn with the next `show_runs`."""
        self._plotted = plotted

    def _show_ordinate(self) -> None:
        """Show the axis from 1 to 5, or over all values of a figure; its title has the unit."""
        plotted, runs = self._plotted, [curve.run for curve in self._shown]
        low, high = _SHOWN_SCORES
        if plotted.is_figure:
            values = np.concatenate([np.empty(0), *(plotted.values(run) for run in runs)])
            values = values[np.isfinite(values)]
            low, high = (values.min(), values.max()) if len(values) else (0.0, 1.0)
            room = _ROOM * (high - low) or abs(high) * _ROOM or 1.0
            low, high = low - room, high + room
        for plot in (self._curve_plot, self._box_plot):
            plot.setLimits(yMin=low, yMax=high)  # first: they would clip a larger range
            plot.setYRange(low, high, padding=0)
            plot.getAxis("left").setTicks(None if plotted.is_figure else [_SCORE_TICKS])
        numbers = self.fontMetrics().horizontalAdvance(_WIDEST_FIGURE if plotted.is_figure else "5")
        for plot in (self._curve_plot, self._parts_plot):
            plot.getAxis("left").setWidth(_BESIDE_NUMBERS + numbers)  # of one width, so that the slices align
        self._bottom = low if plotted.is_figure else SCORE_RANGE[0]
        self._title_ordinate()

    def _title_ordinate(self) -> None:
        """Write what is plotted and its unit beside the axis, where there is no room the unit alone."""
        axis = self._curve_plot.getAxis("left")
        for label in self._plotted.axis_labels([curve.run for curve in self._shown]):
            if self.fontMetrics().horizontalAdvance(label) <= self._curve_plot.getViewBox().height():
                break
        if label != axis.labelText:
            self._curve_plot.setLabel("left", label)
            axis.resizeEvent()  # else pyqtgraph centres a label only at a change of size

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
        self._show_ordinate()
        self._draw_flags()
        self._draw_parts()
        self._draw_boxes(curves)
        if not self._zoomed:
            self._show_whole_range()
        self.place_marker()
        self.read_out()

    def paint(self) -> None:
        """Draw axes, curves, boxes and marker in the theme's colours."""
        super().paint()
        self._marker.setPen(self.pen(faint(self.text), 1.5))
        self._marker_dot.setPen(self.pen(self.text, 1.5))
        for curve in self._shown:
            self._draw_curve(curve)
        self._draw_boxes(self._shown)
        self._draw_flags()

    def save_png(self, path: str, titles: Sequence[tuple[str, str]] = ()) -> None:
        """Write the plot as a picture for a paper, see `SlicePlot.save_png`, with the names of its runs."""
        super().save_png(path, titles or [(curve.colour, curve.run.title()) for curve in self._shown])

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
        abscissa, values = self._abscissa(run), self._plotted.values(run)
        width = 2 if is_current and len(run.rows) <= _MANY_POINTS else 1.2
        self.draw_curve(item, abscissa, values, curve.colour, width)
        item.setSymbolSize(5 if len(run.rows) > 1 else 9)
        item.setZValue(1 if is_current else 0)
        uncertainty = np.full(len(values), np.nan) if self._plotted.is_figure else run.column("uncertainty")
        low, high = np.clip([values - uncertainty, values + uncertainty], *SCORE_RANGE)
        self._bands[run.key].set_data(abscissa, low, high, self._spacing(run))

    def _spacing(self, run: ScoreRun) -> float:
        return run.spacing if self._by_position else 1.0

    def _draw_flags(self) -> None:
        """Mark, at the bottom, the slices whose score should not be relied on."""
        flagged = [(self._abscissa(c.run)[c.run.flagged], pg.mkBrush(c.colour)) for c in self._shown]
        x = np.concatenate([np.empty(0), *(places for places, _ in flagged)])
        brushes = [brush for places, brush in flagged for _ in places]
        self._flags.setData(x, np.full(len(x), self._bottom), brush=brushes)
        self._parts_plot.show_legend(self.text, flags=bool(len(x)))

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
            values = self._plotted.values(curve.run)
            values = values[np.isfinite(values)]
            if not values.size:
                continue
            box = self._spread_box(place, values, curve.colour)
            self._box_plot.addItem(box)
            self._boxes.append(box)
        self._box_plot.setXRange(-0.6, max(len(curves), 1) - 0.4, padding=0)

    def _spread_box(self, place: float, values: np.ndarray, colour: str) -> pg.BoxplotItem:
        """Return a box plot of values, at least one, without NaN."""
        low, median, high = np.percentile(values, (25, 50, 75))
        bottom, top = self._curve_plot.getViewBox().viewRange()[1]
        flat = high - low < _FLAT * (top - bottom)
        outline = self.pen(colour, 1.2)
        outline.setCapStyle(Qt.PenCapStyle.FlatCap)  # else Qt paints a block where a whisker has no length
        median_pen = self.pen(colour, 2.5)
        box = pg.BoxplotItem(
            loc=[place],
            data=[values],
            width=_BOX_WIDTH,
            pen=None if flat else outline,
            brush=None if flat else faint(QColor(colour), 70),
            medianPen=None if flat else median_pen,
            outlier=True,
            symbolSize=4,
            symbolPen=None,
            symbolBrush=colour,
        )
        if flat:
            # Qt paints the outline of a box without height some score units thick, over its neighbours.
            ends = [place - _BOX_WIDTH / 2, place + _BOX_WIDTH / 2]
            pg.PlotDataItem(ends, [median, median], pen=median_pen).setParentItem(box)
        return box

    def place_marker(self) -> None:
        """Put the line at the marked slice of the current run, and a dot at its score."""
        run, index = self._current, self._marked
        self._marker.setVisible(run is not None and index is not None)
        if run is not None and index is not None:
            self._marker.setValue(index * run.spacing if self._by_position else index)
        value = self._value(self._marked)
        if run is None or not np.isfinite(value):
            self._marker_dot.setData([], [])
        else:
            colour = next((c.colour for c in self._shown if c.run.key == run.key), None)
            self._marker_dot.setData([self._marker.value()], [value], brush=pg.mkBrush(colour))
            self._marker_dot.setVisible(colour is not None)

    def _value(self, index: int | None) -> float:
        """Return what is plotted of a slice of the current run, NaN where that is not known."""
        if self._current is None or index is None:
            return np.nan
        (places,) = np.nonzero(self._current.slices == index)
        return float(self._plotted.values(self._current)[places[0]]) if len(places) else np.nan

    def _row(self, index: int | None) -> ScoredSlice | None:
        """Return the current run's row of a slice, None where it has not been scored."""
        rows = () if self._current is None else self._current.rows
        return next((row for row in rows if row.slice == index), None)

    def describe(self, index: int | None) -> str:
        """Return what is plotted of a slice of the current run, in words."""
        row, run = self._row(index), self._current
        if row is None or run is None:
            return ""
        mark = f"{FLAG} " if row.flagged else ""
        if not self._plotted.is_figure:
            return f"{mark}slice {row.slice}: {score_sentence(row)}"
        value = self._plotted.text(self._value(index), run) if row.slice in run.figures else "not measured"
        score = f", score {score_figure(row)}" if np.isfinite(row.score) else ""
        return f"{mark}slice {row.slice}: {value}{score}"

    def slices(self) -> tuple[Sequence[int], np.ndarray]:
        """Return the slices of the current run."""
        run = self._current
        return ([], np.empty(0)) if run is None else ([row.slice for row in run.rows], self._abscissa(run))

    def pointed_plots(self) -> Sequence[pg.PlotItem]:
        """Return the plots of scores and of what is lost."""
        return self._curve_plot, self._parts_plot

    def _on_click(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.LeftButton and event.double():
            self._zoomed = False
            self._show_whole_range()
        else:
            super()._on_click(event)
