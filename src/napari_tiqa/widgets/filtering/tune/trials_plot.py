"""What the three plots of a tuning share: the trials they show, pointing at one and clicking it."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import hypot, isfinite, nan
from typing import Any

import pyqtgraph as pg
from napari.utils.theme import Theme
from qtpy.QtCore import QPointF, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from napari_tiqa.figure_style import GREEN, ORANGE, PINK, SKY, VIOLET
from napari_tiqa.filtering.parameter import Value
from napari_tiqa.jobs.filtering.objective import FIDELITY, SCORE
from napari_tiqa.jobs.filtering.trial import Trial
from napari_tiqa.scoring.scale import SCORE_RANGE
from napari_tiqa.widgets.filtering.tune.axis import VariableAxis
from napari_tiqa.widgets.shared.themed_plot import ThemedPlot, faint

CURVE, SCORE_CURVE, DETAIL, BEST, AS_GOOD = SKY, VIOLET, PINK, ORANGE, GREEN
AXIS_LABELS = {FIDELITY: "Fidelity", SCORE: "Score"}
"""What stands along the axis of what settings are compared by."""
_LEAST_SPAN = {FIDELITY: 0.02, SCORE: 0.5}  # a difference that means nothing is not blown up
_NOTHING_KNOWN = {FIDELITY: (0.0, 1.0), SCORE: SCORE_RANGE}
_ROOM = 0.12  # of the range, above and below
_LEAST = (220, 120)  # px
_REACH = 40  # px around a dot in which the pointer means it


@dataclass(frozen=True)
class Tried:
    """What a tuning has tried so far, in order, without settings that failed; an axis per variable.

    `nothing` is the unfiltered slices, once scored. `as_good` has, per variable, the values that are as good
    as the best as far as the score can tell; it is empty until the tuning has ended.
    """

    axes: tuple[VariableAxis, ...]
    aim: str = FIDELITY
    trials: tuple[Trial, ...] = ()
    nothing: Trial | None = None
    best: Trial | None = None
    as_good: tuple[tuple[Value, ...], ...] = ()


class TrialsPlot(ThemedPlot):
    """A plot with a dot for each setting; `tried` is what it shows."""

    trial_hovered = Signal(object)  # Trial or None
    trial_clicked = Signal(object)  # Trial

    along_only = False
    """Whether the pointer means the dot above or below it, however far."""

    def __init__(self, tooltip: str, parent: QWidget | None = None) -> None:
        super().__init__(tooltip, least=_LEAST, parent=parent)
        self.tried = Tried(())
        self._best = pg.ScatterPlotItem(symbol="star", size=17, brush=BEST)
        self._best.setZValue(3)
        scene = self.graphics.scene()
        scene.sigMouseMoved.connect(lambda place: self.trial_hovered.emit(self._below(place)))
        scene.sigMouseClicked.connect(self._on_click)

    @property
    def main_plot(self) -> pg.PlotItem:
        """The plot of what settings are compared by."""
        raise NotImplementedError

    @property
    def plots(self) -> tuple[pg.PlotItem, ...]:
        """The plots that can be pointed at."""
        return (self.main_plot,)

    def place(self, trial: Trial) -> tuple[float, float]:
        """Return where a trial's dot is in the main plot."""
        raise NotImplementedError

    def show_tried(self, tried: Tried) -> None:
        """Draw these trials and no others."""
        self.tried = tried
        best = [self.place(tried.best)] if tried.best else []
        self._best.setData([x for x, _ in best], [y for _, y in best], pen=pg.mkPen(self.ground))

    def set_theme(self, theme: Theme) -> None:
        """Take napari's colours."""
        super().set_theme(theme)
        if self.tried.axes:
            self.show_tried(self.tried)

    def _below(self, pointer: QPointF) -> Trial | None:
        view = self.main_plot.getViewBox()
        pointed_at = any(plot.getViewBox().sceneBoundingRect().contains(pointer) for plot in self.plots)
        if not self.tried.trials or not pointed_at:
            return None

        def distance(trial: Trial) -> float:
            dot = view.mapViewToScene(QPointF(*self.place(trial)))
            return abs(dot.x() - pointer.x()) if self.along_only else hypot(*_offset(dot, pointer))

        nearest = min(self.tried.trials, key=distance)
        return nearest if distance(nearest) <= _REACH else None

    def _on_click(self, event: Any) -> None:
        trial = self._below(event.scenePos())
        if trial is not None and event.button() == Qt.MouseButton.LeftButton:
            self.trial_clicked.emit(trial)


class UnfilteredLine(pg.InfiniteLine):
    """A dashed level line, mostly with its name."""

    def __init__(self, *, named: bool = True) -> None:
        super().__init__(
            angle=0,
            label="unfiltered" if named else None,
            labelOpts={"position": 0.02, "anchors": [(0, 1), (0, 1)]},
        )
        self.hide()

    def show_value(self, value: float, text: QColor) -> None:
        """Lie at the fidelity or the score of the unfiltered slices; NaN hides it."""
        self.setVisible(isfinite(value))
        if isfinite(value):
            self.setValue(value)
            self.setPen(pg.mkPen(faint(text), width=1.5, style=Qt.PenStyle.DashLine))
            if hasattr(self, "label"):
                self.label.setColor(text)


def values_of(tried: Tried, quantity: str) -> tuple[list[float], float]:
    """Return a quantity of each trial, "objective" or "score", and that of the slices unfiltered."""
    nothing = nan if tried.nothing is None else getattr(tried.nothing, quantity)
    return [getattr(trial, quantity) for trial in tried.trials], nothing


def range_of(values: Iterable[float], aim: str) -> tuple[float, float]:
    """Return the part of an axis that shows all these scores or fidelities; NaN is left out."""
    known = [value for value in values if isfinite(value)]
    if not known:
        return _NOTHING_KNOWN[aim]
    low, high = min(known), max(known)
    widened = max(0.0, _LEAST_SPAN[aim] - (high - low)) / 2
    low, high = low - widened, high + widened
    room = _ROOM * (high - low)
    return low - room, high + room


def _offset(item: QPointF, other: QPointF) -> tuple[float, float]:
    return item.x() - other.x(), item.y() - other.y()
