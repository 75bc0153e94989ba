"""The plots of the evaluation dock: scores against labels, and the spread of scores at each level."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyqtgraph as pg
from napari.utils.theme import Theme
from qtpy.QtCore import QSize
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from napari_tiqa.widgets.shared.colours import colour_of, name_of, symbol_of
from napari_tiqa.widgets.shared.score_box import score_box

_SCORE_TICKS = [(score, str(score)) for score in range(1, 6)]
_SCORE_RANGE = (0.8, 5.2)
_BOX_WIDTH = 0.62
_ROOM_FOR_NAMES = 0.6  # points of the score, above the boxes
_NAMES_IN_A_ROW = 4


@dataclass
class _Ground:
    """The colours a plot is drawn in."""

    text: QColor
    ground: QColor


class _ScorePlot(QWidget):
    """What both plots share: one plot with scores from 1 to 5 upwards, in napari's colours."""

    def __init__(self, tooltip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._graphics = pg.GraphicsLayoutWidget()
        self._graphics.ci.setContentsMargins(2, 4, 6, 2)
        self._graphics.setToolTip(tooltip)
        self._colours = _Ground(QColor("white"), QColor("black"))
        self.plot = self._graphics.addPlot(enableMenu=False)
        self.plot.hideButtons()
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.setYRange(*_SCORE_RANGE, padding=0)
        self.plot.setLabel("left", "Score (1 worst, 5 best)")
        self.plot.getAxis("left").setTicks([_SCORE_TICKS])
        self.plot.showGrid(y=True, alpha=0.15)
        for side in ("left", "bottom"):
            self.plot.getAxis(side).enableAutoSIPrefix(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._graphics)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(QSize(220, 180))

    def sizeHint(self) -> QSize:
        """Return a size that leaves room for the form in a 1280 x 720 window."""
        return QSize(380, 240)

    def set_theme(self, theme: Theme) -> None:
        """Take napari's colours."""
        text, ground = (QColor(*colour.as_rgb_tuple()[:3]) for colour in (theme.text, theme.background))
        self._colours = _Ground(text, ground)
        self._graphics.setBackground(ground)
        faint = QColor(text)
        faint.setAlpha(130)
        for side in ("left", "bottom"):
            self.plot.getAxis(side).setPen(pg.mkPen(faint))
            self.plot.getAxis(side).setTextPen(text)


class ScatterPlot(_ScorePlot):
    """Scores against labels, coloured by distortion (the paper's Fig. 3)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Each image: its label and its score. On the line both are equal.", parent)
        self.plot.setXRange(*_SCORE_RANGE, padding=0)
        self.plot.setLabel("bottom", "Label")
        self.plot.getAxis("bottom").setTicks([_SCORE_TICKS])
        self._line = self.plot.plot([1, 5], [1, 5])
        self._legend = self.plot.addLegend(offset=(8, 4), verSpacing=-4, labelTextSize="8pt")
        self.clouds: dict[str, pg.ScatterPlotItem] = {}

    def show_scores(self, rows: pd.DataFrame, scores: pd.Series) -> None:
        """Draw these images and no others; those without a label have no place here."""
        for cloud in self.clouds.values():
            self.plot.removeItem(cloud)
        self._legend.clear()
        self.clouds = {}
        labelled = rows["label"].notna()
        for family in rows["family"].unique():
            shown = labelled & (rows["family"] == family)
            colour = QColor(colour_of(family))
            colour.setAlpha(170)
            cloud = pg.ScatterPlotItem(
                rows["label"][shown].to_numpy(float),
                np.clip(scores[shown].to_numpy(float), *_SCORE_RANGE),  # a stock metric may leave 1 to 5
                size=7,
                symbol=symbol_of(family),
                pen=None,
                brush=pg.mkBrush(colour),
            )
            self.clouds[family] = cloud
            self.plot.addItem(cloud)
            if rows["family"].any():
                self._legend.addItem(cloud, name_of(family))
        self._paint()

    def set_theme(self, theme: Theme) -> None:
        """Take napari's colours."""
        super().set_theme(theme)
        self._paint()

    def _paint(self) -> None:
        faint = QColor(self._colours.text)
        faint.setAlpha(90)
        self._line.setPen(pg.mkPen(faint))
        self._legend.setLabelTextColor(self._colours.text)
        for _, label in self._legend.items:
            label.setText(label.text, color=self._colours.text.name(), size="8pt")


class LevelPlot(_ScorePlot):
    """Box plots of the scores at each level of each distortion (the paper's Fig. 4)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            "The scores at each level of each distortion: the box holds the middle half, its line is the\n"
            "median, the whiskers reach 1.5 boxes further, dots are outliers. Diamonds are the mean labels.",
            parent,
        )
        self.plot.setLabel("bottom", "Level")
        self.boxes: list[pg.BoxplotItem] = []
        self._labels = pg.ScatterPlotItem(size=7, symbol="d", pen=None)
        self.plot.addItem(self._labels)
        self._labels.setZValue(2)
        self._cells: list[tuple[float, float]] = []
        self._names: list[pg.TextItem] = []
        self.plot.setYRange(_SCORE_RANGE[0], _SCORE_RANGE[1] + _ROOM_FOR_NAMES, padding=0)

    def show_scores(self, rows: pd.DataFrame, scores: pd.Series) -> None:
        """Draw a box for each family and level of these images."""
        for item in [*self.boxes, *self._names]:
            self.plot.removeItem(item)
        self.boxes, self._cells, self._names = [], [], []
        levels: list[tuple[float, str]] = []
        place = 0.0
        families = sorted(rows["family"].unique(), key=bool)  # the undistorted ones first
        for number, family in enumerate(families):
            of_family = rows["family"] == family
            first = place
            for level in sorted(rows["level"][of_family].unique()):
                cell = of_family & (rows["level"] == level)
                self._add_box(place, scores[cell].dropna().to_numpy(float), colour_of(family))
                self._cells.append((place, float(rows["label"][cell].mean())))
                levels.append((place, str(level) if family else ""))
                place += 1
            crowded = len(families) > _NAMES_IN_A_ROW and number % 2 == 1
            self._add_name((first + place - 1) / 2, family, lower=crowded)
            place += 0.6
        self.plot.getAxis("bottom").setTicks([levels])
        self.plot.setXRange(-0.7, place - 0.9, padding=0)
        self._paint()

    def set_theme(self, theme: Theme) -> None:
        """Take napari's colours."""
        super().set_theme(theme)
        self._paint()

    def _paint(self) -> None:
        known = [(place, label) for place, label in self._cells if np.isfinite(label)]
        self._labels.setData(
            [place for place, _ in known],
            [label for _, label in known],
            brush=pg.mkBrush(self._colours.text),
            pen=pg.mkPen(self._colours.ground),
        )

    def _add_name(self, place: float, family: str, *, lower: bool) -> None:
        """Write a family's name above its boxes, which are narrower than their names where there are many."""
        name = pg.TextItem(family or "none", color=colour_of(family), anchor=(0.5, 0))
        name.setPos(place, _SCORE_RANGE[1] + _ROOM_FOR_NAMES / (2 if lower else 1))
        self._names.append(name)
        self.plot.addItem(name, ignoreBounds=True)

    def _add_box(self, place: float, scores: np.ndarray, colour: str) -> None:
        if scores.size:
            box = score_box(place, np.clip(scores, *_SCORE_RANGE), colour, _BOX_WIDTH)
            self.boxes.append(box)
            self.plot.addItem(box)
