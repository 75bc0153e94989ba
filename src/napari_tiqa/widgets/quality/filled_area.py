"""An area between two curves in a plot, with gaps where one of them has none."""

import numpy as np
import pyqtgraph as pg
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QGraphicsPathItem

_ALONE = 0.4  # of the distance between slices: what a slice without neighbours takes up on either side


class FilledArea(QGraphicsPathItem):
    """One colour from a lower to an upper curve; redrawn in a millisecond for thousands of slices."""

    def __init__(self, colour: str, opacity: float) -> None:
        super().__init__()
        self.setPen(pg.mkPen(None))
        fill = QColor(colour)
        fill.setAlphaF(opacity)
        self.setBrush(fill)

    def set_data(self, x: np.ndarray, low: np.ndarray, high: np.ndarray, spacing: float) -> None:
        """Fill between two curves.

        Parameters
        ----------
        x, low, high : numpy.ndarray
            Shape (n,), float64; NaN in `low` or `high` leaves a gap.
        spacing : float
            Distance between neighbouring slices, in units of `x`.
        """
        known = np.isfinite(low) & np.isfinite(high)
        borders = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]))).reshape(-1, 2)
        xs, ys, connect = [np.empty(0)], [np.empty(0)], [np.empty(0, np.int32)]
        for begin, end in borders:
            part = slice(begin, end)
            outline = x[part] if end - begin > 1 else x[begin] + spacing * np.array([-_ALONE, _ALONE])
            upper, lower = (np.broadcast_to(side[part], len(outline)) for side in (high, low))
            xs.append(np.concatenate([outline, outline[::-1]]))
            ys.append(np.concatenate([upper, lower[::-1]]))
            connect.append(np.append(np.ones(2 * len(outline) - 1, np.int32), 0))
        self.setPath(pg.arrayToQPath(np.concatenate(xs), np.concatenate(ys), np.concatenate(connect)))
