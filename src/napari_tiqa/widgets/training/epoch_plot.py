"""The curves of a training by epoch: each stage's loss, and how it does on what was left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, nan

import numpy as np
import pyqtgraph as pg
from qtpy.QtWidgets import QWidget

from napari_tiqa.figure_style import ORANGE
from napari_tiqa.widgets.shared.themed_plot import ThemedPlot

_LEFT_WIDTH, _BOTTOM_HEIGHT = 40, 34  # px
_EPOCH_TICKS = 6


@dataclass
class StageCurves:
    """What is known of a stage: its length, and of each epoch that ended its loss and its agreements."""

    epochs: int = 0
    points: dict[int, tuple[float, ...]] = field(default_factory=dict)

    def add(self, epoch: int, values: Sequence[float | None]) -> None:
        """Put in an epoch, counted from 1; a value that is not known is None."""
        if any(value is not None for value in values):
            self.points[epoch] = tuple(nan if value is None else value for value in values)


class EpochPlot(ThemedPlot):
    """A column for each stage; the loss above, agreement with what was left out below.

    `stages` maps those with epochs to titles; a plot of a single stage has no title. `agreements` maps what
    is drawn below (1 is perfect) to its colour; `ticks` are of its axis, ascending.
    """

    def __init__(
        self,
        stages: Mapping[str, str],
        agreements: Mapping[str, str],
        ticks: Sequence[float],
        tooltip: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(tooltip, usual=(380, 260), parent=parent)
        self.stages = {stage: StageCurves() for stage in stages}
        self._colours = {"loss": ORANGE, **agreements}
        self._ticks = ticks
        self._titles: list[pg.LabelItem] = []
        self._panels: dict[tuple[str, str], pg.PlotItem] = {}
        self._curves: dict[tuple[str, str], pg.PlotDataItem] = {}
        for column, (stage, title) in enumerate(stages.items()):
            if len(stages) > 1:
                self._titles.append(self.graphics.addLabel(title, row=0, col=column))
            self._add_panels(stage, column)

    def _add_panels(self, stage: str, column: int) -> None:
        loss, agreement = (self.add_plot(row, column) for row in (1, 2))
        self._panels[stage, "loss"], self._panels[stage, "agreement"] = loss, agreement
        for plot in (loss, agreement):
            plot.getAxis("left").setWidth(_LEFT_WIDTH)
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
            # Not NaN, which there is without validation images: pyqtgraph warns of it.
            known = [(e, row[column]) for e, row in zip(epochs, values, strict=True) if isfinite(row[column])]
            x, y = np.array(known, float).reshape(-1, 2).T
            self.draw_curve(self._curves[stage, name], x, y, colour)
        last = max([curves.epochs, 2, *epochs])
        step = max(1, round(last / _EPOCH_TICKS))
        ticks = [(epoch, str(epoch)) for epoch in range(step, last + 1, step)] if curves.epochs else []
        self._panels[stage, "agreement"].getAxis("bottom").setTicks([ticks])
        self._panels[stage, "loss"].setXRange(0.5, last + 0.5, padding=0)
        losses = [row[0] for row in values if isfinite(row[0])]
        self._panels[stage, "loss"].setYRange(0, max([*losses, 1e-3]) * 1.08, padding=0)
        lowest = min([0.0, *(v for row in values for v in row[1:] if isfinite(v))])
        self._panels[stage, "agreement"].setYRange(lowest - 0.08, 1.12, padding=0)

    def paint(self) -> None:
        """Draw titles, axes, legend and curves in the theme's colours."""
        super().paint()
        for label in self._titles:
            label.setText(label.text, color=self.text.name(), size="9pt")
        self._legend.setLabelTextColor(self.text)
        for stage in self.stages:
            self._draw(stage)
