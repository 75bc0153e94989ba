"""The plot of a tuning of one parameter: the score at each value, and what it costs in detail."""

from math import isfinite

import pyqtgraph as pg
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from napari_tiqa.jobs.trial import Trial
from napari_tiqa.widgets.filter_plot import AS_GOOD, CURVE, DETAIL, faint, score_range
from napari_tiqa.widgets.filter_trials_plot import TrialsPlot, Tried, UnfilteredLine, scores_shown

_LEFT_WIDTH = 44  # px, of one width so that the values align
_LEAST_LOSS = 10.0  # per cent: a loss that nobody sees is not blown up


class TuneCurve(TrialsPlot):
    """Score above, detail lost below, against the value of the one parameter."""

    along_only = True

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            "Above: the mean score at each value; the star is the best, the dashed line the slices\n"
            "unfiltered; in the green range all values are as good, as far as the score can tell.\n"
            "Below: per cent of edge steepness lost; less than 0 is sharpened.\n"
            "Point at a value to read it, click to try it.",
            parent,
        )
        self.score_plot, self.loss_plot = self.add_plot(0), self.add_plot(1)
        self.graphics.ci.layout.setRowStretchFactor(0, 5)
        self.graphics.ci.layout.setRowStretchFactor(1, 3)
        self.as_good = pg.LinearRegionItem(
            brush=faint(QColor(AS_GOOD), 60), pen=pg.mkPen(None), movable=False
        )
        self.as_good.setZValue(-1)
        self.unfiltered = UnfilteredLine()
        self.curve = self.score_plot.plot(symbol="o", symbolSize=6, symbolPen=None, symbolBrush=CURVE)
        self.loss = self.loss_plot.plot(symbol="o", symbolSize=4, symbolPen=None, symbolBrush=DETAIL)
        self._no_loss = pg.InfiniteLine(angle=0, pos=0)
        for item in (self.as_good, self.unfiltered, self._best):
            self.score_plot.addItem(item, ignoreBounds=True)
        self.loss_plot.addItem(self._no_loss, ignoreBounds=True)
        for plot in (self.score_plot, self.loss_plot):
            plot.showGrid(y=True, alpha=0.15)
            plot.getAxis("left").setWidth(_LEFT_WIDTH)
        self.score_plot.setLabel("left", "Score (5 best)")
        self.loss_plot.setLabel("left", "Detail lost, %")
        self.score_plot.getAxis("bottom").setTicks([[]])
        self.score_plot.getAxis("bottom").setHeight(6)
        self.loss_plot.setXLink(self.score_plot)

    @property
    def main_plot(self) -> pg.PlotItem:
        """The plot of scores."""
        return self.score_plot

    def place(self, trial: Trial) -> tuple[float, float]:
        """Return value and score."""
        return self.tried.axes[0].place(trial.values[0]), trial.score

    def show_tried(self, tried: Tried) -> None:
        """Draw these trials and no others."""
        super().show_tried(tried)
        (axis,) = tried.axes
        in_order = sorted(tried.trials, key=lambda trial: axis.place(trial.values[0]))
        places = [self.place(trial) for trial in in_order]
        joined = None if axis.is_choice else 2
        self.curve.setData([x for x, _ in places], [y for _, y in places], pen=_pen(CURVE, joined))
        losses = [
            (x, t.detail_loss) for (x, _), t in zip(places, in_order, strict=True) if isfinite(t.detail_loss)
        ]
        self.loss.setData([x for x, _ in losses], [loss for _, loss in losses], pen=_pen(DETAIL, joined))
        self._no_loss.setPen(pg.mkPen(faint(self.text)))
        self.unfiltered.show_trial(tried.nothing, self.text)
        self.as_good.setVisible(bool(tried.as_good) and not axis.is_choice)
        if self.as_good.isVisible():
            self.as_good.setRegion([axis.place(value) for value in tried.as_good[0]])
        first, last = axis.range
        self.score_plot.setXRange(first, last, padding=0.04)
        self.score_plot.setYRange(*score_range(scores_shown(tried)), padding=0)
        lowest, highest = min([0.0, *(y for _, y in losses)]), max([_LEAST_LOSS, *(y for _, y in losses)])
        room = 0.1 * (highest - lowest)
        self.loss_plot.setYRange(lowest - room, highest + room, padding=0)
        self.loss_plot.setLabel("bottom", axis.label)
        self.loss_plot.getAxis("bottom").setTicks([axis.ticks])


def _pen(colour: str, width: float | None) -> object:
    return pg.mkPen(None) if width is None else pg.mkPen(colour, width=width)
