"""The training dock as napari opens it."""

from typing import TYPE_CHECKING

import napari

from napari_tiqa.widgets.dock_shell import DockShell

if TYPE_CHECKING:
    from napari_tiqa.widgets.training_panel import TrainingPanel


class TrainingDock(DockShell):
    """Train a model on images of your own, and on what people said of them.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer whose layers can be learned from; napari passes it in.
    """

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:
        super().__init__(napari_viewer, "the training dock", "napari_tiqa.widgets.training_panel")

    def make_panel(self) -> "TrainingPanel":
        """Make form, buttons and curves."""
        from napari_tiqa.widgets.training_panel import TrainingPanel

        return TrainingPanel(self.viewer)
