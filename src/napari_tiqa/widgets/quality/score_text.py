"""A text over one layer's picture in napari's grid, which napari itself has for the layer's name only.

Its parts are private to napari 0.9: imported where they are used alone, so that another napari still has all
the rest of the docks.
"""

from typing import Any

from napari._vispy.overlays.text import VispyLayerNameOverlay
from napari._vispy.utils.visual import overlay_to_visual
from napari.components.overlays.text import LayerNameOverlay


class ScoreText(LayerNameOverlay):
    """Any text, at the top left of the layer's part of the grid."""

    text: str = ""
    box: bool = True
    font_size: float = 8


class _Drawn(VispyLayerNameOverlay):
    overlay: Any

    def _connect_events(self) -> None:
        self.overlay.events.text.connect(self._on_text_change)

    def _on_text_change(self) -> None:
        self.node.text = self.overlay.text
        self._on_position_change()


overlay_to_visual[ScoreText] = _Drawn
