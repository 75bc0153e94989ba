"""A box plot of one set of scores, as the docks draw it beside curves and at each level."""

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QPen

_FLAT = 0.02  # scores closer together than this are drawn as a line instead of a box


def score_box(
    place: float,
    scores: np.ndarray,
    colour: str,
    width: float,
    pen_scale: float = 1,
    *,
    outliers: bool = True,
) -> pg.BoxplotItem:
    """Return a box plot of scores.

    Parameters
    ----------
    place : float
        Its abscissa.
    scores : numpy.ndarray
        Shape (n,), n > 0, without NaN.
    colour : str
        Of lines, outliers and, faintly, of the box.
    width : float
        Of the box, in units of `place`.
    pen_scale : float
        How many times wider than on the screen its lines are.
    outliers : bool
        Whether scores beyond the whiskers have dots; not where every score has one anyway.
    """
    low, median, high = np.percentile(scores, (25, 50, 75))
    flat = high - low < _FLAT
    fill = QColor(colour)
    fill.setAlpha(70)
    median_pen = pg.mkPen(colour, width=2.5 * pen_scale)
    box = pg.BoxplotItem(
        loc=[place],
        data=[scores],
        width=width,
        pen=None if flat else _flat_ended(pg.mkPen(colour, width=1.2 * pen_scale)),
        brush=None if flat else fill,
        medianPen=None if flat else median_pen,
        outlier=outliers,
        symbolSize=4,
        symbolPen=None,
        symbolBrush=colour,
    )
    if flat:
        # Qt paints the outline of a box without height some score units thick, over its neighbours.
        ends = [place - width / 2, place + width / 2]
        pg.PlotDataItem(ends, [median, median], pen=median_pen).setParentItem(box)
    return box


def _flat_ended(pen: QPen) -> QPen:
    """Return a pen that draws nothing where a whisker has no length; Qt would paint a block there."""
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    return pen
