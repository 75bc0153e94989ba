"""The evaluation dock as napari opens it."""

from typing import TYPE_CHECKING

import napari

from napari_tiqa.widgets.dock_shell import DockShell

if TYPE_CHECKING:
    from napari_tiqa.widgets.evaluation_panel import EvaluationPanel


class EvaluationDock(DockShell):
    """Judge models on a dataset, beside the baselines.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer whose theme is followed; napari passes it in.
    """

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:
        super().__init__(napari_viewer, "the evaluation dock", "napari_tiqa.widgets.evaluation_panel")

    def make_panel(self) -> "EvaluationPanel":
        """Make form and results."""
        from napari_tiqa.widgets.evaluation_panel import EvaluationPanel

        return EvaluationPanel(self.viewer)
