"""The segmentation dock's content: image and labels above, and the tabs that work on them."""

from collections.abc import Callable
from typing import Any

from qtpy.QtWidgets import QWidget

from napari_tiqa.widgets.segmentation.fitting_tabs import FittingTabs
from napari_tiqa.widgets.segmentation.header import SegmentHeader, SegmentState
from napari_tiqa.widgets.segmentation.predict.tab import SegmentPredictTab
from napari_tiqa.widgets.segmentation.study.tab import SegmentStudyTab
from napari_tiqa.widgets.segmentation.train.tab import SegmentTrainTab
from napari_tiqa.widgets.shared.dock_panel import DockPanel
from napari_tiqa.widgets.shared.forms import DOCK_MARGINS, column

TABS = (("Train", SegmentTrainTab), ("Segment", SegmentPredictTab), ("Quality effect", SegmentStudyTab))
"""Each is made of the dock's state and the viewer."""


class SegmentPanel(DockPanel):
    """Everything in the segmentation dock."""

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(viewer, parent)
        self.state = SegmentState(self)
        self.header = SegmentHeader(self.state, viewer)
        self.tabs = FittingTabs()
        column(self.header, (self.tabs, 1), parent=self, margins=DOCK_MARGINS)
        self._use_theme()

    def add_tab(self, title: str, tab: Callable[[SegmentState, Any], QWidget]) -> None:
        """Make a tab and add it."""
        self.tabs.add(title, tab(self.state, self._viewer))

    def reset_choices(self, _event: object = None) -> None:
        """Follow the viewer's layer list."""
        self.header.reset_choices()

    def close_down(self) -> None:
        """End what is under way and let go of the viewer: the dock was closed. A training continues."""
        super().close_down()
        self.header.close_down()
        for page in self.tabs.pages:
            page.close_down()
