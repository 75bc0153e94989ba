"""The plot of the Segment tab: mean uncertainty of each slice, with its quality score and its F1 below."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyqtgraph as pg
from napari.utils.theme import Theme
from pyqtgraph.exporters import ImageExporter
from qtpy.QtCore import QPointF, QSize, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget
from scipy.stats import spearmanr
from superqt import QElidingLabel

UNCERTAINTY, SCORE, F1 = "uncertainty", "score", "F1"

# Okabe and Ito's colours, told apart by colour-blind readers and on dark and light ground alike.
_COLOURS = {UNCERTAINTY: "#D55E00", SCORE: "#56B4E9", F1: "#009E73"}
_TITLES = {UNCERTAINTY: "Uncertainty<br>(nats)", SCORE: "Score<br>(5 best)", F1: "F1<br>(1 best)"}
_LEFT_WIDTH, _BOTTOM_HEIGHT, _BETWEEN = 72, 34, 8  # px
_ROW_HEIGHT = 74, 130  # px, least and most
_DOTS_UP_TO = 60  # slices drawn as dots of their own
_EXPORT_SCALE = 4  # pixels per screen pixel: some 1500 across, enough for a column at 300 dpi
_ROOM = 0.06  # of a range, above and below a curve
_LEAST_RANGE = {UNCERTAINTY: 0.01, SCORE: 0.5, F1: 0.02}
_ENOUGH_TO_RANK = 8  # slices; a rank correlation of fewer says little


@dataclass(frozen=True)
class Curves:
    """What is known of the slices of a volume.

    Attributes
    ----------
    values : dict
        For `UNCERTAINTY` (nats), `SCORE` (1 to 5) and `F1` (0 to 1), those that there are: slice to value.
    count : int
        Slices of the volume.
    axis : str
        Name of the axis that they lie along.
    """

    values: dict[str, dict[int, float]] = field(default_factory=dict)
    count: int = 1
    axis: str = ""


class SegmentPlot(QWidget):
    """Curves one below the other along the same slices, those of them that there are."""

    slice_clicked = Signal(int)  # the slice nearest to the click

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.curves = Curves()
        self.readout = QElidingLabel()
        self.readout.setToolTip("The slice below the pointer, else the one at napari's slider.")
        self._graphics = pg.GraphicsLayoutWidget()
        self._graphics.ci.setContentsMargins(2, 2, 6, 2)
        self._graphics.ci.setSpacing(2)
        self._plots = {name: self._make_plot(name) for name in _COLOURS}
        self._items = {name: plot.plot(connect="finite") for name, plot in self._plots.items()}
        self._markers = {name: pg.InfiniteLine(angle=90) for name in _COLOURS}
        for name, marker in self._markers.items():
            marker.hide()
            self._plots[name].addItem(marker, ignoreBounds=True)
        self._marked: int | None = None
        self._pen_scale = 1
        self._colours = QColor("white"), QColor("black")
        self._hovered: int | None = None
        self._in_layout: tuple[str, ...] = ()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.readout)
        layout.addWidget(self._graphics, 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._graphics.setToolTip(
            "Mean uncertainty of each slice, in nats: 0 is sure. Below it the quality score (5 is best),\n"
            "where the layer was scored in the Quality dock, and the F1, where there is a truth to compare\n"
            "with. Click to go to a slice."
        )
        self._graphics.scene().sigMouseClicked.connect(self._on_click)
        self._graphics.scene().sigMouseMoved.connect(self._on_hover)
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
        there = tuple(name for name in _COLOURS if name in curves.values)
        if there != self._in_layout:
            self._arrange(there)
        label = f"Slice along {curves.axis}" if curves.axis else "Slice"
        for name in there:
            plot = self._plots[name]
            plot.setLabel("bottom", label if name == there[-1] else "")
            self._draw(name, curves.values[name])
        if there:
            alone = curves.count == 1
            self._plots[there[0]].setXRange(-alone, curves.count - 1 + alone, padding=0.02)
        self._place_marker()

    def set_marker(self, index: int | None) -> None:
        """Mark the slice that napari shows; None where it shows none."""
        self._marked = index
        self._place_marker()

    def set_theme(self, theme: Theme) -> None:
        """Take napari's colours."""
        text, ground = (QColor(*colour.as_rgb_tuple()[:3]) for colour in (theme.text, theme.background))
        self._colours = text, ground
        self._paint(text, ground)

    def _paint(self, text: QColor, ground: QColor) -> None:
        faint = QColor(text)
        faint.setAlpha(130)
        self._graphics.setBackground(ground)
        for name, plot in self._plots.items():
            self._markers[name].setPen(pg.mkPen(faint, width=1.5))
            for side in ("left", "bottom"):
                plot.getAxis(side).setPen(pg.mkPen(faint, width=self._pen_scale))
                plot.getAxis(side).setTextPen(text)
        for name in self._in_layout:
            self._draw(name, self.curves.values[name])

    def save_png(self, path: str) -> None:
        """Write the plot as a picture for a paper: sharp, dark on white, without the marker.

        Raises
        ------
        OSError
            The file cannot be written.
        """
        marked, colours = self._marked, self._colours
        self.set_marker(None)
        self._pen_scale = _EXPORT_SCALE  # Qt draws a plot's pens as wide on paper as on the screen
        self._paint(QColor("black"), QColor("white"))
        exporter = ImageExporter(self._graphics.scene())
        exporter.parameters()["width"] = _EXPORT_SCALE * self._graphics.width()
        picture = exporter.export(toBytes=True)
        self._pen_scale = 1
        self._paint(*colours)
        self.set_marker(marked)
        if not picture.save(path, "PNG"):
            raise OSError(f"{path} is not writable")

    def agreement(self) -> str:
        """Say how score and uncertainty go together, over the slices that have both; empty for too few."""
        scores, uncertainties = (self.curves.values.get(name, {}) for name in (SCORE, UNCERTAINTY))
        pairs = np.array([(scores[i], uncertainties[i]) for i in scores.keys() & uncertainties.keys()])
        pairs = pairs[np.isfinite(pairs).all(axis=1)] if len(pairs) else pairs
        if len(pairs) < _ENOUGH_TO_RANK or (pairs == pairs[0]).all(axis=0).any():
            return ""
        rank = spearmanr(pairs[:, 0], pairs[:, 1]).statistic
        return f"Score and uncertainty: SROCC {rank:.2f} over {len(pairs)} slices."

    def _make_plot(self, name: str) -> pg.PlotItem:
        plot = pg.PlotItem(enableMenu=False)
        plot.hideButtons()
        plot.setMouseEnabled(x=False, y=False)
        plot.showGrid(y=True, alpha=0.15)
        plot.getAxis("left").setWidth(_LEFT_WIDTH)  # of one width, so that the slices align
        plot.getAxis("left").setStyle(maxTickLevel=0)
        plot.setLabel("left", _TITLES[name])
        for side in ("left", "bottom"):
            plot.getAxis(side).enableAutoSIPrefix(False)
        return plot

    def _arrange(self, there: tuple[str, ...]) -> None:
        """Put these plots one below the other; the lowest has the numbers of the slices."""
        for name in self._in_layout:
            self._graphics.removeItem(self._plots[name])
        for row, name in enumerate(there):
            plot, lowest = self._plots[name], row == len(there) - 1
            self._graphics.addItem(plot, row=row, col=0)
            plot.setXLink(None if row == 0 else self._plots[there[0]])
            bottom = plot.getAxis("bottom")
            bottom.setStyle(showValues=lowest)
            bottom.setHeight(_BOTTOM_HEIGHT if lowest else _BETWEEN)
        self._in_layout = there
        self.setMinimumHeight(self._height(_ROW_HEIGHT[0]))
        self.setMaximumHeight(self._height(_ROW_HEIGHT[1]))
        self.updateGeometry()

    def _draw(self, name: str, values: dict[int, float]) -> None:
        known = sorted((index, value) for index, value in values.items() if np.isfinite(value))
        x, y = np.array(known, float).reshape(-1, 2).T
        item, colour = self._items[name], _COLOURS[name]
        item.setPen(pg.mkPen(colour, width=1.5 * self._pen_scale))
        item.setSymbol("o" if len(known) <= _DOTS_UP_TO else None)
        item.setSymbolSize(5)
        item.setSymbolBrush(colour)
        item.setSymbolPen(None)
        # No line across slices that were left out, unless every so manieth was taken.
        steps = np.diff(x)
        item.setData(x, y, connect=np.append(steps <= np.median(steps), False) if len(steps) else "all")
        if known:
            centre, half = (y.max() + y.min()) / 2, max(np.ptp(y), _LEAST_RANGE[name]) * (0.5 + _ROOM)
            self._plots[name].setYRange(centre - half, centre + half, padding=0)

    def _place_marker(self) -> None:
        for marker in self._markers.values():
            marker.setVisible(self._marked is not None)
            if self._marked is not None:
                marker.setValue(self._marked)
        self._read_out()

    def _read_out(self) -> None:
        index = self._marked if self._hovered is None else self._hovered
        known = {
            name: values[index]
            for name, values in self.curves.values.items()
            if index in values and np.isfinite(values[index])
        }
        words = [f"uncertainty {known[UNCERTAINTY]:.3f} nats"] if UNCERTAINTY in known else []
        words += [f"score {known[SCORE]:.2f}"] if SCORE in known else []
        words += [f"F1 {known[F1]:.3f}"] if F1 in known else []
        self.readout.setText(f"slice {index}: {', '.join(words)}" if words else "")

    def _slice_at(self, scene_position: QPointF) -> int | None:
        """Return the slice that is known of nearest below a place, None where that is no plot."""
        known = sorted({index for values in self.curves.values.values() for index in values})
        for name in self._in_layout:
            view = self._plots[name].getViewBox()
            if known and view.sceneBoundingRect().contains(scene_position):
                x = view.mapSceneToView(scene_position).x()
                return known[int(np.argmin(np.abs(np.array(known) - x)))]
        return None

    def _on_click(self, event: Any) -> None:
        index = self._slice_at(event.scenePos())
        if event.button() == Qt.MouseButton.LeftButton and index is not None:
            self.slice_clicked.emit(index)

    def _on_hover(self, scene_position: QPointF) -> None:
        self._hovered = self._slice_at(scene_position)
        self._read_out()
