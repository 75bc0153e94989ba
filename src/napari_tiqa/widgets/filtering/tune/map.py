"""The plot of a tuning of two parameters: a map of fidelity or score."""

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QRectF
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget
from scipy.spatial import KDTree

from napari_tiqa.jobs.filtering.trial import Trial
from napari_tiqa.widgets.filtering.tune.trials_plot import AXIS_LABELS, TrialsPlot, Tried, range_of, values_of
from napari_tiqa.widgets.shared.themed_plot import faint

_RASTER = 96  # px a side


class TuneMap(TrialsPlot):
    """Colour: what settings are compared by; each place has that of the setting nearest to it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            "What the best is chosen by, at each pair of values; dots are the settings tried, and each\n"
            "place has the colour of the setting nearest to it. The star is the best.\n"
            "Point at a setting to read it, click to try it.",
            parent,
        )
        self.map_plot = self.add_plot(0)
        self.map_plot.showGrid(y=False)
        self.image = pg.ImageItem(axisOrder="row-major")
        self.dots = pg.ScatterPlotItem(size=4, pen=None)
        self.map_plot.addItem(self.image, ignoreBounds=True)
        self.map_plot.addItem(self.dots, ignoreBounds=True)
        self.map_plot.addItem(self._best, ignoreBounds=True)
        self.map_plot.getAxis("left").setWidth(56)
        self.bar = pg.ColorBarItem(colorMap=pg.colormap.get("viridis"), interactive=False, width=14)
        self.bar.setImageItem(self.image, insert_in=self.map_plot)

    @property
    def main_plot(self) -> pg.PlotItem:
        """The map."""
        return self.map_plot

    def place(self, trial: Trial) -> tuple[float, float]:
        """Return the two values."""
        x, y = (axis.place(value) for axis, value in zip(self.tried.axes, trial.values, strict=True))
        return x, y

    def show_tried(self, tried: Tried) -> None:
        """Draw these trials and no others."""
        super().show_tried(tried)
        places = [self.place(trial) for trial in tried.trials]
        self.dots.setData(
            [x for x, _ in places], [y for _, y in places], brush=pg.mkBrush(faint(QColor("white"), 200))
        )
        self.image.setVisible(bool(places))
        self.bar.setVisible(bool(places))
        (left, right), (bottom, top) = (axis.range for axis in tried.axes)
        if places:
            shares = [
                [axis.share(value) for axis, value in zip(tried.axes, trial.values, strict=True)]
                for trial in tried.trials
            ]
            centres = (np.arange(_RASTER) + 0.5) / _RASTER
            y, x = np.meshgrid(centres, centres, indexing="ij")
            nearest = KDTree(shares).query(np.stack([x, y], axis=-1))[1]
            values, nothing = values_of(tried, "objective")
            self.image.setImage(np.array(values)[nearest], autoLevels=False)
            self.image.setRect(QRectF(left, bottom, right - left, top - bottom))
            self.bar.getAxis("left").setLabel(AXIS_LABELS[tried.aim])
            self.bar.setLevels(range_of([*values, nothing], tried.aim))
        for side, axis in zip(("bottom", "left"), tried.axes, strict=True):
            self.map_plot.setLabel(side, axis.label)
            self.map_plot.getAxis(side).setTicks([axis.ticks])
        self.map_plot.setXRange(left, right, padding=0.03)
        self.map_plot.setYRange(bottom, top, padding=0.03)

    def paint(self) -> None:
        """Draw axes, bar and ground in the theme's colours."""
        super().paint()
        for side in ("left", "right"):  # the bar's label is on one, its numbers are on the other
            self.bar.getAxis(side).setPen(self.pen(faint(self.text)))
            self.bar.getAxis(side).setTextPen(self.text)
