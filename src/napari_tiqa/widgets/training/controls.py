"""The run row of a training, with what may spoil its result."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtWidgets import QPushButton, QWidget

from napari_tiqa.widgets.shared.run_row import RunRow, time_left
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel


class TrainingControls(RunRow):
    """Warnings; train, cancel; progress and message; `others` as of RunRow."""

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

    def show_stage(self, stage: str, parts: str, progress: Any) -> None:
        """Show the stage's name, its parts (or epochs) done and the time left for the whole training."""
        if progress.epochs:
            stage += f", epoch {min(progress.epoch + 1, progress.epochs)} of {progress.epochs}"
        self.bar.show_done(
            progress.done, max(progress.total, 1), f"{stage}   {time_left(progress.seconds_left)}"
        )
        self.message.say(f"{stage}: {progress.done} of {progress.total} {parts}.")

    def show_warnings(self, sentences: list[str]) -> None:
        """Show what may spoil the result, a line each; nothing where there is nothing."""
        self.warnings.warn(sentences)
        self.warnings.setVisible(bool(sentences))
