"""The plot of a comparison: a box of scores for each pipeline, as in the paper's Figs. 4 and S4."""

import textwrap
from collections.abc import Mapping

import numpy as np
import pyqtgraph as pg
from napari.utils.theme import Theme
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from napari_tiqa.jobs.filtering.compare import UNFILTERED
from napari_tiqa.jobs.filtering.objective import SCORE
from napari_tiqa.jobs.filtering.trial import Trial
from napari_tiqa.widgets.filtering.plot import AXIS_LABELS, range_of
from napari_tiqa.widgets.shared.score_box import score_box
from napari_tiqa.widgets.shared.themed_plot import FilterPlot, faint

_BOX_WIDTH = 0.5
_MOST_DOTS = 60  # slices: more dots than that hide one another
_NAME_LINES = 3
_CHARACTERS = 60  # of all names side by side, in a dock of 430 px


class ComparePlot(FilterPlot):
    """Boxes side by side; the dashed line is the median of the slices unfiltered."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            "The scores of the slices with each pipeline, a dot each. The box holds the middle half, its\n"
            "line is the median; the dashed line is the median of the slices unfiltered.",
            parent,
        )
        self.plot = self.add_plot(0)
        self.plot.showGrid(y=True, alpha=0.15)
        self.plot.setLabel("left", AXIS_LABELS[SCORE])
        self.plot.getAxis("bottom").setHeight(_NAME_LINES * self.fontMetrics().height() + 6)
        self._unfiltered = pg.InfiniteLine(angle=0)
        self._unfiltered.setZValue(-1)
        self.plot.addItem(self._unfiltered, ignoreBounds=True)
        self.boxes: dict[str, pg.BoxplotItem] = {}
        self._dots: list[pg.ScatterPlotItem] = []
        self._shown: tuple[Mapping[str, Trial], Mapping[str, str]] = ({}, {})
        self.setMinimumSize(QSize(220, 190))

    def sizeHint(self) -> QSize:
        """Return a size that leaves room for the list in a window of 768 px."""
        return QSize(380, 230)

    def show_trials(self, trials: Mapping[str, Trial], colours: Mapping[str, str]) -> None:
        """Draw these pipelines and no others.

        Parameters
        ----------
        trials : mapping of str to Trial
            By the pipeline's name; one that failed keeps its place, empty.
        colours : mapping of str to str
            Of each pipeline.
        """
        self._shown = trials, colours
        for item in (*self.boxes.values(), *self._dots):
            self.plot.removeItem(item)
        self.boxes, self._dots = {}, []
        for place, (name, trial) in enumerate(trials.items()):
            scores = np.array(trial.slice_scores)
            if not trial.failure:
                self._add_box(place, name, scores, colours[name])
        nothing = trials.get(UNFILTERED)
        self._unfiltered.setVisible(nothing is not None)
        if nothing is not None:
            self._unfiltered.setValue(float(np.median(nothing.slice_scores)))
            self._unfiltered.setPen(pg.mkPen(faint(self.text), width=1.5, style=Qt.PenStyle.DashLine))
        self.plot.getAxis("bottom").setTicks([list(enumerate(_wrapped(list(trials))))])
        self.plot.setXRange(-0.6, max(len(trials), 1) - 0.4, padding=0)
        self.plot.setYRange(
            *range_of([score for trial in trials.values() for score in trial.slice_scores], SCORE), padding=0
        )

    def set_theme(self, theme: Theme) -> None:
        """Take napari's colours."""
        super().set_theme(theme)
        self.show_trials(*self._shown)

    def _add_box(self, place: float, name: str, scores: np.ndarray, colour: str) -> None:
        dotted = 1 < len(scores) <= _MOST_DOTS
        box = self.boxes[name] = score_box(place, scores, colour, _BOX_WIDTH, outliers=not dotted)
        self.plot.addItem(box)
        if dotted:
            beside = place + np.linspace(-0.12, 0.12, len(scores))
            dots = pg.ScatterPlotItem(
                beside, scores, size=5, brush=QColor(colour), pen=pg.mkPen(self.ground, width=0.5)
            )
            self._dots.append(dots)
            self.plot.addItem(dots)


def _wrapped(names: list[str]) -> list[str]:
    """Return names on a few lines, so that they stand side by side."""
    width = max(6, _CHARACTERS // max(len(names), 1))
    return [
        "\n".join(textwrap.wrap(name, width, max_lines=_NAME_LINES, placeholder="…")) or name
        for name in names
    ]
