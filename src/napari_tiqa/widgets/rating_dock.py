"""The rating dock as napari opens it."""

from typing import TYPE_CHECKING

import napari

from napari_tiqa.widgets.dock_shell import DockShell

if TYPE_CHECKING:
    from napari_tiqa.widgets.rating_panel import RatingPanel


class RatingDock(DockShell):
    """Let people rate images blind, and see how far they agree.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer whose layers images are cut from; napari passes it in.
    """

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:
        super().__init__(napari_viewer, "the rating dock", "napari_tiqa.widgets.rating_panel")

    def make_panel(self) -> "RatingPanel":
        """Make form and results."""
        from napari_tiqa.widgets.rating_panel import RatingPanel

        return RatingPanel(self.viewer)
