"""What a tuning has tried, as it goes on: a curve for one parameter, a map for two, a search for more."""

from dataclasses import replace
from math import isfinite

from napari.utils.theme import Theme
from qtpy.QtCore import QSize, Qt, QTimer, Signal
from qtpy.QtWidgets import QLabel, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget
from superqt import QElidingLabel

from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.filtering.gain import level
from napari_tiqa.jobs.filtering.trial import Trial
from napari_tiqa.jobs.filtering.tune import TuneProgress
from napari_tiqa.jobs.filtering.tuning import Tuning
from napari_tiqa.jobs.filtering.variables import Variable
from napari_tiqa.widgets.filtering.tune.axis import VariableAxis
from napari_tiqa.widgets.filtering.tune.curve import TuneCurve
from napari_tiqa.widgets.filtering.tune.map import TuneMap
from napari_tiqa.widgets.filtering.tune.search import TuneSearch
from napari_tiqa.widgets.filtering.tune.trials_plot import TrialsPlot, Tried
from napari_tiqa.wording import percent

_REDRAW_EVERY = 100  # ms; faster is not seen and takes time from napari's own drawing
_HINT = (
    "<b>Nothing tuned yet</b><br>Tick what is to be varied and press “Tune”.<br><br>"
    "Every setting is applied to the slices and scored; the best so far is applied as it is found, "
    "so that you see it in the picture."
)
_POINT = "Point at a setting to read it, click to try it."


class TunePlot(QWidget):
    """Shows a tuning; `trial_clicked` brings the setting that the user wants to see."""

    trial_clicked = Signal(object)  # Trial

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tried = Tried(())
        self.hint = QLabel(_HINT)
        self.hint.setWordWrap(True)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setToolTip("The scores of the settings appear here.")
        self.curve, self.map, self.search = TuneCurve(), TuneMap(), TuneSearch()
        self.readout = QElidingLabel(_POINT)
        self.readout.setToolTip("The setting below the pointer.")
        self._redraw = QTimer(self, singleShot=True, interval=_REDRAW_EVERY)
        self._redraw.timeout.connect(self._draw)
        plots = QWidget()
        self._plots = QStackedLayout()
        for plot in (self.curve, self.map, self.search):
            self._plots.addWidget(plot)
            plot.trial_hovered.connect(self._read_out)
            plot.trial_clicked.connect(self.trial_clicked)
        column = QVBoxLayout(plots)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.readout)
        column.addLayout(self._plots, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.hint)
        self._stack.addWidget(plots)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(QSize(220, 150))

    def hasHeightForWidth(self) -> bool:
        """Return False: the plot takes what room there is, whatever its hint would need."""
        return False

    def sizeHint(self) -> QSize:
        """Return a size that leaves room for the form in a window of 768 px."""
        return QSize(380, 280)

    @property
    def shown(self) -> TrialsPlot:
        """The plot for as many parameters as are varied."""
        return {1: self.curve, 2: self.map}.get(len(self.tried.axes), self.search)

    def begin(self, pipeline: Pipeline, variables: tuple[Variable, ...], aim: str) -> None:
        """Show an empty plot for these variables and what settings are compared by."""
        self.tried = Tried(tuple(VariableAxis(variable, pipeline) for variable in variables), aim)
        self._plots.setCurrentWidget(self.shown)
        self._stack.setCurrentIndex(1)
        self.readout.setText(_POINT)
        self._draw()

    def add(self, news: TuneProgress) -> None:
        """Show one more setting, or the unfiltered slices, which come first."""
        trial = news.trial
        if trial.values and not trial.failure:
            trials = (*self.tried.trials, trial)
            self.tried = replace(self.tried, trials=trials, best=news.best if news.best.values else None)
        elif self.tried.nothing is None and not trial.values:
            self.tried = replace(self.tried, nothing=trial)
        if not self._redraw.isActive():
            self._redraw.start()

    def finish(self, tuning: Tuning) -> None:
        """Show what the tuning came to."""
        self.tried = replace(
            self.tried,
            trials=tuple(trial for trial in tuning.trials if not trial.failure),
            nothing=tuning.nothing,
            best=tuning.leader if tuning.best is tuning.leader else None,
            as_good=tuning.flatness,
        )
        self._redraw.stop()
        self._draw()

    def set_theme(self, theme: Theme) -> None:
        """Take napari's colours."""
        for plot in (self.curve, self.map, self.search):
            plot.set_theme(theme)

    def _draw(self) -> None:
        self.shown.show_tried(self.tried)

    def _read_out(self, trial: Trial | None) -> None:
        self.readout.setText(_POINT if trial is None else self.describe(trial))

    def describe(self, trial: Trial) -> str:
        """Return a setting with its score for people."""
        if trial.values:
            values = zip(self.tried.axes, trial.values, strict=True)
            text = ", ".join(axis.read(value) for axis, value in values)
        else:
            text = (
                "without the tuned steps" if any(step.on for step in trial.pipeline.steps) else "unfiltered"
            )
        text += f": {level(trial, self.tried.aim)}"
        if trial.values and isfinite(trial.detail_loss):
            text += f", detail lost {percent(trial.detail_loss)}"
        return text
