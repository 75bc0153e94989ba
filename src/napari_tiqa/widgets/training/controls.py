"""The run row of a training, with what may spoil its result."""

from collections.abc import Sequence

from qtpy.QtWidgets import QPushButton, QWidget

from napari_tiqa.widgets.shared.job_bar import time_left
from napari_tiqa.widgets.shared.run_row import RunRow
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel


class TrainingControls(RunRow):
    """Warnings; train, cancel; progress and message.

    Parameters
    ----------
    train_tooltip : str
        What pressing "Train" does.
    others : sequence of QPushButton
        Before "Train"; they can be pressed while no training is under way.
    """

    def __init__(
        self, train_tooltip: str, others: Sequence[QPushButton] = (), parent: QWidget | None = None
    ) -> None:
        self.warnings = SentenceLabel("What may spoil the result, before any time is spent on it.")
        super().__init__(
            "Train",
            train_tooltip,
            "Stop training; the best network so far is kept as a model.",
            parts="parts of a stage",
            message_tooltip="What the dock is doing, and how the last training ended.",
            starting="Starting the network (a few seconds)…",
            stopping="Stopping; the best network so far is kept…",
            others=others,
            parent=parent,
        )
        self.bar.setToolTip("The stage under way, and the time left for all of them.")
        self.layout().insertWidget(0, self.warnings)
        self.warnings.hide()

    def show_stage(
        self,
        stage: str,
        done: int,
        total: int,
        parts: str,
        seconds_left: float | None,
        epoch: int = 0,
        epochs: int = 0,
    ) -> None:
        """Show stage, parts done and time left.

        Parameters
        ----------
        stage : str
            What people call it.
        done, total : int
            Parts of the stage.
        parts : str
            What a part is, in the plural: "images".
        seconds_left : float or None
            Of the whole training; None while that is not known.
        epoch, epochs : int
            Epochs done and in all; 0 where the stage has none.
        """
        if epochs:
            stage += f", epoch {min(epoch + 1, epochs)} of {epochs}"
        self.bar.show_done(done, max(total, 1), f"{stage}   {time_left(seconds_left)}")
        self.message.say(f"{stage}: {done} of {total} {parts}.")

    def show_warnings(self, sentences: list[str]) -> None:
        """Show what may spoil the result, a line each; nothing where there is nothing."""
        self.warnings.warn(sentences)
        self.warnings.setVisible(bool(sentences))
