"""The quality dock as napari opens it: score the slices of a tomogram and see where it is bad."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import napari

from napari_tiqa.widgets.dock_shell import DockShell

if TYPE_CHECKING:
    from napari_tiqa.widgets.quality_panel import QualityPanel


class QualityDock(DockShell):
    """Score the slices of a tomogram and see where it is bad, and why.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer whose layers are scored; napari passes it in.
    """

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:
        super().__init__(napari_viewer, "the quality dock", "napari_tiqa.widgets.quality_panel")

    def make_panel(self) -> "QualityPanel":
        """Make the dock's content around the plot that is there by now."""
        from napari_tiqa.widgets.quality_panel import QualityPanel

        return QualityPanel(self.viewer, self._plot)

    def _build(self) -> Iterator[bool]:
        from napari_tiqa.widgets.score_plot import ScorePlot

        self._plot = ScorePlot()  # takes as long as all the rest
        yield True
        yield from super()._build()
