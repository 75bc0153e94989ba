"""The form of the evaluation dock: which models, on which dataset, beside which baselines."""

from dataclasses import dataclass
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_tiqa.errors import TrainingError
from napari_tiqa.learning.evaluation.comparison import EvaluationProgress
from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.file_row import FileRow
from napari_tiqa.widgets.shared.job_bar import JobBar, time_left
from napari_tiqa.widgets.shared.model_list import ModelList
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel

_BASELINES = {
    "brisque": ("BRISQUE", "BRISQUE as its authors trained it, on photographs."),
    "ridge": ("ImageNet", "Ridge regression on the features of a network that has only learned ImageNet."),
    "lookup": (
        "Look-up",
        "The mean label of each distortion and level: what can be had without looking at the image.",
    ),
    "rankiqa": (
        "RankIQA",
        "Ranking, then people's labels only; a training of its own for each fold, which takes many minutes.",
    ),
}
_SLOW = ("rankiqa",)


@dataclass(frozen=True)
class EvaluationRequest:
    """What to evaluate, frozen in the main thread.

    Attributes
    ----------
    models : tuple of Path or None
        Bundles, None for the default model; the first one is judged in detail.
    dataset : Path
        Dataset or rated session folder.
    baselines : tuple of str
        Keys of ``learning.evaluation.baselines.BASELINES``.
    """

    models: tuple[Path | None, ...]
    dataset: Path
    baselines: tuple[str, ...]


class EvaluationForm(QWidget):
    """Choices that an evaluation is started with, its buttons and its progress."""

    evaluate_clicked = Signal()
    cancel_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.models = ModelList("The models to judge, side by side on the same images.")
        self.dataset = FileRow(
            lambda: QFileDialog.getExistingDirectory(self, "Choose a dataset"),
            "a dataset or rated images",
            "A folder that napari-tiqa generate has made, the dataset in a training's folder,\n"
            "or a folder of rated images.",
        )
        self.baselines = {name: QCheckBox(title) for name, (title, _) in _BASELINES.items()}
        for name, box in self.baselines.items():
            box.setToolTip(_BASELINES[name][1])
            box.setChecked(name not in _SLOW)
        self.evaluate_button = QPushButton("Evaluate")
        self.evaluate_button.setToolTip(
            "Score the dataset's images with each model and baseline and compare with their labels,\n"
            "in a process of its own: napari can be used meanwhile."
        )
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Stop the evaluation; the last result stays.")
        self.bar = JobBar("How much is done, and the time left.")
        self.message = SentenceLabel("What the dock is doing, and how the last evaluation ended.")
        self._lay_out()
        self.evaluate_button.clicked.connect(self.evaluate_clicked)
        self.cancel_button.clicked.connect(self.cancel_clicked)
        self.show_state(JobState.IDLE)

    def request(self) -> EvaluationRequest:
        """Return what the form asks for.

        Raises
        ------
        TrainingError
            No model is ticked, or no dataset chosen.
        """
        models, dataset = self.models.ticked(), self.dataset.path
        if not models:
            raise TrainingError("No model is ticked: tick the one to judge.")
        if dataset is None:
            raise TrainingError("There is no dataset yet: choose the folder of a dataset or of rated images.")
        baselines = tuple(name for name, box in self.baselines.items() if box.isChecked())
        return EvaluationRequest(tuple(models), dataset, baselines)

    def show_state(self, state: JobState) -> None:
        """Enable what can be done in a state, and nothing else."""
        self.evaluate_button.setEnabled(not state.busy)
        self.cancel_button.setEnabled(state.cancellable)
        self.bar.show_state(state)
        if state is JobState.STARTING:
            self.message.say("Starting; Keras needs some seconds…")

    def show_progress(self, progress: EvaluationProgress) -> None:
        """Show the stage, the share done and the time left."""
        text = f"{progress.share:.0%}   {time_left(progress.seconds_left)}"
        self.bar.show_done(round(1000 * progress.share), 1000, text)
        self.message.say(f"{progress.stage[0].upper()}{progress.stage[1:]}…")

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(8)
        form.setVerticalSpacing(4)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Models", self.models)
        form.addRow("Dataset", self.dataset)
        boxes = QWidget()
        row = QHBoxLayout(boxes)
        row.setContentsMargins(0, 0, 0, 0)
        for box in self.baselines.values():
            row.addWidget(box)
        row.addStretch(1)
        form.addRow("Beside", boxes)
        buttons = QHBoxLayout()
        buttons.addWidget(self.evaluate_button, 2)
        buttons.addWidget(self.cancel_button, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(form)
        layout.addLayout(buttons)
        layout.addWidget(self.bar)
        layout.addWidget(self.message)
