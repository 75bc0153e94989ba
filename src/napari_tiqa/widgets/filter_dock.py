"""The filter dock as napari opens it: build a filter pipeline, see the score answer, tune, compare, apply."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import napari

from napari_tiqa.widgets.dock_shell import DockShell

if TYPE_CHECKING:
    from napari_tiqa.widgets.filter_panel import FilterPanel


class FilterDock(DockShell):
    """Filter a tomogram and see what that does to its score.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer whose layers are filtered; napari passes it in.
    """

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:
        super().__init__(napari_viewer, "the filter dock", "napari_tiqa.widgets.filter_panel")

    def make_panel(self) -> "FilterPanel":
        """Make the dock's content."""
        from napari_tiqa.widgets.filter_panel import FilterPanel

        return FilterPanel(self.viewer)

    def _build(self) -> Iterator[bool]:
        steps = super()._build()
        yield next(steps)
        from napari_tiqa.widgets.filter_panel import TABS

        for title, tab in TABS:  # each takes as long as all the rest
            self.panel.tabs.add(title, tab(self.panel.state, self.viewer))
            yield True
        yield from steps
