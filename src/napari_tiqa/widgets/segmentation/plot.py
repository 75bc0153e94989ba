"""The plot of the Segment tab: mean uncertainty of each slice, with its quality score and its F1 below."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QSize
from scipy.stats import spearmanr

from napari_tiqa.figure_style import GREEN, SKY, VERMILION
from napari_tiqa.widgets.shared.themed_plot import SlicePlot, faint

UNCERTAINTY, SCORE, F1 = "uncertainty", "score", "F1"

_COLOURS = {UNCERTAINTY: VERMILION, SCORE: SKY, F1: GREEN}
_TITLES = {UNCERTAINTY: "Uncertainty<br>(0 certain)", SCORE: "Score<br>(5 best)", F1: "F1<br>(1 best)"}
_LEFT_WIDTH, _BOTTOM_HEIGHT, _BETWEEN = 72, 34, 8  # px
_ROW_HEIGHT = 74, 130  # px, least and most
_ROOM = 0.06  # of a range, above and below a curve
_LEAST_RANGE = {UNCERTAINTY: 0.01, SCORE: 0.5, F1: 0.02}
_ENOUGH_TO_RANK = 8  # slices; a rank correlation of fewer says little


@dataclass(frozen=True)
class Curves:
    """The known `UNCERTAINTY` (nats), `SCORE` and `F1` of each slice, the volume's slices, and their axis."""

    values: dict[str, dict[int, float]] = field(default_factory=dict)
    count: int = 1
    axis: str = ""


class SegmentPlot(SlicePlot):
    """Curves one below the other along the same slices, those of them that there are."""

    def __init__(self) -> None:
        super().__init__(
            "Mean uncertainty of each slice, its entropy in nats: 0 is certain, 0.69 a pure guess among two\n"
            "classes (ln n among n). Below it the quality score (5 is best),\n"
            "where the layer was scored in the Quality dock, and the F1, where there is a truth to compare\n"
            "with. Click to go to a slice."
        )
        self.curves = Curves()
        self._panels = {name: self._make_panel(name) for name in _COLOURS}
        self._items = {name: plot.plot(connect="finite") for name, plot in self._panels.items()}
        self._markers = {name: pg.InfiniteLine(angle=90) for name in _COLOURS}
        for name, marker in self._markers.items():
            marker.hide()
            self._panels[name].addItem(marker, ignoreBounds=True)
        self._in_layout = tuple(_COLOURS)
        self.show_curves(Curves({UNCERTAINTY: {}}))

    def sizeHint(self) -> QSize:
        """Return a size with room for each curve."""
        return QSize(380, self._height(_ROW_HEIGHT[0]))

    def _height(self, of_row: int) -> int:
        rows = len(self._in_layout) * (of_row + _BETWEEN)
        return self.readout.sizeHint().height() + rows + _BOTTOM_HEIGHT

    def show_curves(self, curves: Curves) -> None:
        """Draw these curves and no others."""
        self.curves = curves
        shown = tuple(name for name in _COLOURS if name in curves.values)
        if shown != self._in_layout:
            self._arrange(shown)
        label = f"Slice along {curves.axis}" if curves.axis else "Slice"
        for name in shown:
            self._panels[name].setLabel("bottom", label if name == shown[-1] else "")
            self._draw(name, curves.values[name])
        if shown:
            alone = curves.count == 1
            self._panels[shown[0]].setXRange(-alone, curves.count - 1 + alone, padding=0.02)
        self.place_marker()
        self.read_out()

    def paint(self) -> None:
        """Draw axes, markers and curves in the theme's colours."""
        super().paint()
        for marker in self._markers.values():
            marker.setPen(self.pen(faint(self.text), 1.5))
        for name in self._in_layout:
            self._draw(name, self.curves.values[name])

    def agreement(self) -> str:
        """Say how score and uncertainty correlate over the slices that have both; empty for too few."""
        scores, uncertainties = (self.curves.values.get(name, {}) for name in (SCORE, UNCERTAINTY))
        pairs = np.array([(scores[i], uncertainties[i]) for i in scores.keys() & uncertainties.keys()])
        pairs = pairs[np.isfinite(pairs).all(axis=1)] if len(pairs) else pairs
        if len(pairs) < _ENOUGH_TO_RANK or (pairs == pairs[0]).all(axis=0).any():
            return ""
        rank = spearmanr(pairs[:, 0], pairs[:, 1]).statistic
        return f"Score and uncertainty: rank correlation {rank:.2f} over {len(pairs)} slices."

    def slices(self) -> tuple[Sequence[int], np.ndarray]:
        """Return the slices that anything is known of."""
        known = sorted({index for values in self.curves.values.values() for index in values})
        return known, np.array(known)

    def pointed_plots(self) -> Sequence[pg.PlotItem]:
        """Return the plots that are shown."""
        return [self._panels[name] for name in self._in_layout]

    def describe(self, index: int | None) -> str:
        """Return the values of a slice."""
        known = {
            name: values[index]
            for name, values in self.curves.values.items()
            if index is not None and np.isfinite(values.get(index, np.nan))
        }
        words = [f"uncertainty {known[UNCERTAINTY]:.3f}"] if UNCERTAINTY in known else []
        words += [f"score {known[SCORE]:.2f}"] if SCORE in known else []
        words += [f"F1 {known[F1]:.3f}"] if F1 in known else []
        return f"slice {index}: {', '.join(words)}" if words else ""

    def place_marker(self) -> None:
        """Put a line at the marked slice into each plot."""
        for marker in self._markers.values():
            marker.setVisible(self._marked is not None)
            if self._marked is not None:
                marker.setValue(self._marked)

    def _make_panel(self, name: str) -> pg.PlotItem:
        plot = self.add_plot(list(_COLOURS).index(name))
        plot.getAxis("left").setWidth(_LEFT_WIDTH)  # of one width, so that the slices align
        plot.getAxis("left").setStyle(maxTickLevel=0)
        plot.setLabel("left", _TITLES[name])
        return plot

    def _arrange(self, shown: tuple[str, ...]) -> None:
        """Put these plots one below the other; the lowest has the numbers of the slices."""
        for name in self._in_layout:
            self.graphics.removeItem(self._panels[name])
        for row, name in enumerate(shown):
            plot, lowest = self._panels[name], row == len(shown) - 1
            self.graphics.addItem(plot, row=row, col=0)
            plot.setXLink(None if row == 0 else self._panels[shown[0]])
            bottom = plot.getAxis("bottom")
            bottom.setStyle(showValues=lowest)
            bottom.setHeight(_BOTTOM_HEIGHT if lowest else _BETWEEN)
        self._in_layout = shown
        self.setMinimumHeight(self._height(_ROW_HEIGHT[0]))
        self.setMaximumHeight(self._height(_ROW_HEIGHT[1]))
        self.updateGeometry()

    def _draw(self, name: str, values: dict[int, float]) -> None:
        known = sorted((index, value) for index, value in values.items() if np.isfinite(value))
        x, y = np.array(known, float).reshape(-1, 2).T
        # No line across slices that were left out, unless every second, third, ... was taken.
        steps = np.diff(x)
        connect = np.append(steps <= np.median(steps), False) if len(steps) else "all"
        self.draw_curve(self._items[name], x, y, _COLOURS[name], 1.5, connect=connect)
        if known:
            centre, half = (y.max() + y.min()) / 2, max(np.ptp(y), _LEAST_RANGE[name]) * (0.5 + _ROOM)
            self._panels[name].setYRange(centre - half, centre + half, padding=0)
