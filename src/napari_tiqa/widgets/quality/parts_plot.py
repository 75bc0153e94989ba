"""The plot below the scores: the points that each kind of artefact costs, stacked; legend of both plots."""

import numpy as np
import pyqtgraph as pg
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QGraphicsPathItem

from napari_tiqa.figure_style import ARTEFACT_COLOURS
from napari_tiqa.scoring.scale import ARTEFACT_WORDS, ARTEFACTS
from napari_tiqa.widgets.quality.score_run import ScoreRun

_LEAST_RANGE = 1.0  # points: what a good tomogram loses is not blown up to look like a loss
FLAG = "▲"
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
        """Fill between two curves, (n,) float64; NaN leaves a gap; `spacing` of slices in units of `x`."""
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


class PartsPlot(pg.PlotItem):
    """Areas of rings, blur, noise and so on, one on the other; their height is what the score lacks to 5."""

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.legend = pg.LabelItem(justify="left")
        self._areas = {part: FilledArea(ARTEFACT_COLOURS[part], 1.0) for part in ARTEFACTS}
        for area in self._areas.values():
            self.addItem(area, ignoreBounds=True)
        self.setLabel("left", "Points lost")
        self.getAxis("left").setTickSpacing(1, 1)
        self.show_run(None, np.empty(0), 1.0)

    def show_run(self, run: ScoreRun | None, abscissa: np.ndarray, spacing: float) -> None:
        """Draw what a run's slices lose; None empties the plot."""
        low = np.zeros(len(abscissa))
        for part, area in self._areas.items():
            high = low if run is None else low + run.column(part)
            area.set_data(abscissa, low, high, spacing)
            low = high
        most = np.nanmax(low, initial=_LEAST_RANGE)
        self.setLimits(yMin=0, yMax=1.05 * most)  # first: they would clip a larger range
        self.setYRange(0, 1.05 * most, padding=0)

    def show_legend(self, text: QColor, *, flags: bool) -> None:
        """Write the legend, in the order of the stack."""
        lines = [
            f'<span style="color:{ARTEFACT_COLOURS[part]}">■</span> {ARTEFACT_WORDS[part]}'
            for part in reversed(ARTEFACTS)
        ]
        if flags:
            lines.append(f"{FLAG} unlike<br>training")
        self.legend.setText("<br>".join(lines), color=text, size="8pt")
