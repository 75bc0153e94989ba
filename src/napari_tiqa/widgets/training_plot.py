"""The curves of the training dock: ranking and regression."""

from qtpy.QtWidgets import QWidget

from napari_tiqa.widgets.epoch_plot import EpochPlot


class TrainingPlot(EpochPlot):
    """Two columns, ranking and regression; the loss above, validation SROCC and PLCC below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            {"rank": "1  Ranking", "regress": "2  Regression"},
            {"SROCC": "#56B4E9", "PLCC": "#009E73"},
            (-1, -0.5, 0, 0.5, 1),
            "Above: the loss that a stage makes smaller; each stage has its own, so only its fall counts.\n"
            "Below: how well scores of originals left out of training agree with their labels: SROCC in "
            "order, PLCC in value; 1 is perfect.",
            parent,
        )
