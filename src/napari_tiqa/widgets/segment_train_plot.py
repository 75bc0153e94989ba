"""The curves of the Train tab: loss, and IoU on what was left out."""

from qtpy.QtWidgets import QWidget

from napari_tiqa.widgets.epoch_plot import EpochPlot

STAGE = "train"
"""Of ``SegmentProgress``: the one that has epochs."""


class SegmentTrainPlot(EpochPlot):
    """The loss above, the mean IoU of the classes below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            {STAGE: "Training"},
            {"mean IoU": "#56B4E9"},
            (0, 0.5, 1),
            "Above: the loss that the training makes smaller; only its fall counts.\n"
            "Below: IoU, the overlap of what the network finds with the labels that were left out of\n"
            "training, as a share of both together, mean over the classes; 1 is perfect.",
            parent,
        )
