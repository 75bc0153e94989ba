"""The plot of a tuning of more than two parameters: each setting in turn, and the best so far."""

import numpy as np
import pyqtgraph as pg
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from napari_tiqa.jobs.filtering.trial import Trial
from napari_tiqa.widgets.filtering.tune.trials_plot import (
    AXIS_LABELS,
    BEST,
    CURVE,
    TrialsPlot,
    Tried,
    UnfilteredLine,
    range_of,
    values_of,
)
from napari_tiqa.widgets.shared.themed_plot import faint


class TuneSearch(TrialsPlot):
    """What settings are compared by, against the number of the setting."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            "What the best is chosen by, of each setting in the order tried; the line is the best so far,\n"
            "the star the best, the dashed line the slices unfiltered.\n"
            "Point at a setting to read it, click to try it.",
            parent,
        )
        self.search_plot = self.add_plot(0)
        self.search_plot.setLabel("bottom", "Setting tried")
        self.unfiltered = UnfilteredLine()
        self.dots = pg.ScatterPlotItem(size=6, pen=None, brush=faint(QColor(CURVE), 190))
        self.best_so_far = self.search_plot.plot(stepMode="right")
        for item in (self.unfiltered, self.dots, self._best):
            self.search_plot.addItem(item, ignoreBounds=True)
        self._numbers: dict[int, int] = {}

    @property
    def main_plot(self) -> pg.PlotItem:
        """The one plot."""
        return self.search_plot

    def place(self, trial: Trial) -> tuple[float, float]:
        """Return number and objective."""
        return float(self._numbers[id(trial)]), trial.objective

    def show_tried(self, tried: Tried) -> None:
        """Draw these trials and no others."""
        self._numbers = {id(trial): number for number, trial in enumerate(tried.trials, start=1)}
        super().show_tried(tried)
        values, nothing = values_of(tried, "objective")
        numbers = np.arange(1, len(values) + 1)
        self.dots.setData(numbers, values)
        self.best_so_far.setData(numbers, np.maximum.accumulate(values), pen=pg.mkPen(BEST, width=2))
        self.unfiltered.show_value(nothing, self.text)
        self.search_plot.setLabel("left", AXIS_LABELS[tried.aim])
        self.search_plot.setXRange(0.5, max(len(values), 10) + 0.5, padding=0)
        self.search_plot.setYRange(*range_of([*values, nothing], tried.aim), padding=0)
