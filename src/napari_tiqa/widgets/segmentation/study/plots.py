"""The plots of the Study tab: measures by level, F1 over the score, two-point correlation."""

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QSize
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from napari_tiqa.jobs.study.line_ends import spread
from napari_tiqa.jobs.study.result import LEVELS, LIMITS, MEASURES, TITLES, TRUTH, Study
from napari_tiqa.learning.images.distortions import DISTORTIONS
from napari_tiqa.segmentation.native_distortions import ORIGINAL
from napari_tiqa.widgets.shared.colours import colour_of, symbol_of
from napari_tiqa.widgets.shared.themed_plot import FilterPlot, faint

_SCORE_TICKS = [(score, str(score)) for score in range(1, 6)]
_SHARE_TICKS = [(share / 4, f"{share / 4:g}") for share in range(5)]
_TICKS = {"score": _SCORE_TICKS, "f1": _SHARE_TICKS, "iou": _SHARE_TICKS}
_LEAST_UNCERTAINTY = 0.1  # nats at the top of the axis: what is next to nothing is not blown up
_MARGIN = 0.03  # of a range: a tick at its end would lose its number
_LINE = 13  # px, what a score at a line's end needs
_ROOM_FOR_SCORES = 0.14  # of the width, right of the lines
_LIGHT = 128  # of a ground, 0 black to 255 white


class LevelsPlot(FilterPlot):
    """Score, F1, IoU and uncertainty side by side, each over the levels, a line for each distortion."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            "Score, F1, IoU and mean uncertainty at each level of each distortion; level 0 is the slice as\n"
            "it is. Means over the slices, or those of one slice.",
            parent,
        )
        self.plots = {name: self.add_plot(place // 2, place % 2) for place, name in enumerate(MEASURES)}
        for name, plot in self.plots.items():
            plot.showGrid(y=True, alpha=0.15)
            plot.setXRange(LEVELS[0], LEVELS[-1], padding=0.05)
            plot.getAxis("bottom").setTicks([[(level, str(level)) for level in LEVELS]])
            if name in LIMITS:
                plot.setYRange(*LIMITS[name], padding=_MARGIN)
                plot.getAxis("left").setTicks([_TICKS[name]])
        for name in MEASURES[2:]:
            self.plots[name].setLabel("bottom", "level")
        self.lines = {
            (name, kind): plot.plot(
                pen=pg.mkPen(colour_of(kind), width=1.5),
                symbol=symbol_of(kind),
                symbolSize=6,
                symbolBrush=colour_of(kind),
                symbolPen=None,
            )
            for name, plot in self.plots.items()
            for kind in DISTORTIONS
        }
        self.setMinimumSize(QSize(240, 260))

    def sizeHint(self) -> QSize:
        """Return a size with room for two plots above two others."""
        return QSize(380, 300)

    def show_study(self, found: Study, index: int | None = None) -> None:
        """Draw the levels of one slice, or their means."""
        highest = _LEAST_UNCERTAINTY
        for kind in DISTORTIONS:
            levels = found.levels(kind, index)
            for name in MEASURES:
                self.lines[name, kind].setData(levels.index.to_numpy(float), levels[name].to_numpy(float))
            highest = max(highest, levels["uncertainty"].max())
        self.plots["uncertainty"].setYRange(0, 1.05 * highest, padding=0)

    def paint(self, text: QColor, ground: QColor) -> None:
        """Draw axes, titles and ground in these colours."""
        super().paint(text, ground)
        for name, plot in self.plots.items():
            plot.setTitle(TITLES[name], size="9pt", color=text)


class F1Plot(FilterPlot):
    """F1 over the score, a symbol for each version, coloured by distortion."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Each version: its score and the F1 of its segmentation.", parent)
        self.plot = self.add_plot(0)
        self.plot.showGrid(x=True, y=True, alpha=0.15)
        self.plot.setLabel("bottom", TITLES["score"])
        self.plot.setLabel("left", TITLES["f1"])
        self.plot.setXRange(*LIMITS["score"], padding=_MARGIN)
        self.plot.setYRange(*LIMITS["f1"], padding=_MARGIN)
        self.plot.getAxis("bottom").setTicks([_SCORE_TICKS])
        self.plot.getAxis("left").setTicks([_SHARE_TICKS])
        self.clouds = {kind: self._make_cloud(kind) for kind in (*DISTORTIONS, ORIGINAL)}
        self.setMinimumSize(QSize(240, 220))

    def sizeHint(self) -> QSize:
        """Return a size as large as that of the other plots."""
        return QSize(380, 300)

    def show_study(self, found: Study, index: int | None = None) -> None:
        """Draw the versions of one slice, or of all."""
        table = found.table if index is None else found.table[found.table["slice"] == index]
        table = table.dropna(subset=["score", "f1"])
        for kind, cloud in self.clouds.items():
            shown = table[table["distortion"] == kind]
            cloud.setData(shown["score"].to_numpy(float), shown["f1"].to_numpy(float))

    def _make_cloud(self, kind: str) -> pg.ScatterPlotItem:
        family = "" if kind == ORIGINAL else kind
        brush = pg.mkBrush(faint(QColor(colour_of(family)), 190))
        size = 11 if kind == ORIGINAL else 8
        cloud = pg.ScatterPlotItem(size=size, symbol=symbol_of(family), pen=None, brush=brush)
        self.plot.addItem(cloud)
        return cloud


class TwoPointPlot(FilterPlot):
    """Two-point correlation of the phase along two axes: the truth, the levels of one distortion, scores."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            "How likely two points at a distance are both in the phase, by how likely one point is: along x\n"
            "above, along y below. The thick line is the labels' own; coloured ones, dark to light, are the\n"
            "segmentations of levels 0 to 5. At each line's end stands the score.",
            parent,
        )
        self.plots = [self.add_plot(row) for row in range(2)]
        self.lines = [[plot.plot(connect="finite") for _ in LEVELS] for plot in self.plots]
        self.truth = [plot.plot(connect="finite") for plot in self.plots]
        self.scores = [[pg.TextItem(anchor=(0, 0.5)) for _ in LEVELS] for _ in self.plots]
        self._ends: list[list[float]] = [[], []]  # NaN where a level has no line or no score
        for plot, scores in zip(self.plots, self.scores, strict=True):
            plot.setLabel("left", "S2 / S2(0)")
            plot.showGrid(y=True, alpha=0.15)
            plot.getViewBox().sigResized.connect(lambda _: self._place_scores())
            for score in scores:
                plot.addItem(score, ignoreBounds=True)
        self.setMinimumSize(QSize(240, 320))

    def sizeHint(self) -> QSize:
        """Return a size with room for one plot above the other."""
        return QSize(380, 380)

    def show_study(self, found: Study, distortion: str, index: int | None = None) -> None:
        """Draw the curves of one slice, or their means."""
        scores = found.levels(distortion, index)["score"]
        unit = found.record.get("unit", "pixel")
        for number, axis in enumerate(found.axes):
            plot = self.plots[number]
            plot.setLabel("bottom", f"distance along {axis} ({'px' if unit == 'pixel' else unit})")
            truth = found.curve(TRUTH, 0, axis, index)
            self.truth[number].setData(*truth)
            longest, highest = truth[0].max(initial=1.0), 1.0
            self._ends[number] = []
            for level in LEVELS:
                curve = found.curve(distortion if level else ORIGINAL, level, axis, index)
                self.lines[number][level].setData(*curve)
                highest = curve[1].max(initial=highest)
                score = scores.get(level, np.nan)
                known = curve.shape[1] > 0 and np.isfinite(score)
                self._ends[number].append(float(curve[1][-1]) if known else np.nan)
                self.scores[number][level].setText(f"{score:.2f}" if known else "")
                self.scores[number][level].setX(longest)
            plot.setXRange(0, longest * (1 + _ROOM_FOR_SCORES), padding=0)
            plot.setYRange(-0.05, 1.03 * highest, padding=0)
        self._place_scores()

    def paint(self, text: QColor, ground: QColor) -> None:
        """Draw axes and ground in these colours, and the levels in some that are seen on the ground."""
        super().paint(text, ground)
        for number in range(len(self.plots)):
            self.truth[number].setPen(pg.mkPen(text, width=2.5))
            for level, colour in enumerate(self._level_colours()):
                self.lines[number][level].setPen(pg.mkPen(colour, width=1.5))
                self.scores[number][level].setColor(colour)

    def legend(self) -> list[tuple[str, str]]:
        """Return what each colour stands for: name and colour."""
        colours = zip(LEVELS, self._level_colours(), strict=True)
        named = [(f"level {level}" if level else ORIGINAL, colour.name()) for level, colour in colours]
        return [(TRUTH, self.text.name()), *named]

    def _level_colours(self) -> Sequence[QColor]:
        first, last = (0.0, 0.9) if self.ground.lightness() > _LIGHT else (0.35, 1.0)
        shades: list[QColor] = pg.colormap.get("viridis").map(np.linspace(first, last, len(LEVELS)), "qcolor")
        return shades

    def _place_scores(self) -> None:
        """Move the scores of lines that end together apart."""
        for plot, scores, ends in zip(self.plots, self.scores, self._ends, strict=True):
            box = plot.getViewBox()
            low, high = box.viewRange()[1]
            known = np.flatnonzero(np.isfinite(ends))
            places = spread([ends[level] for level in known], _LINE * (high - low) / max(box.height(), 1))
            for level, place in zip(known, places, strict=True):
                scores[level].setY(float(place))
