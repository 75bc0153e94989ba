"""The docks as napari opens them: each a light shell that imports its panel when it is opened."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QWidget

from napari_tiqa.widgets.shared.dock_shell import DockShell

if TYPE_CHECKING:
    import napari


class QualityDock(DockShell):
    """Score the slices of a tomogram and see where it is bad, and why."""

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:
        super().__init__(napari_viewer, "the quality dock", "napari_tiqa.widgets.quality.panel")

    def make_panel(self) -> QWidget:
        """Make the dock's content around the plot that is there by now."""
        from napari_tiqa.widgets.quality.panel import QualityPanel

        return QualityPanel(self.viewer, self._plot)

    def _build(self) -> Iterator[bool]:
        from napari_tiqa.widgets.quality.plot import ScorePlot

        self._plot = ScorePlot()  # takes as long as all the rest
        yield True
        yield from super()._build()


class TrainingDock(DockShell):
    """Train a quality model on the user's own images."""

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:
        super().__init__(napari_viewer, "the training dock", "napari_tiqa.widgets.training.panel")

    def make_panel(self) -> QWidget:
        """Make the dock's content."""
        from napari_tiqa.widgets.training.panel import TrainingPanel

        return TrainingPanel(self.viewer)


class RatingDock(DockShell):
    """Have people rate images, blind, and see how far they agree."""

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:
        super().__init__(napari_viewer, "the rating dock", "napari_tiqa.widgets.rating.panel")

    def make_panel(self) -> QWidget:
        """Make the dock's content."""
        from napari_tiqa.widgets.rating.panel import RatingPanel

        return RatingPanel(self.viewer)


class EvaluationDock(DockShell):
    """See how far to trust a model: its measures beside those of baselines."""

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:
        super().__init__(napari_viewer, "the evaluation dock", "napari_tiqa.widgets.evaluation.panel")

    def make_panel(self) -> QWidget:
        """Make the dock's content."""
        from napari_tiqa.widgets.evaluation.panel import EvaluationPanel

        return EvaluationPanel(self.viewer)


class _TabbedDock(DockShell):
    """A dock whose panel gets one tab a step, since each takes as long as all the rest."""

    def _build(self) -> Iterator[bool]:
        steps = super()._build()
        yield next(steps)
        for title, tab in self.tabs():
            self.panel.add_tab(title, tab)
            yield True
        yield from steps

    def tabs(self) -> Any:
        """Return pairs of a tab's title and its class."""
        raise NotImplementedError


class FilterDock(_TabbedDock):
    """Filter a tomogram and see what that does to its score."""

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:
        super().__init__(napari_viewer, "the filter dock", "napari_tiqa.widgets.filtering.panel")

    def make_panel(self) -> QWidget:
        """Make the dock's content."""
        from napari_tiqa.widgets.filtering.panel import FilterPanel

        return FilterPanel(self.viewer)

    def tabs(self) -> Any:
        """Return pairs of a tab's title and its class."""
        from napari_tiqa.widgets.filtering.panel import TABS

        return TABS


class SegmentDock(_TabbedDock):
    """Segment a tomogram, see how sure the segmentation is and what quality does to it."""

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:
        super().__init__(napari_viewer, "the segmentation dock", "napari_tiqa.widgets.segmentation.panel")

    def make_panel(self) -> QWidget:
        """Make the dock's content."""
        from napari_tiqa.widgets.segmentation.panel import SegmentPanel

        return SegmentPanel(self.viewer)

    def tabs(self) -> Any:
        """Return pairs of a tab's title and its class."""
        from napari_tiqa.widgets.segmentation.panel import TABS

        return TABS
