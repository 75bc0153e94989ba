"""The commands of napari's Layers menu and command palette, as napari.yaml names them.

Each opens the dock that it is of, where that is not open, and works on the active layer.
"""

from collections.abc import Callable
from typing import Any

import napari
from napari.layers import Layer
from napari.utils.notifications import show_warning
from qtpy.QtWidgets import QTabWidget

from napari_tiqa.filtering.catalogue import FILTERS
from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.widgets.host.shortcuts import SHORTCUTS, act
from napari_tiqa.widgets.shared.dock_panel import in_other_dock
from napari_tiqa.widgets.shared.result_layers import is_original, no_original, unwrapped

Command = Callable[[napari.viewer.Viewer], None]

_RINGS, _DENOISE = "ring_removal", "non_local_means"


def score_quality(viewer: napari.viewer.Viewer) -> None:
    """Open Slice quality on the active layer and score all its slices."""

    def score(panel: Any, layer: Layer) -> None:
        panel.form.choose_layer(layer)
        panel.score_all()

    shared_model_process().start()  # Keras is imported while the dock is
    _with_layer(viewer, "score", "Slice quality", score)


def remove_rings(viewer: napari.viewer.Viewer) -> None:
    """Open Filter and tune on the active layer, with a step that removes rings."""
    _filter(viewer, _RINGS)


def denoise(viewer: napari.viewer.Viewer) -> None:
    """Open Filter and tune on the active layer, with a step that removes noise."""
    _filter(viewer, _DENOISE)


def segment(viewer: napari.viewer.Viewer) -> None:
    """Open Segment on the active layer, at the tab that segments."""

    def choose(panel: Any, layer: Layer) -> None:
        panel.header.choose_image(layer)
        _turn_to(panel.tabs, "Segment")

    _with_layer(viewer, "segment", "Segment", choose)


def _filter(viewer: napari.viewer.Viewer, name: str) -> None:
    """Add a filter to the pipeline, where none of its group is in it."""

    def add(panel: Any, layer: Layer) -> None:
        panel.choose_layer(layer)
        _turn_to(panel.tabs, "Steps")
        steps = panel.state.pipeline.steps
        if not any(FILTERS[step.filter].group == FILTERS[name].group for step in steps):
            panel.steps.add(name)

    _with_layer(viewer, "filter", "Filter and tune", add)


def _with_layer(
    viewer: napari.viewer.Viewer, verb: str, dock: str, then: Callable[[Any, Layer], None]
) -> None:
    layer = unwrapped(viewer.layers.selection.active)
    if layer is None or not is_original(layer):
        there_is = layer is not None and f"'{layer.name}' is not an image to {verb}: choose an image layer."
        show_warning(there_is or no_original(verb))
        return
    in_other_dock(viewer, dock, lambda panel: then(panel, layer))


def _turn_to(tabs: QTabWidget, title: str) -> None:
    titles = [tabs.tabText(number) for number in range(tabs.count())]
    tabs.setCurrentIndex(titles.index(title))


def _of_shortcut(name: str) -> Command:
    shortcut = SHORTCUTS[name]

    def command(viewer: napari.viewer.Viewer) -> None:
        in_other_dock(viewer, shortcut.dock, lambda panel: act(panel, shortcut))

    command.__doc__ = f"{shortcut.title}, in the dock {shortcut.dock}."
    return command


score_slice = _of_shortcut("score_slice")
score_all = _of_shortcut("score_all")
next_worst = _of_shortcut("next_worst")
side_by_side = _of_shortcut("side_by_side")
flip = _of_shortcut("flip")
next_view = _of_shortcut("next_view")
undo = _of_shortcut("undo")
redo = _of_shortcut("redo")
