"""The choice of what settings and pipelines are compared by."""

from qtpy.QtWidgets import QComboBox, QWidget

from napari_tiqa.jobs.filtering.objective import FIDELITY, SCORE

_CHOICES = ((FIDELITY, "by fidelity"), (SCORE, "by score"))


class AimBox(QComboBox):
    """Offers the aims of ``jobs.filtering.objective``."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        for aim, title in _CHOICES:
            self.addItem(title, aim)
        self.setToolTip(
            "What the best is chosen by. Fidelity estimates, pixel by pixel, how like a perfect scan of the\n"
            "same slice the filtered one is, less what the loss of detail costs. The score is what people\n"
            "would say, to whom some blur is worth less noise."
        )

    @property
    def aim(self) -> str:
        """What is chosen."""
        return str(self.currentData())
