"""The curves of a training by epoch: each stage's loss, and how it does on what was left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, nan

import pyqtgraph as pg
from napari.utils.theme import Theme
from qtpy.QtCore import QSize
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

_LOSS = "#E69F00"  # Okabe and Ito's orange, told apart by colour-blind readers on dark and light ground alike
_LEFT_WIDTH, _BOTTOM_HEIGHT = 40, 34  # px
_EPOCH_TICKS = 6
_DOTS_UP_TO = 60  # epochs drawn as dots of their own


@dataclass
class StageCurves:
    """What is known of a stage: its length, and of each epoch that ended its loss and its agreements."""

    epochs: int = 0
    points: dict[int, tuple[float, ...]] = field(default_factory=dict)

    def add(self, epoch: int, values: Sequence[float | None]) -> None:
        """Put in an epoch, counted from 1; a value that is not known is None."""
        if any(value is not None for value in values):
            self.points[epoch] = tuple(nan if value is None else value for value in values)


class EpochPlot(QWidget):
    """A column for each stage; the loss above, agreement with what was left out below.

    Parameters
    ----------
    stages : mapping of str to str
        The stages that have epochs, and their titles; a plot of a single stage has no title.
    agreements : mapping of str to str
        What is drawn below, and its colour; 1 is perfect.
    ticks : sequence of float
        Of the axis of the agreements, ascending.
    tooltip : str
        What is drawn.
    """

    def __init__(
        self,
        stages: Mapping[str, str],
        agreements: Mapping[str, str],
        ticks: Sequence[float],
        tooltip: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.stages = {stage: StageCurves() for stage in stages}
        self._colours = {"loss": _LOSS, **agreements}
        self._ticks = ticks
        self._graphics = pg.GraphicsLayoutWidget()
        self._graphics.ci.setContentsMargins(2, 2, 6, 2)
        self._graphics.ci.setSpacing(2)
        self._titles: list[pg.LabelItem] = []
        self._plots: dict[tuple[str, str], pg.PlotItem] = {}
        self._curves: dict[tuple[str, str], pg.PlotDataItem] = {}
        for column, (stage, title) in enumerate(stages.items()):
            if len(stages) > 1:
                self._titles.append(self._graphics.addLabel(title, row=0, col=column))
            self._add_plots(stage, column)
        self._graphics.setToolTip(tooltip)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._graphics)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(QSize(220, 200))

    def sizeHint(self) -> QSize:
        """Return a size that leaves room for the form in a 1280 x 720 window."""
        return QSize(380, 260)

    def _add_plots(self, stage: str, column: int) -> None:
        loss = self._graphics.addPlot(row=1, col=column, enableMenu=False)
        agreement = self._graphics.addPlot(row=2, col=column, enableMenu=False)
        self._plots[stage, "loss"], self._plots[stage, "agreement"] = loss, agreement
        for plot in (loss, agreement):
            plot.hideButtons()
            plot.setMouseEnabled(x=False, y=False)
            plot.showGrid(y=True, alpha=0.15)
            plot.getAxis("left").setWidth(_LEFT_WIDTH)
            for side in ("left", "bottom"):
                plot.getAxis(side).enableAutoSIPrefix(False)
        loss.getAxis("bottom").setTicks([[]])
        loss.getAxis("bottom").setHeight(6)
        agreement.getAxis("bottom").setHeight(_BOTTOM_HEIGHT)
        agreement.setLabel("bottom", "Epoch")
        agreement.getAxis("left").setTicks([[(tick, f"{tick:g}") for tick in self._ticks]])
        agreement.setXLink(loss)
        if column == 0:
            loss.setLabel("left", "Loss")
            agreement.setLabel("left", "Validation")
        for name in self._colours:
            self._curves[stage, name] = (loss if name == "loss" else agreement).plot()
        if column == len(self.stages) - 1:
            self._add_legend(agreement, stage)

    def _add_legend(self, plot: pg.PlotItem, stage: str) -> None:
        self._legend = plot.addLegend(offset=(-6, -6), verSpacing=-6, labelTextSize="8pt")
        for name in self._colours:
            if name != "loss":
                self._legend.addItem(self._curves[stage, name], name)

    def clear(self) -> None:
        """Forget all stages: another training begins."""
        for stage in self.stages:
            self.stages[stage] = StageCurves()
            self._draw(stage)

    def add(
        self,
        stage: str,
        epoch: int,
        epochs: int,
        loss: float | None = None,
        *agreements: float | None,
    ) -> None:
        """Draw an epoch, counted from 1; stages without curves, such as making the data, are ignored."""
        if stage in self.stages:
            self.stages[stage].epochs = epochs
            self.stages[stage].add(epoch, (loss, *agreements))
            self._draw(stage)

    def _draw(self, stage: str) -> None:
        curves = self.stages[stage]
        epochs = sorted(curves.points)
        values = [curves.points[epoch] for epoch in epochs]
        for column, (name, colour) in enumerate(self._colours.items()):
            item = self._curves[stage, name]
            item.setPen(pg.mkPen(colour, width=2))
            item.setSymbol("o" if len(epochs) <= _DOTS_UP_TO else None)
            item.setSymbolSize(5)
            item.setSymbolBrush(colour)
            item.setSymbolPen(None)
            # Not NaN, which there is without validation images: pyqtgraph warns of it.
            known = [(e, row[column]) for e, row in zip(epochs, values, strict=True) if isfinite(row[column])]
            item.setData([e for e, _ in known], [value for _, value in known])
        last = max([curves.epochs, 2, *epochs])
        step = max(1, round(last / _EPOCH_TICKS))
        ticks = [(epoch, str(epoch)) for epoch in range(step, last + 1, step)] if curves.epochs else []
        self._plots[stage, "agreement"].getAxis("bottom").setTicks([ticks])
        self._plots[stage, "loss"].setXRange(0.5, last + 0.5, padding=0)
        losses = [row[0] for row in values if isfinite(row[0])]
        self._plots[stage, "loss"].setYRange(0, max([*losses, 1e-3]) * 1.08, padding=0)
        lowest = min([0.0, *(v for row in values for v in row[1:] if isfinite(v))])
        self._plots[stage, "agreement"].setYRange(lowest - 0.08, 1.12, padding=0)

    def set_theme(self, theme: Theme) -> None:
        """Take napari's colours."""
        text, ground = (QColor(*colour.as_rgb_tuple()[:3]) for colour in (theme.text, theme.background))
        faint = QColor(text)
        faint.setAlpha(130)
        self._graphics.setBackground(ground)
        for label in self._titles:
            label.setText(label.text, color=text.name(), size="9pt")
        for plot in self._plots.values():
            for side in ("left", "bottom"):
                plot.getAxis(side).setPen(pg.mkPen(faint))
                plot.getAxis(side).setTextPen(text)
        self._legend.setLabelTextColor(text)
        for stage in self.stages:
            self._draw(stage)
