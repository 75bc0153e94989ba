"""The filter dock in a window of 1280 x 720: what is on screen, and that nothing moves while one adjusts."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QWidget

from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.scoring.table import ScoredSlice
from napari_tiqa.widgets.filtering.panel import TABS, FilterPanel
from napari_tiqa.widgets.filtering.trial import Judged, SliceTrial

# Their window is shown, and a shared canvas may hold what other tests have drawn and deleted unseen: drawing
# that ends in a segmentation fault in OpenGL.
pytestmark = pytest.mark.own_viewer
TIMEOUT = 300_000  # ms
THREE = Pipeline([Step("ring_removal"), Step("non_local_means"), Step("gaussian")])
LONG = "A sentence that goes on and on, as that of a tuning with several settings does. " * 6


@pytest.fixture
def panel(viewer: Viewer, qtbot: QtBot, untrained_model: Path) -> FilterPanel:
    """Return the dock, 400 px wide in a window of 1280 x 720 px, with three filters."""
    window = viewer.window._qt_window
    window.resize(1280, 720)
    window.show()
    dock = viewer.window.add_plugin_dock_widget("napari-tiqa", "Filter and tune")[1]
    complete = lambda: dock.panel is not None and dock.panel.tabs.count() == 1 + len(TABS)  # noqa: E731
    qtbot.waitUntil(complete, timeout=TIMEOUT)
    window.resizeDocks([dock.parentWidget()], [400], Qt.Orientation.Horizontal)
    dock.panel.model_box.choose(untrained_model)
    viewer.add_image(np.random.default_rng(0).random((3, 64, 64), "f4"), name="scan")
    dock.panel.state.set_pipeline(THREE)
    panel = dock.panel
    qtbot.waitUntil(lambda: not (panel.preview.job.state.busy or panel.follower.waiting), timeout=TIMEOUT)
    qtbot.waitUntil(lambda: window.height() == 720 and dock.width() == 400)
    return panel


@pytest.fixture
def turn_to(panel: FilterPanel, qtbot: QtBot) -> Callable[[int], QWidget]:
    def turn(number: int) -> QWidget:
        panel.tabs.setCurrentIndex(number)
        qtbot.wait(50)
        return panel.tabs.pages[number]

    return turn


def on_screen(widget: QWidget) -> bool:
    """Tell whether all of a widget is seen in its window."""
    return bool(widget.visibleRegion().boundingRect() == widget.rect())


def places(panel: FilterPanel) -> dict[str, tuple[QPoint, int]]:
    """Return where each widget is that a user adjusts or reads, and how high."""
    tune = panel.tabs.pages[1]
    watched = {
        "tabs": panel.tabs,
        "slider": panel.steps.cards[0].editors["ring_width"],
        "last card": panel.steps.cards[-1],
        "view": panel.views[next(iter(panel.views))],
        "range": tune.form.variables.rows[0].widgets[-1],
        "start": tune.form.run_row.start_button,
        "plot": tune.plot,
        "use best": tune.best_button,
    }
    return {name: (widget.mapTo(panel, QPoint()), widget.height()) for name, widget in watched.items()}


def test_plot_and_use_best_are_on_screen_with_three_filters(
    panel: FilterPanel, turn_to: Callable[[int], QWidget]
) -> None:
    tune = turn_to(1)
    assert len(tune.form.variables.rows) == 7
    for widget in (tune.plot, tune.best_button, tune.form.run_row, panel.score, *panel.views.values()):
        assert on_screen(widget), (widget, widget.geometry(), widget.visibleRegion().boundingRect())
    assert tune.plot.height() >= 150


def test_the_figures_stay_above_tabs_that_scroll(
    panel: FilterPanel, turn_to: Callable[[int], QWidget]
) -> None:
    for number in range(panel.tabs.count()):
        turn_to(number)
        assert on_screen(panel.score)
        assert on_screen(panel.message)
    turn_to(0)
    area = panel.tabs.currentWidget()
    bar = area.verticalScrollBar()
    assert bar.maximum() > 0  # three cards and the history are higher than the room that there is
    bar.setValue(bar.maximum())
    assert on_screen(panel.score)
    assert panel.width() <= 400
    assert not any(panel.tabs.widget(n).horizontalScrollBar().maximum() for n in range(panel.tabs.count()))


@pytest.mark.parametrize("number", [0, 1])
def test_nothing_moves_when_warnings_and_sentences_come_and_go(
    panel: FilterPanel, turn_to: Callable[[int], QWidget], qtbot: QtBot, number: int
) -> None:
    turn_to(number)
    before = places(panel)
    tune = panel.tabs.pages[1]
    row = ScoredSlice(0, 0.0, 3.0, 0.3, ring=1.0, blur=0.5, noise=0.4, streaks=0.3, shading=0.2)
    blurred = Judged(row._replace(score=3.5), 0.6, 40.0)
    panel.score.show_trial(SliceTrial(THREE, Judged(row, 0.5, 0.0), blurred))
    assert "edges are 40 % less steep" in panel.message.text()
    for label in (panel.message, tune.message):
        label.say(LONG, problem=True)
    qtbot.wait(50)
    assert places(panel) == before
    assert LONG.strip() in panel.message.toolTip()
    for label in (panel.message, tune.message):
        label.say("")
    assert "edges are 40 % less steep" in panel.message.text()  # which stands until the next trial
    panel.score.clear()
    qtbot.wait(50)
    assert panel.message.text() == ""
    assert places(panel) == before
