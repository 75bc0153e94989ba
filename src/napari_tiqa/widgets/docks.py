"""The docks as napari opens them: each a light shell that imports its panel when it is opened."""

from collections.abc import Iterator

from qtpy.QtWidgets import QWidget

from napari_tiqa.widgets.host.remembered import remember
from napari_tiqa.widgets.shared.dock_shell import DockShell


class QualityDock(DockShell):
    """Score the slices of a tomogram and see where it is bad, and why."""

    title = "the quality dock"
    panel_of = "napari_tiqa.widgets.quality.panel:QualityPanel"

    def _make_panel(self) -> QWidget:
        return self.module.QualityPanel(self.viewer, self._plot)

    def _build(self) -> Iterator[bool]:
        self._plot = self.module.ScorePlot()  # takes as long as all the rest
        yield True
        yield from super()._build()


class TrainingDock(DockShell):
    """Train a quality model on the user's own images."""

    title = "the training dock"
    panel_of = "napari_tiqa.widgets.training.panel:TrainingPanel"


class RatingDock(DockShell):
    """Have people rate images, blind, and see how far they agree."""

    title = "the rating dock"
    panel_of = "napari_tiqa.widgets.rating.panel:RatingPanel"


class EvaluationDock(DockShell):
    """See how far to trust a model: its measures beside those of baselines."""

    title = "the evaluation dock"
    panel_of = "napari_tiqa.widgets.evaluation.panel:EvaluationPanel"


class ShortcutsDock(DockShell):
    """See which key does what."""

    title = "the list of shortcuts"
    panel_of = "napari_tiqa.widgets.shortcuts_panel:ShortcutsPanel"


class _TabbedDock(DockShell):
    """A dock whose panel gets one tab a step, since each takes as long as all the rest."""

    def _build(self) -> Iterator[bool]:
        steps = super()._build()
        yield next(steps)
        for title, tab in self.module.TABS:
            self.panel.add_tab(title, tab)
            yield True
        remember(type(self).__name__, tab=self.panel.tabs)
        yield from steps


class FilterDock(_TabbedDock):
    """Filter a tomogram and see what that does to its score."""

    title = "the filter dock"
    panel_of = "napari_tiqa.widgets.filtering.panel:FilterPanel"


class SegmentDock(_TabbedDock):
    """Segment a tomogram, see how sure the segmentation is and what quality does to it."""

    title = "the segmentation dock"
    panel_of = "napari_tiqa.widgets.segmentation.panel:SegmentPanel"
