"""The base of every plot in a dock."""

import pyqtgraph as pg
from napari.utils.theme import Theme
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget


class FilterPlot(QWidget):
    """Plots below one another on one ground; their axes follow napari's theme.

    Parameters
    ----------
    tooltip : str
        How the plots are to be read.
    """

    def __init__(self, tooltip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.graphics = pg.GraphicsLayoutWidget()
        self.graphics.ci.setContentsMargins(2, 4, 6, 2)
        self.graphics.ci.setSpacing(2)
        self.graphics.setToolTip(tooltip)
        self.text, self.ground = QColor("white"), QColor("black")
        self._plots: list[pg.PlotItem] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.graphics)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def add_plot(self, row: int, column: int = 0) -> pg.PlotItem:
        """Add a plot that can neither be moved nor zoomed."""
        plot = self.graphics.addPlot(row=row, col=column, enableMenu=False)
        plot.hideButtons()
        plot.setMouseEnabled(x=False, y=False)
        for side in ("left", "bottom"):
            plot.getAxis(side).enableAutoSIPrefix(False)  # "Score (x0.001)" would mean nothing
        self._plots.append(plot)
        return plot

    def set_theme(self, theme: Theme) -> None:
        """Take napari's colours."""
        self.text, self.ground = (
            QColor(*colour.as_rgb_tuple()[:3]) for colour in (theme.text, theme.background)
        )
        self.paint(self.text, self.ground)

    def paint(self, text: QColor, ground: QColor) -> None:
        """Draw axes and ground in these colours."""
        self.graphics.setBackground(ground)
        for plot in self._plots:
            for side in ("left", "bottom"):
                plot.getAxis(side).setPen(pg.mkPen(faint(text)))
                plot.getAxis(side).setTextPen(text)


def faint(colour: QColor, opacity: int = 130) -> QColor:
    """Return a colour that the ground shines through; 255 is opaque."""
    fainter = QColor(colour)
    fainter.setAlpha(opacity)
    return fainter
