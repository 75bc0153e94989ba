"""A pipeline's JSON file opened in napari, by menu or by drag: it goes to the dock Filter and tune."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari

from napari_tiqa.filtering.pipeline import holds_pipeline

_NO_LAYER: list[tuple[None]] = [(None,)]  # napari's own word for a file that brings none


def get_reader(path: str | list[str]) -> Callable[[str], list[Any]] | None:
    """Return the function that opens a pipeline; None for every other JSON file."""
    return open_pipeline if isinstance(path, str) and holds_pipeline(Path(path)) else None


def open_pipeline(path: str) -> list[tuple[None]]:
    """Open the dock Filter and tune, where it is not open, with the pipeline of a file; adds no layer."""
    viewer = napari.current_viewer()
    if viewer is not None:
        dock: Any = viewer.window.add_plugin_dock_widget("napari-tiqa", "Filter and tune")[1]
        if dock.panel is None:
            dock.ready.connect(lambda: open_pipeline(path))
        else:
            dock.panel.steps.load(path)
    return _NO_LAYER
