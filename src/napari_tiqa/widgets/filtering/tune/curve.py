"""The plot of a tuning of one parameter: what each value gains, and what it costs in detail."""

from dataclasses import replace
from math import isfinite

import numpy as np
import pyqtgraph as pg
from qtpy.QtGui import QColor, QResizeEvent
from qtpy.QtWidgets import QWidget

from napari_tiqa.jobs.filtering.objective import SCORE
from napari_tiqa.jobs.filtering.trial import Trial
from napari_tiqa.widgets.filtering.tune.trials_plot import (
    AS_GOOD,
    AXIS_LABELS,
    CURVE,
    DETAIL,
    SCORE_CURVE,
    TrialsPlot,
    Tried,
    UnfilteredLine,
    range_of,
    values_of,
)
from napari_tiqa.widgets.shared.themed_plot import faint

_LEFT_WIDTH = 54  # px, of one width so that the values align
_ROOM_FOR_THREE = 200  # px
_NO_LIMIT = 16_777_215  # px, Qt's own
# Quantity of a trial: label, colour, share of the height.
_CURVES = {
    "objective": ("", CURVE, 5),
    "score": (AXIS_LABELS[SCORE], SCORE_CURVE, 3),
    "detail_loss": ("Lost, %", DETAIL, 3),
}
_LEAST_LOSS = 10.0  # per cent: a loss that nobody sees is not blown up


class TuneCurve(TrialsPlot):
    """Fidelity, score and detail lost, below one another, against the value of the one parameter.

    Where settings are compared by the score, there is no fidelity.
    """

    along_only = True

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            "At the top what the best is chosen by, at each value; the star is the best, the dashed line\n"
            "the slices unfiltered; in the green range all values are as good, as far as it can tell.\n"
            "At the bottom: what it costs, per cent of edge steepness lost; less than 0 is sharpened.\n"
            "Point at a value to read it, click to try it.",
            parent,
        )
        self.curves = {name: _Curve(self, row, *of) for row, (name, of) in enumerate(_CURVES.items())}
        self.as_good = pg.LinearRegionItem(
            brush=faint(QColor(AS_GOOD), 60), pen=pg.mkPen(None), movable=False
        )
        self.as_good.setZValue(-1)
        for item in (self.as_good, self._best):
            self.main_plot.addItem(item, ignoreBounds=True)
        self._lowest.setXLink(self.main_plot)
        self.curves["score"].plot.setXLink(self.main_plot)

    @property
    def main_plot(self) -> pg.PlotItem:
        """The plot of what settings are compared by."""
        return self.curves["objective"].plot

    @property
    def plots(self) -> tuple[pg.PlotItem, ...]:
        """All that are shown."""
        return tuple(curve.plot for curve in self.curves.values() if curve.plot.isVisible())

    @property
    def _lowest(self) -> pg.PlotItem:
        return self.curves["detail_loss"].plot

    def place(self, trial: Trial) -> tuple[float, float]:
        """Return value and objective."""
        return self.tried.axes[0].place(trial.values[0]), trial.objective

    def show_tried(self, tried: Tried) -> None:
        """Draw these trials and no others."""
        super().show_tried(tried)
        (axis,) = tried.axes
        self._show_rows(tried.aim)
        in_order = sorted(tried.trials, key=lambda trial: axis.place(trial.values[0]))
        places = np.array([axis.place(trial.values[0]) for trial in in_order])
        for name, curve in self.curves.items():
            values, nothing = values_of(replace(tried, trials=tuple(in_order)), name)
            curve.show_values(places, np.array(values), nothing, self.text, joined=not axis.is_choice)
        self.as_good.setVisible(bool(tried.as_good) and not axis.is_choice)
        if self.as_good.isVisible():
            self.as_good.setRegion([axis.place(value) for value in tried.as_good[0]])
        for name, aim in (("objective", tried.aim), ("score", SCORE)):
            values, nothing = values_of(tried, name)
            self.curves[name].plot.setYRange(*range_of([*values, nothing], aim), padding=0)
        losses = [0.0, _LEAST_LOSS, *filter(isfinite, values_of(tried, "detail_loss")[0])]
        room = 0.1 * (max(losses) - min(losses))
        self._lowest.setYRange(min(losses) - room, max(losses) + room, padding=0)
        self.main_plot.setXRange(*axis.range, padding=0.04)
        self._lowest.setLabel("bottom", axis.label)
        self._lowest.getAxis("bottom").setTicks([axis.ticks])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show two plots in place of three where these would be too low to read."""
        super().resizeEvent(event)
        self._show_rows(self.tried.aim)

    def _show_rows(self, aim: str) -> None:
        """Have no plot of the score below itself, nor where there is no room: pointing at a dot tells it."""
        self.main_plot.setLabel("left", AXIS_LABELS[aim])
        score, hidden = self.curves["score"].plot, aim == SCORE or self.height() < _ROOM_FOR_THREE
        score.setVisible(not hidden)
        score.setMaximumHeight(0 if hidden else _NO_LIMIT)
        self.graphics.ci.layout.setRowStretchFactor(1, 0 if hidden else _CURVES["score"][2])


class _Curve:
    """One of the plots: a curve with dots, and the level of the slices unfiltered."""

    def __init__(self, within: TrialsPlot, row: int, label: str, colour: str, stretch: int) -> None:
        self._colour = colour
        self.plot = within.add_plot(row)
        self.plot.setLabel("left", label)
        self.plot.getAxis("left").setWidth(_LEFT_WIDTH)
        self.plot.getAxis("bottom").setTicks([[]])
        within.graphics.ci.layout.setRowStretchFactor(row, stretch)
        if row < len(_CURVES) - 1:
            self.plot.getAxis("bottom").setHeight(6)
        self.curve = self.plot.plot(symbol="o", symbolSize=5, symbolPen=None, symbolBrush=colour)
        self.unfiltered = UnfilteredLine(named=row == 0)
        self.plot.addItem(self.unfiltered, ignoreBounds=True)

    def show_values(
        self, places: np.ndarray, values: np.ndarray, nothing: float, text: QColor, *, joined: bool
    ) -> None:
        """Draw a value at each place."""
        known = np.isfinite(values)
        self.curve.setData(
            places[known], values[known], pen=pg.mkPen(self._colour, width=2) if joined else pg.mkPen(None)
        )
        self.unfiltered.show_value(nothing, text)
