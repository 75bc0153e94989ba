"""A figure in a dock: drawn in a thread, only while it is seen, in napari's colours and its own size."""

import threading

import pytest
from matplotlib.figure import Figure
from napari.utils.theme import get_theme
from pytestqt.qtbot import QtBot
from qtpy.QtGui import QColor

from napari_tiqa.figure_style import Sheet
from napari_tiqa.widgets.shared.figure_view import FigureView


class Drawing:
    """Draws an empty figure and remembers on which sheets and in which thread."""

    def __init__(self) -> None:
        self.sheets: list[Sheet] = []
        self.threads: set[int] = set()

    def __call__(self, sheet: Sheet) -> Figure:
        self.sheets.append(sheet)
        self.threads.add(threading.get_ident())
        return sheet.figure(1, 1)


@pytest.fixture
def view(qtbot: QtBot) -> FigureView:
    view = FigureView("What is drawn.")
    qtbot.addWidget(view)
    view.resize(360, 270)
    view.set_theme(get_theme("dark"))
    return view


def test_a_figure_is_drawn_in_a_thread_once_it_is_seen(view: FigureView, qtbot: QtBot) -> None:
    draw = Drawing()
    view.show_figure(draw)
    view.show_figure(draw)
    assert not draw.sheets
    view.show()
    qtbot.waitUntil(lambda: view.is_drawn)
    assert draw.sheets[-1].size == (4, 3)
    assert threading.get_ident() not in draw.threads
    ground = QColor(get_theme("dark").background.as_hex())
    assert view.grab().toImage().pixelColor(100, 100) == ground


def test_it_follows_size_and_theme(view: FigureView, qtbot: QtBot) -> None:
    draw = Drawing()
    view.show_figure(draw)
    view.show()
    qtbot.waitUntil(lambda: view.is_drawn)
    view.resize(450, 360)
    view.set_theme(get_theme("light"))
    qtbot.waitUntil(lambda: view.is_drawn and draw.sheets[-1].size == (5, 4))
    light = QColor(get_theme("light").background.as_hex())
    qtbot.waitUntil(lambda: view.grab().toImage().pixelColor(200, 200) == light)


def test_nothing_is_drawn_before_there_is_a_figure(view: FigureView) -> None:
    view.show()
    assert not view.is_drawn
    with pytest.raises(ValueError, match="no figure"):
        view.figure()
