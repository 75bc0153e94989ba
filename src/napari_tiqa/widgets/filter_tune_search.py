"""The plot of a tuning of more than two parameters: each setting in turn, and the best so far."""

import numpy as np
import pyqtgraph as pg
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from napari_tiqa.jobs.trial import Trial
from napari_tiqa.widgets.filter_plot import BEST, CURVE, faint, score_range
from napari_tiqa.widgets.filter_trials_plot import TrialsPlot, Tried, UnfilteredLine, scores_shown


class TuneSearch(TrialsPlot):
    """Score against the number of the setting."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            "The mean score of each setting in the order tried; the line is the best so far, the star the\n"
            "best, the dashed line the slices unfiltered.\n"
            "Point at a setting to read it, click to try it.",
            parent,
        )
        self.search_plot = self.add_plot(0)
        self.search_plot.showGrid(y=True, alpha=0.15)
        self.search_plot.setLabel("left", "Score (5 best)")
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
        """Return number and score."""
        return float(self._numbers[id(trial)]), trial.score

    def show_tried(self, tried: Tried) -> None:
        """Draw these trials and no others."""
        self._numbers = {id(trial): number for number, trial in enumerate(tried.trials, start=1)}
        super().show_tried(tried)
        scores = np.array([trial.score for trial in tried.trials])
        numbers = np.arange(1, len(scores) + 1)
        self.dots.setData(numbers, scores)
        self.best_so_far.setData(numbers, _of_best(tried.trials), pen=pg.mkPen(BEST, width=2))
        self.unfiltered.show_trial(tried.nothing, self.text)
        self.search_plot.setXRange(0.5, max(len(scores), 10) + 0.5, padding=0)
        self.search_plot.setYRange(*score_range(scores_shown(tried)), padding=0)


def _of_best(trials: tuple[Trial, ...]) -> np.ndarray:
    """Return, after each trial, the score of the setting with the highest objective until then."""
    if not trials:
        return np.empty(0)
    best, scores = trials[0], []
    for trial in trials:
        best = max(best, trial, key=lambda one: one.objective)
        scores.append(best.score)
    return np.array(scores)
