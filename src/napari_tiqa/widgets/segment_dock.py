"""The segmentation dock as napari opens it: train a segmenter, segment, see what quality does to it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import napari

from napari_tiqa.widgets.dock_shell import DockShell

if TYPE_CHECKING:
    from napari_tiqa.widgets.segment_panel import SegmentPanel


class SegmentDock(DockShell):
    """Segment a tomogram, by the bundled segmenter or by one of your own.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer whose layers are segmented; napari passes it in.
    """

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:
        super().__init__(napari_viewer, "the segmentation dock", "napari_tiqa.widgets.segment_panel")

    def make_panel(self) -> "SegmentPanel":
        """Make the dock's content."""
        from napari_tiqa.widgets.segment_panel import SegmentPanel

        return SegmentPanel(self.viewer)

    def _build(self) -> Iterator[bool]:
        steps = super()._build()
        yield next(steps)
        from napari_tiqa.widgets.segment_panel import TABS

        for title, tab in TABS:  # each takes as long as all the rest
            self.panel.add_tab(title, tab)
            yield True
        yield from steps
