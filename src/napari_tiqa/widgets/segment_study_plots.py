"""The plots of the Study tab: measures by level, F1 over the score, two-point correlation."""

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from napari.utils.theme import Theme
from qtpy.QtCore import QSize
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from napari_tiqa.jobs.line_ends import spread
from napari_tiqa.jobs.segmentation_study_result import LEVELS, LIMITS, MEASURES, TITLES, TRUTH, Study
from napari_tiqa.segmentation.native_distortions import ORIGINAL
from napari_tiqa.widgets.evaluation_plots import colour_of, symbol_of
from napari_tiqa.widgets.filter_plot import FilterPlot

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
        self.plots = {name: self.add_plot(row // 2, row % 2) for row, name in enumerate(MEASURES)}
        self.lines: dict[tuple[str, str], pg.PlotDataItem] = {}
        for name, plot in self.plots.items():
            plot.showGrid(y=True, alpha=0.15)
            plot.setTitle(TITLES[name], size="9pt")
            plot.setXRange(LEVELS[0], LEVELS[-1], padding=0.05)
            plot.getAxis("bottom").setTicks([[(level, str(level)) for level in LEVELS]])
            if name in LIMITS:
                plot.setYRange(*LIMITS[name], padding=_MARGIN)
                plot.getAxis("left").setTicks([_TICKS[name]])
        for name in MEASURES[2:]:
            self.plots[name].setLabel("bottom", "level")
        self.setMinimumSize(QSize(240, 260))

    def sizeHint(self) -> QSize:
        """Return a size with room for two plots above two others."""
        return QSize(380, 300)

    def show_study(self, found: Study, index: int | None = None) -> None:
        """Draw the levels of one slice, or their means."""
        for (name, _), line in self.lines.items():
            self.plots[name].removeItem(line)
        self.lines = {}
        highest = _LEAST_UNCERTAINTY
        for kind in found.distortions:
            levels, colour = found.levels(kind, index), colour_of(kind)
            for name, plot in self.plots.items():
                known = levels[name].dropna()
                line = plot.plot(
                    known.index.to_numpy(float),
                    known.to_numpy(float),
                    pen=pg.mkPen(colour, width=1.5),
                    symbol=symbol_of(kind),
                    symbolSize=6,
                    symbolBrush=colour,
                    symbolPen=None,
                )
                self.lines[name, kind] = line
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
        self.clouds: dict[str, pg.ScatterPlotItem] = {}
        self.setMinimumSize(QSize(240, 220))

    def sizeHint(self) -> QSize:
        """Return a size as large as that of the other plots."""
        return QSize(380, 300)

    def show_study(self, found: Study, index: int | None = None) -> None:
        """Draw the versions of one slice, or of all."""
        for cloud in self.clouds.values():
            self.plot.removeItem(cloud)
        self.clouds = {}
        table = found.table if index is None else found.table[found.table["slice"] == index]
        known = table.dropna(subset=["score", "f1"])
        for kind in (*found.distortions, ORIGINAL):
            shown = known[known["distortion"] == kind]
            family = "" if kind == ORIGINAL else kind
            colour = QColor(colour_of(family))
            colour.setAlpha(190)
            cloud = pg.ScatterPlotItem(
                shown["score"].to_numpy(float),
                shown["f1"].to_numpy(float),
                size=11 if kind == ORIGINAL else 8,
                symbol=symbol_of(family),
                pen=None,
                brush=pg.mkBrush(colour),
            )
            self.clouds[kind] = cloud
            self.plot.addItem(cloud)


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
        for plot in self.plots:
            plot.setLabel("left", "S2 / S2(0)")
            plot.showGrid(y=True, alpha=0.15)
            plot.getViewBox().sigResized.connect(lambda _: self._place_scores())
        self.curves: list[dict[str, pg.PlotDataItem]] = [{}, {}]
        self.scores: list[list[tuple[float, pg.TextItem]]] = [[], []]
        self._shown: tuple[Study, str, int | None] | None = None
        self.setMinimumSize(QSize(240, 320))

    def sizeHint(self) -> QSize:
        """Return a size with room for one plot above the other."""
        return QSize(380, 380)

    def show_study(self, found: Study, distortion: str, index: int | None = None) -> None:
        """Draw the curves of one slice, or their means."""
        self._shown = found, distortion, index
        curves = found.curves(index)
        scores = found.levels(distortion, index)["score"]
        unit = found.record.get("unit", "pixel")
        axes = [str(axis) for axis in reversed(curves["axis"].unique())]  # x before y
        for number, (plot, axis) in enumerate(zip(self.plots, axes, strict=True)):
            self._clear(number)
            plot.setLabel("bottom", f"distance along {axis} ({'px' if unit == 'pixel' else unit})")
            along = curves[curves["axis"] == axis]
            longest, highest = float(along["distance"].max()), 1.0
            for level, colour in zip(LEVELS, self._level_colours(), strict=True):
                kind = distortion if level else ORIGINAL
                line = along[(along["distortion"] == kind) & (along["level"] == level)]
                values = line["correlation"].to_numpy(float)
                if not len(values) or not np.isfinite(values).any():
                    continue
                self.curves[number][f"{kind} {level}"] = plot.plot(
                    line["distance"].to_numpy(float),
                    values,
                    pen=pg.mkPen(colour, width=1.5),
                    connect="finite",
                )
                highest = max(highest, float(np.nanmax(values)))
                if level in scores and np.isfinite(values[-1]) and np.isfinite(scores[level]):
                    self._add_score(number, longest, values[-1], f"{scores[level]:.2f}", colour)
            truth = along[along["distortion"] == TRUTH]
            self.curves[number][TRUTH] = plot.plot(
                truth["distance"].to_numpy(float),
                truth["correlation"].to_numpy(float),
                pen=pg.mkPen(self.text, width=2.5),
                connect="finite",
            )
            plot.setXRange(0, longest * (1 + _ROOM_FOR_SCORES), padding=0)
            plot.setYRange(-0.03, 1.03 * highest, padding=0)
        self._place_scores()

    def set_theme(self, theme: Theme) -> None:
        """Take napari's colours."""
        super().set_theme(theme)
        if self._shown is not None:
            self.show_study(*self._shown)

    def legend(self) -> list[tuple[str, str]]:
        """Return what each colour stands for: name and colour."""
        colours = zip(LEVELS, self._level_colours(), strict=True)
        named = [(f"level {level}" if level else ORIGINAL, colour.name()) for level, colour in colours]
        return [(TRUTH, self.text.name()), *named]

    def _level_colours(self) -> Sequence[QColor]:
        """Return a colour for each level, told apart from the ground, dark or light."""
        first, last = (0.0, 0.9) if self.ground.lightness() > _LIGHT else (0.35, 1.0)
        shades: list[QColor] = pg.colormap.get("viridis").map(np.linspace(first, last, len(LEVELS)), "qcolor")
        return shades

    def _clear(self, number: int) -> None:
        plot = self.plots[number]
        for item in (*self.curves[number].values(), *(label for _, label in self.scores[number])):
            plot.removeItem(item)
        self.curves[number], self.scores[number] = {}, []

    def _add_score(self, number: int, end: float, height: float, words: str, colour: QColor) -> None:
        label = pg.TextItem(words, color=colour, anchor=(0, 0.5))
        label.setPos(end, height)
        self.plots[number].addItem(label, ignoreBounds=True)
        self.scores[number].append((height, label))

    def _place_scores(self) -> None:
        """Move the scores of lines that end together apart."""
        for plot, scores in zip(self.plots, self.scores, strict=True):
            box = plot.getViewBox()
            low, high = box.viewRange()[1]
            gap = _LINE * (high - low) / max(box.height(), 1)
            places = spread([height for height, _ in scores], gap)
            for place, (_, label) in zip(places, scores, strict=True):
                label.setPos(label.pos().x(), float(place))
