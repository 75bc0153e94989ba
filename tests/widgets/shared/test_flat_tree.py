"""Lists to tick: ticks and selection stay, and only originals are offered."""

from types import SimpleNamespace

import numpy as np
from napari.layers import Image
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from napari_tiqa.widgets.shared.flat_tree import Entry, LayerList, TickList
from tests.widgets.not_originals import not_originals


def entries(*names: str) -> list[Entry]:
    return [Entry(name, name.upper(), [name]) for name in names]


def test_ticks_and_selection_stay_when_the_list_is_made_anew(qtbot: QtBot) -> None:
    ticks = TickList("Tick some.", rows=3)
    qtbot.addWidget(ticks)
    ticks.show_entries(entries("a", "b", "c"))
    assert ticks.ticked() == ticks.values() == ["A", "B", "C"]
    with qtbot.waitSignal(ticks.changed):
        ticks.topLevelItem(1).setCheckState(0, Qt.CheckState.Unchecked)
    ticks.setCurrentItem(ticks.topLevelItem(2))
    with qtbot.assertNotEmitted(ticks.changed):
        ticks.show_entries(entries("new", "c", "b"))
    assert ticks.ticked() == ["NEW", "C"]
    assert ticks.selected == "C"
    ticks.tick_only(["b"])
    assert ticks.ticked() == ["B"]
    ticks.show_entries(entries("a"))
    assert ticks.selected is None
    assert ticks.ticked() == ["A"]


def test_new_entries_are_left_unticked_where_that_is_asked_for(qtbot: QtBot) -> None:
    ticks = TickList("Tick some.", rows=3, tick_new=False)
    qtbot.addWidget(ticks)
    ticks.show_entries(entries("a", "b"))
    assert ticks.ticked() == []


def test_only_originals_are_listed_the_topmost_first(qtbot: QtBot) -> None:
    layers = LayerList("Tick the layers to use.", "use", rows=3)
    qtbot.addWidget(layers)
    layers.follow(SimpleNamespace(layers=not_originals()))
    assert layers.values() == []
    layers.resize(300, 80)
    empty = layers.grab().toImage()  # says why
    below, above = (Image(np.zeros((4, 9, 9)), name=name) for name in ("below", "above"))
    layers.follow(SimpleNamespace(layers=[below, *not_originals(), above]))
    assert layers.ticked() == [above, below]
    assert [item.text(1) for item in layers.items()] == ["4 × 9 × 9"] * 2
    assert layers.grab().toImage() != empty
