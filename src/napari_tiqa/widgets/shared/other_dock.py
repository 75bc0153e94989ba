"""From one dock to another: open it, or the one that is open, and do something in it."""

from collections.abc import Callable
from typing import Any


def in_other_dock(viewer: Any, name: str, then: Callable[[Any], object]) -> None:
    """Open the dock of this name and call `then` with its panel, once that is there."""
    frame, dock = viewer.window.add_plugin_dock_widget("napari-tiqa", name)
    frame.raise_()  # one that was open may lie behind another tab
    if dock.panel is None:
        dock.ready.connect(lambda: then(dock.panel))
    else:
        then(dock.panel)
